# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""site_look as the user who runs the tests; with its roles in tests/site/look/."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._site.look import look_at
from ansible_collections.hpc.pytorch.plugins.modules.site_look import PART

DEFAULTS = {name: option.get("default") for name, option in PART.items()}
REQUIREMENTS = "tool==1.0\n"


def why(**steps: t.Any) -> str | None:
    """Why the part with these steps does not stand; None if it stands."""
    result = look_at([dict(DEFAULTS, name="part", **steps)])
    assert result["changed"] is False and result["stands"] == {"part": not result["reasons"]}
    reason: str | None = result["reasons"].get("part")
    return reason


@pytest.fixture
def tool(tmp_path: pathlib.Path) -> dict[str, t.Any]:
    """A task of host_files that has nothing to do."""
    path = tmp_path / "tool"
    path.write_text("content\n")
    path.chmod(0o644)
    return {"files": [{"path": str(path), "content": "content\n", "mode": "0644"}]}


def test_a_part_without_a_step_does_not_stand() -> None:
    assert why() == "no step to judge"


def test_a_file_stands_until_it_differs(tool: dict[str, t.Any], tmp_path: pathlib.Path) -> None:
    path = tmp_path / "tool"
    assert why(host_files=[tool]) is None
    differs = "host_files: %s differs" % path
    path.chmod(0o600)
    assert why(host_files=[tool]) == differs
    path.chmod(0o644)
    path.write_text("changed\n")
    assert why(host_files=[tool]) == differs
    path.unlink()
    assert why(host_files=[tool]) == differs
    assert not path.exists()


def test_users_are_checked_first(tool: dict[str, t.Any]) -> None:
    part = dict(DEFAULTS, name="part", host_files=[tool])
    assert look_at([part], ["nobody"])["stands"] == {"part": True}
    with pytest.raises(UserError, match="no user nobody-of-that-name"):
        look_at([part], ["nobody", "nobody-of-that-name"])
    with pytest.raises(UserError, match="hpc_users"):
        look_at([part], "nobody")


def test_a_digest_stands_for_the_content(tool: dict[str, t.Any], tmp_path: pathlib.Path) -> None:
    path = tmp_path / "tool"
    (file,) = tool["files"]
    del file["content"]
    file["sha256"] = hashlib.sha256(b"content\n").hexdigest()
    other = {"path": str(tmp_path / "other"), "content": "other"}
    (tmp_path / "other").write_text("other")
    assert why(host_files=[{"files": [other, file]}]) is None
    path.write_text("changed\n")
    assert why(host_files=[{"files": [other, file]}]) == "host_files: %s differs" % path
    path.write_text("")
    assert why(host_files=[tool]) == "host_files: %s differs" % path
    path.unlink()
    assert why(host_files=[tool]) == "host_files: %s differs" % path


def test_every_task_of_a_part_counts(tool: dict[str, t.Any], tmp_path: pathlib.Path) -> None:
    other = {"files": [{"path": str(tmp_path / "other"), "content": ""}]}
    assert why(host_files=[tool, other]) == "host_files: %s/other differs" % tmp_path
    assert why(host_files=[other, tool]) == "host_files: %s/other differs" % tmp_path


def test_a_task_may_count_only_where_something_is_missing(tmp_path: pathlib.Path) -> None:
    task = {"files": [{"path": str(tmp_path / "other"), "content": ""}], "unless_exists": str(tmp_path / "conda")}
    assert why(host_files=[task]) == "host_files: %s/other differs" % tmp_path
    # As Ansible's stat sees it, which role conda asks.
    (tmp_path / "conda").symlink_to("nowhere")
    assert why(host_files=[task]) is None


def test_an_error_is_left_to_the_role(tool: dict[str, t.Any], tmp_path: pathlib.Path) -> None:
    (tmp_path / "fifo").mkdir()
    refused = {"files": [{"path": str(tmp_path / "fifo"), "content": ""}]}
    assert "expected a file at" in (why(host_files=[refused]) or "")
    relative = {"files": [{"path": "tool", "content": ""}]}
    assert (why(host_files=[relative]) or "").startswith("host_files: expected path")
    misspelt = dict(tool, only_rot=[])
    assert "only_rot" in (why(host_files=[misspelt]) or "")
    without = {"files": [{"path": str(tmp_path / "tool")}]}
    assert "content" in (why(host_files=[without]) or "")
    assert why(conda_channel={"path": "relative"}) is not None
    assert why(cuda_toolkit={"version": "12.4"}) == "cuda_toolkit: missing required arguments: home"
    assert why(conda_env={"packages": []}) == "conda_env: one of the following is required: prefix, name"


def test_something_must_exist(tmp_path: pathlib.Path) -> None:
    paths = [str(tmp_path / "activate"), str(tmp_path / "conda")]
    (tmp_path / "activate").touch()
    assert why(existing=paths) == "existing: %s is not there" % paths[1]
    (tmp_path / "conda").touch()
    assert why(existing=paths) is None


