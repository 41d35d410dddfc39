# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The output of --version of conda, mamba and micromamba."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.cli.tool import is_too_old, read_version


@pytest.mark.parametrize(
    "output, name, tool",
    [
        ("conda 24.11.3\n", "conda", ("conda", "24.11.3")),
        ("mamba 1.5.8\nconda 23.11.0\n", "mamba", ("mamba", "1.5.8")),
        ("2.8.1\n", "mamba", ("mamba", "2.8.1")),
        ("2.3.2\n", "micromamba-2.3", ("micromamba", "2.3.2")),
        ("Usage: conda\n", "conda", None),
        ("", "conda", None),
    ],
)
def test_kind_and_version_are_read(output, name, tool):
    assert read_version(output, name) == tool


@pytest.mark.parametrize(
    "kind, version, old",
    [
        ("conda", "24.7.1", True),
        ("conda", "24.9.0", False),
        ("mamba", "1.5.8", True),
        ("micromamba", "2.0.0rc1", False),
    ],
)
def test_a_version_that_is_too_old(kind, version, old):
    assert is_too_old(kind, version) is old
