# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.rattler import find


def test_a_module_that_runs_in_the_engine_does_not_start_itself_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_python: str) -> None:
        raise AssertionError

    monkeypatch.setattr(find, "require_rattler", refuse)
    monkeypatch.setattr(find, "respawn_in", refuse)
    assert find._start(sys.executable, False) is find._build


def test_an_engine_whose_python_was_upgraded_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its venv has the packages of the Python before. The task itself may have been started with it."""

    def refuse(python: str) -> None:
        raise UserError("a Python with py-rattler at %s" % python, "none", "make the engine again")

    monkeypatch.setattr(find, "has_rattler", lambda: False)
    monkeypatch.setattr(find, "require_rattler", refuse)
    with pytest.raises(UserError, match="a Python with py-rattler at %s" % sys.executable):
        find._start(sys.executable, False)
