# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of engines."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines import registry

CHECKOUT = pathlib.Path(__file__).resolve().parents[4]


def test_auto_is_the_default_engine():
    assert registry.find_engine("auto", None).kind is registry.ENGINES[registry.DEFAULT]


@pytest.mark.parametrize("name", registry.ENGINES)
def test_every_engine_is_found_by_its_name_or_says_what_is_missing(home, name):
    found = registry.find_engine(name, "/nonexistent/engine")
    assert found.kind.name == name and found.executable is None and found.root is None
    assert "/nonexistent/engine" in str(found.missing())


def test_the_table_does_not_import_an_engine():
    """A call that changes nothing must not pay for it."""
    code = "import sys, %s; print([name for name in sys.modules if name.endswith('.engine') or name == 'asyncio'])"
    done = subprocess.run(
        [sys.executable, "-c", code % registry.__name__],
        check=True,
        capture_output=True,
        text=True,
        env=dict(os.environ, PYTHONPATH=str(CHECKOUT / ".collections")),
    )
    assert done.stdout == "[]\n"
