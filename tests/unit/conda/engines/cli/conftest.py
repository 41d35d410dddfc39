"""The stand-in for conda or mamba, as a command, and conda_env that uses it."""

from __future__ import annotations

import json
import pathlib
import sys
import typing as t

import pytest


class Fake(t.NamedTuple):
    """The stand-in for one tool."""

    kind: str
    path: pathlib.Path
    log: pathlib.Path

    def calls(self) -> list[dict[str, t.Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def commands(self) -> list[str]:
        """What each call was for: solve, fetch, install, remove, ..."""
        found = []
        for call in self.calls():
            argv = call["argv"]
            what = "solve" if "--dry-run" in argv else "fetch" if "--download-only" in argv else argv[0]
            found.append(what)
        return found


VERSIONS = {"conda": "conda 26.7.1", "mamba": "2.8.1"}
# micromamba has mamba's command line and output; what differs is in test_choose.py.


@pytest.fixture
def tool(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Fake:
    """conda, where a test does not ask for both."""
    kind = getattr(request, "param", "conda")
    path, log = tmp_path / "tools" / kind, tmp_path / "log"
    path.parent.mkdir()
    fake = pathlib.Path(__file__).with_name("fake_conda.py")
    version = 'if [ "$*" = --version ]; then echo "%s"; exit; fi' % VERSIONS[kind]
    path.write_text('#!/bin/sh\n%s\nexec %s %s %s %s "$@"\n' % (version, sys.executable, fake, kind, log))
    path.chmod(0o755)
    return Fake(kind, path, log)


@pytest.fixture
def declared(declare: t.Any, tool: Fake) -> t.Callable[..., t.Any]:
    """conda_env with that tool."""

    def call(check_mode: bool = False, **params: t.Any) -> t.Any:
        return declare(check_mode, **{"engine": tool.kind, "executable": str(tool.path), **params})

    return call
