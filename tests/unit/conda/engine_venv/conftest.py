"""An engine's site in a temporary folder, with a Python that only makes the folders that venv and pip would make."""

from __future__ import annotations

import os
import pathlib
import traceback
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engine_venv.declare import Options, declare_engine

WANTED = "# What the engine's venv holds\ntool==1.0\n"

PYTHON = """#!/bin/sh
for last; do :; done
case "$*" in
*"-m venv "*)
    . '{root}/venv.sh'
    mkdir -p "$last/bin" "$last/lib" && : > "$last/pyvenv.cfg" && cp "$0" "$last/bin/python"
    ;;
*"-m pip "*) echo pip >> '{root}/calls'; . '{root}/pip.sh' ;;
*) echo '{{"version": [3, 12, 1], "missing": [], "reads": ["/bin/sh"]}}' ;;
esac
"""


class Site:
    """A folder for an engine; ``site()`` makes it."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.prefix = root / "opt/engine"
        self.store = root / "opt/.engine"
        self.python = root / "python"
        root.mkdir()
        self.python.write_text(PYTHON.format(root=root))
        self.python.chmod(0o755)
        self.venv_does(":")
        self.pip_does(":")

    def venv_does(self, script: str) -> None:
        """What ``python -m venv`` does first."""
        (self.root / "venv.sh").write_text(script + "\n")

    def pip_does(self, script: str) -> None:
        """What pip does."""
        (self.root / "pip.sh").write_text(script + "\n")

    @property
    def pip_calls(self) -> int:
        calls = self.root / "calls"
        return len(calls.read_text().splitlines()) if calls.exists() else 0

    def __call__(self, check_mode: bool = False, **more: t.Any) -> dict[str, t.Any]:
        given = {
            "prefix": str(self.prefix),
            "python": str(self.python),
            "requirements": WANTED,
            "condarc": None,
            "progress_file": None,
        }
        return declare_engine(Options(**{**given, **more}), check_mode)

    def in_child(self, **more: t.Any) -> int:
        """Start the same in a process of its own; its number."""
        child = os.fork()
        if child:
            return child
        code = 1
        try:
            self(**more)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    def venvs(self) -> list[str]:
        return sorted(name for name in os.listdir(self.store) if name != ".lock") if self.store.exists() else []

    def older(self, requirements: str = WANTED, prefix: pathlib.Path | None = None) -> pathlib.Path:
        """An engine as role conda made them in the prefix itself."""
        folder = prefix or self.prefix
        (folder / "bin").mkdir(parents=True)
        (folder / "bin/python").symlink_to(self.python)
        (folder / "pyvenv.cfg").write_text("")
        (folder / "requirements.txt").write_text(requirements)
        return folder


@pytest.fixture
def site(tmp_path: pathlib.Path) -> Site:
    return Site(tmp_path / "site")
