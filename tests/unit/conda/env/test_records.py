"""Records of packages that no tool wrote: each is one problem with a name, and nothing is waited for or raised."""

from __future__ import annotations

import json
import os
import pathlib

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env.describe import Options, describe_env
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env.modes import read_modes
from ansible_collections.hpc.pytorch.plugins.module_utils._files.files import (
    open_regular,
    read_regular,
    require_regular,
)

MALFORMED = [
    "",
    "\0",
    "[]",
    "5",
    "null",
    '"text"',
    "{",
    '{"paths_data": 5}',
    '{"paths_data": ["a"]}',
    '{"paths_data": {"paths": 5}}',
    '{"paths_data": {"paths": {"a": 1}}}',
    '{"paths_data": {"paths": ["a"]}}',
    '{"paths_data": {"paths": [{}]}}',
    '{"paths_data": {"paths": [{"_path": 5}]}}',
    '{"paths_data": {"paths": [{"_path": null}]}}',
    '{"paths_data": {"paths": [{"_path": "a\\u0000b"}]}}',
    "[" * 100_000,
    '{"a":' * 100_000,
    '{"name": ' + "9" * 5000 + "}",
    "\udce9",
]
SOUND = [
    "{}",
    '{"paths_data": []}',
    '{"paths_data": null}',
    '{"paths_data": {"paths": null}}',
    '{"name": "app", "files": null}',
]


@pytest.fixture
def env(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "env/conda-meta").mkdir(parents=True)
    return tmp_path / "env"


def info(env: pathlib.Path) -> dict:
    return describe_env(Options(prefix=str(env), name=None, envs_dir="", verify=True))


@pytest.mark.parametrize("text", MALFORMED, ids=lambda text: repr(text[:40]))
def test_a_malformed_record_is_a_problem(env, text):
    (env / "conda-meta/app-1.0-0.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    result = info(env)
    assert len(result["problems"]) == 1 and "app-1.0-0.json" in result["problems"][0]
    assert "\n" not in result["problems"][0]


@pytest.mark.parametrize("text", SOUND)
def test_a_record_with_little_in_it_is_none(env, text):
    (env / "conda-meta/app-1.0-0.json").write_text(text)
    result = info(env)
    assert result["problems"] == [] and len(result["packages"]) == 1 and result["damaged"] == []


@pytest.mark.parametrize("text", MALFORMED, ids=lambda text: repr(text[:40]))
def test_our_own_records_are_not_believed_in_another_form(env, text):
    for name in ("hpc_pytorch.modes", "hpc_pytorch.record"):
        (env / "conda-meta" / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    assert info(env)["engine"] is None and read_modes(str(env)) == {}


@pytest.mark.parametrize("engine", [5, None, ["rattler"], {"a": 1}, "x" * 21, "rat\x1b[2J", "rat\nconda", ""])
def test_an_engine_of_another_form_is_not_shown(env, engine):
    (env / "conda-meta/hpc_pytorch.record").write_text(json.dumps({"engine": engine}))
    assert info(env)["engine"] is None


def test_a_record_may_be_a_symlink_within_the_env_of_an_ordinary_user(env, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    (env / "records").mkdir()
    (env / "records/app.json").write_text('{"name": "app"}')
    (env / "conda-meta/app-1.0-0.json").symlink_to("../records/app.json")
    assert [package["name"] for package in info(env)["packages"]] == ["app"]
    (env.parent / "outside.json").write_text('{"name": "secret"}')
    (env / "conda-meta/secret-1.0-0.json").symlink_to("../../outside.json")
    assert len(info(env)["problems"]) == 1


def test_a_regular_file_is_read_up_to_its_limit(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert read_regular(str(path), longest=5) == b"12345"
    with pytest.raises(OSError, match="longer than 4 bytes"):
        read_regular(str(path), longest=4)
    link = tmp_path / "link"
    link.symlink_to(path)
    assert read_regular(str(link)) == b"12345"
    with pytest.raises(OSError, match="symlink"):
        open_regular(str(link), follow=False)


def test_what_a_program_would_wait_for_is_refused_before(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "null").symlink_to(os.devnull)
    (tmp_path / "file").touch()
    require_regular([str(tmp_path / "none"), str(tmp_path / "null"), str(tmp_path / "file"), os.devnull], "pip")
    for path in (tmp_path / "fifo", tmp_path, pathlib.Path("/dev/zero")):
        with pytest.raises(UserError, match="as pip reads it"):
            require_regular([str(path)], "pip")