def test_settings_are_those_of_a_file_that_can_be_trusted(tmp_path: pathlib.Path) -> None:
    path = tmp_path / ".condarc"
    wanted = {"path": str(path), "settings": ["channels:\n- conda-forge\n"]}
    assert why(settings=wanted) == "settings: %s is not there" % path
    path.write_bytes(b"channels:\n- conda-forge\nother: \xff\n")
    assert "utf-8" in (why(settings=wanted) or "")
    path.write_text("channels:\n- conda-forge\n")
    assert why(settings=wanted) is None
    path.write_text("channels:\n- defaults\n")
    assert why(settings=wanted) == "settings: %s has other settings" % path
    path.unlink()
    os.mkfifo(path)
    assert why(settings=wanted) is not None


@pytest.fixture
def engine(tmp_path: pathlib.Path) -> dict[str, t.Any]:
    """The options of a finished engine."""
    venv = tmp_path / ".engine/venv.abcd1234"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin/python").write_text("#!/bin/sh\n")
    (venv / "bin/python").chmod(0o755)
    (venv / "requirements.txt").write_text(REQUIREMENTS)
    (venv / ".hpc_pytorch.engine.json").write_text(json.dumps({"parts": []}))
    (venv / ".condarc").symlink_to(tmp_path / "conda/.condarc")
    (tmp_path / "engine").symlink_to(".engine/venv.abcd1234")
    return {
        "prefix": str(tmp_path / "engine"),
        "requirements": REQUIREMENTS,
        "python": None,
        "condarc": str(tmp_path / "conda/.condarc"),
    }


def test_an_engine_stands_until_its_requirements_or_its_python_change(
    engine: dict[str, t.Any], tmp_path: pathlib.Path
) -> None:
    differs = "conda_engine: is not there, or was made from other requirements"
    assert why(conda_engine=engine) is None
    assert why(conda_engine=dict(engine, requirements="tool==2.0\n")) == differs
    assert why(conda_engine=dict(engine, condarc=str(tmp_path / "other"))) == differs
    (tmp_path / "engine/bin/python").unlink()
    assert why(conda_engine=engine) == differs
    (tmp_path / "engine").unlink()
    assert why(conda_engine=engine) == differs
    (tmp_path / "engine").touch()
    assert "a file" in (why(conda_engine=engine) or "")


def test_an_env_or_a_channel_that_is_not_there_does_not_stand(tmp_path: pathlib.Path) -> None:
    env = {"prefix": str(tmp_path / "env"), "packages": ["tool"], "channels": ["conda-forge"]}
    assert why(conda_env=env) == "conda_env: differs from its record, or is to be solved again"
    channel = {"path": str(tmp_path / "channel"), "python": ["/usr/bin/python3"]}
    assert why(conda_channel=channel) == "conda_channel: differs from its record, or is to be resolved again"
    assert os.listdir(tmp_path) == []


def test_two_parts_have_two_names(tool: dict[str, t.Any]) -> None:
    parts = [dict(DEFAULTS, name="tools", host_files=[tool]), dict(DEFAULTS, name="rest")]
    assert look_at(parts)["stands"] == {"tools": True, "rest": False}
    with pytest.raises(UserError, match="tools twice"):
        look_at([parts[0], parts[0]])


def toolkit_of(tmp_path: pathlib.Path, *folders: str) -> str:
    home = tmp_path / "cuda"
    for folder in ("", *folders):
        (home / folder).mkdir(exist_ok=True)
    (home / "version.json").write_text(json.dumps({"cuda": {"version": "12.4.1"}}))
    return str(home)


def test_a_toolkit_is_returned_and_completes_the_files(tool: dict[str, t.Any], tmp_path: pathlib.Path) -> None:
    home = toolkit_of(tmp_path, "lib64")
    (tmp_path / "tool").write_text("12.4.1 in %s/lib64\n" % home)
    tool["files"][0]["content"] = "@CUDA_TOOLKIT_VERSION@ in @CUDA_TOOLKIT_LIB_DIR@\n"
    part = dict(DEFAULTS, name="part", cuda_toolkit={"home": home, "version": "12.4"}, host_files=[tool])
    result = look_at([part])
    assert result["stands"] == {"part": True}
    assert (result["toolkit"]["version"], result["toolkit"]["lib_dir"]) == ("12.4.1", home + "/lib64")
    (tmp_path / "tool").write_text("12.4.0\n")
    result = look_at([part])
    assert result["stands"] == {"part": False} and result["toolkit"] is None
    assert look_at([dict(part, host_files=[])])["stands"] == {"part": True}


@pytest.mark.parametrize(
    ("folders", "version", "reason"),
    [
        ([], None, "has no lib64 and no lib"),
        (["lib64"], "12.5", "expected CUDA 12.5 at"),
        (["lib64", "lib64/x"], "12", None),
    ],
)
def test_a_toolkit_that_does_not_fit(
    tool: dict[str, t.Any], tmp_path: pathlib.Path, folders: list[str], version: str | None, reason: str | None
) -> None:
    home = toolkit_of(tmp_path, *folders)
    tool["only_root"] = ["@CUDA_TOOLKIT_LIB_DIR@"]
    found = why(cuda_toolkit={"home": home, "version": version}, host_files=[tool])
    assert found is None if reason is None else reason in (found or "")


def test_a_toolkit_that_contradicts_itself_is_left_to_the_role(tmp_path: pathlib.Path) -> None:
    """Which warns of it."""
    home = toolkit_of(tmp_path, "bin")
    (tmp_path / "cuda/version.txt").write_text("CUDA Version 10.1.243\n")
    assert "10.1.243" in (why(cuda_toolkit={"home": home}) or "")
