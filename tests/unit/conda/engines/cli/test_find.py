"""Where conda, mamba and micromamba are found, and what root does not execute."""

from __future__ import annotations

import os
import pathlib

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines import condarc
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.cli import find


def make_tool(folder: pathlib.Path, name: str, says: str) -> pathlib.Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\necho '%s'\n" % says)
    path.chmod(0o755)
    return path


def test_a_tool_is_searched_in_the_root_on_path_then_in_the_usual_places(home, tmp_path, monkeypatch):
    monkeypatch.setattr(find, "PLACES", ("~/miniforge3/bin",))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    assert find.find_tool("conda", None) is None
    places = [home / "miniforge3/bin", tmp_path / "path", tmp_path / "root/bin"]
    monkeypatch.setenv("CONDA_ROOT", str(tmp_path / "root"))
    for place in places:
        tool = make_tool(place, "conda", "conda 26.7.1")
        assert find.find_tool("conda", None) == str(tool)
    assert find.find_tool("conda", "/nonexistent/conda") is None


def test_the_error_names_the_searched_places(declare, tmp_path, monkeypatch):
    monkeypatch.setattr(find, "PLACES", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    result = declare(check_mode=True, packages=["app"], engine="mamba")
    assert (
        result["changed"] and not result["solved"] and result["engine"] == "mamba" and "no engine yet" in result["msg"]
    )
    with pytest.raises(
        UserError, match=r"expected mamba at \$CONDA_ROOT/bin, PATH.*; found none there; remedy: give its path"
    ):
        declare(packages=["app"], engine="mamba")


@pytest.mark.parametrize(
    "kind, says, problem",
    [
        ("conda", "conda 24.5.0", "expected conda 24.9 or newer; found 24.5.0"),
        ("mamba", "mamba 1.5.8", "expected mamba 2.0 or newer"),
        ("conda", "2.8.1", "expected conda at .*; found 2.8.1"),
        ("mamba", "conda 26.7.1", "correct engine"),
        ("micromamba", "hello", "found hello"),
    ],
)
def test_another_tool_or_an_old_one_is_refused(tmp_path, kind, says, problem):
    tool = make_tool(tmp_path, kind, says)
    with pytest.raises(UserError, match=problem):
        find.probe_tool(kind, str(tool))


def test_a_tool_that_does_not_run_is_named(tmp_path):
    tool = tmp_path / "conda"
    tool.write_text("#!/nonexistent/python\n")
    tool.chmod(0o755)
    with pytest.raises(UserError, match="expected conda at .*conda; found No such file"):
        find.probe_tool("conda", str(tool))


@pytest.mark.parametrize("whose", ["conda", "python"])
def test_root_executes_neither_what_others_write_nor_its_interpreter(tmp_path, monkeypatch, whose):
    tool = make_tool(tmp_path, "conda", "conda 26.7.1")
    make_tool(tmp_path, "python", "")
    checked = []

    def untrusted(path, what):
        checked.append(os.path.basename(path))
        if os.path.basename(path) == whose:
            raise UserError("a", "b", "c")

    monkeypatch.setattr(find, "require_trusted", untrusted)
    with pytest.raises(UserError):
        find.find_tool("conda", str(tool))
    assert checked[0] == "conda" and checked[-1] == whose


def test_channels_of_a_condarc_need_a_yaml_reader_and_given_ones_do_not(declare, home, channel, tmp_path, monkeypatch):
    tool = make_tool(tmp_path, "conda", "conda 26.7.1")
    (home / ".condarc").write_text("channels: [file://%s]\n" % channel)
    monkeypatch.setattr(find.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(condarc, "probe_interpreters_for_module", lambda paths, name: None)
    with pytest.raises(UserError, match="no PyYAML for .*; remedy: set channels"):
        declare(packages=["app"], channels=None, engine="conda", executable=str(tool))
