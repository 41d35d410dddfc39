"""What is decided before the engine is needed: options, an unchanged channel, check mode without an engine."""

from __future__ import annotations

import os
import pathlib
import shutil
import types

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._channel.declare import Options, channel_stands, declare
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError

from .conftest import DEFAULTS

NO_ENGINE = "/nonexistent/python"


def options(path: pathlib.Path, **given: object) -> Options:
    own = {"update": False, "executable": NO_ENGINE, "progress_file": None}
    return Options.of({**DEFAULTS, **own, "path": str(path), **given})


def test_variables_in_upstream_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    monkeypatch.setenv("CHANNEL_TOKEN", "abc")
    made = options(tmp_path, packages=["zlib"], upstream=["https://h/t/${CHANNEL_TOKEN}/c"])
    assert made.request.upstream == ("https://h/t/abc/c",)
    other = options(tmp_path, packages=["zlib"], upstream=["https://h/t/def/c"])
    assert made.request.key() == other.request.key()


def test_check_mode_without_an_engine_shows_the_request(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "channel"
    result = declare(options(path, packages=["zlib"], upstream=["https://h/c"]), check_mode=True)
    assert (result["changed"], result["resolved"], result["packages"]) == (True, False, [])
    assert result["actions"] == [{"action": "request", "name": "package zlib"}]
    assert result["diff"]["before"] == "" and "zlib (not resolved)" in result["diff"]["after"]
    assert not os.path.lexists(path)


def test_without_check_mode_a_missing_engine_is_an_error(tmp_path: pathlib.Path) -> None:
    with pytest.raises(UserError, match=NO_ENGINE):
        declare(options(tmp_path / "channel", packages=["zlib"], upstream=["https://h/c"]), check_mode=False)
    assert not os.path.lexists(tmp_path / "channel")


def test_an_unchanged_channel_needs_no_engine(published: types.SimpleNamespace) -> None:
    result = declare(options(published.path, **published.options), check_mode=False)
    assert (result["changed"], result["actions"], result["resolved"]) == (False, [], True)
    assert result["url"] == pathlib.Path(published.path).as_uri() and result["packages"]
    with pytest.raises(UserError, match=NO_ENGINE):
        declare(options(published.path, **published.options, update=True), check_mode=False)


def test_a_channel_stands_until_its_request_its_files_or_their_times_change(
    published: types.SimpleNamespace, tmp_path: pathlib.Path
) -> None:
    assert channel_stands(options(published.path, **published.options))
    assert not channel_stands(options(published.path, **published.options, update=True))
    assert not channel_stands(options(published.path, **dict(published.options, wheels=["beta"])))
    assert not channel_stands(options(tmp_path / "nothing", **published.options))
    # Same content and times; only the file system knows that these are other files.
    shutil.copytree(published.path, tmp_path / "copy")
    assert not channel_stands(options(tmp_path / "copy", **published.options))
