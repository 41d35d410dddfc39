"""A user's home directory in which pages are tried, with a real bash."""

from __future__ import annotations

import os
import pathlib
import pwd
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._files.progress import Progress
from ansible_collections.hpc.pytorch.plugins.module_utils._page_run import declare, place, shell
from ansible_collections.hpc.pytorch.plugins.module_utils._page_run.request import Options


@pytest.fixture
def home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """The user's own. New ones begin with the files of the folder ``skel`` next to it."""
    if os.geteuid() == 0:
        # To the code, root is an ordinary user here.
        other = pwd.getpwnam("nobody").pw_uid
        monkeypatch.setattr(os, "geteuid", lambda: other)
    made, skeleton = tmp_path / "home", tmp_path / "skel"
    made.mkdir()
    skeleton.mkdir()
    (skeleton / ".profile").write_text('[ -z "$BASH_VERSION" ] || . ~/.bashrc\n')
    (skeleton / ".bashrc").write_text("case $- in *i*) ;; *) return ;; esac\nPS1='$ '\n")
    monkeypatch.setattr(place, "SKELETON", str(skeleton))
    monkeypatch.setenv("HOME", str(made))
    monkeypatch.setattr(shell, "_CHECK", 0.05)
    monkeypatch.setattr(shell, "_PATIENCE", 0.2)
    return made


@pytest.fixture
def run(home: pathlib.Path) -> t.Callable[..., dict[str, t.Any]]:
    """Run blocks: ``run("true", ("false", {"expect": 1}))``; their IDs are b0, b1, ..."""

    def call(*blocks: t.Any, timeout: int = 20, **options: t.Any) -> dict[str, t.Any]:
        given = []
        for number, block in enumerate(blocks):
            text, more = block if isinstance(block, tuple) else (block, {})
            default = {"id": "b%d" % number, "kind": "run", "on": "login", "expect": 0, "wait": False, "name": ""}
            given.append({**default, "text": text, **more})
        params = {"page": "pytorch", "blocks": given, "timeout": timeout, "links": [], "srun": [], **options}
        return declare.run_page(Options.of(params), Progress())

    return call
