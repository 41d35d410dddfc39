# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import importlib.machinery
import importlib.util
import pathlib
import subprocess
import sys

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._source.pip_start import engines_pip, pip_for


def test_the_pip_of_one_python_works_for_another(tmp_path: pathlib.Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    spec = importlib.util.find_spec("pip")
    assert spec and spec.submodule_search_locations
    folder = spec.submodule_search_locations[0]
    command = pip_for(str(tmp_path / "venv/bin/python"), folder)
    listed = subprocess.run([*command, "list", "--format=freeze"], check=True, capture_output=True, text=True)
    # It is not in there itself, nor is anything next to it.
    assert listed.stdout.strip() == ""
    assert command[-1].startswith(folder)


def test_a_pip_without_that_file_is_asked_with_its_option(tmp_path: pathlib.Path) -> None:
    assert pip_for("/env/bin/python", str(tmp_path), "/usr/bin/python3") == [
        *("/usr/bin/python3", "-I", "-m", "pip", "--python", "/env/bin/python")
    ]


@pytest.mark.parametrize(
    ("there", "found"), [({"rattler", "pip"}, "/engine/pip"), ({"pip"}, None), ({"rattler"}, None), (set(), None)]
)
def test_only_an_engine_lends_its_pip(monkeypatch: pytest.MonkeyPatch, there: set[str], found: str | None) -> None:
    def find(name: str) -> importlib.machinery.ModuleSpec | None:
        spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = ["/engine/" + name]
        return spec if name in there else None

    monkeypatch.setattr(importlib.util, "find_spec", find)
    assert engines_pip() == found
