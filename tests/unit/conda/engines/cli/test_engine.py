"""conda_env with the engines conda, mamba and micromamba: a stand-in for their command line, real packages and envs."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import socket
import stat
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.cli.engine import CliEngine
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.cli.process import ToolProcess
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env import prefix as env
from tiny_channel import index, make_package

both = pytest.mark.parametrize("tool", ["conda", "mamba"], indirect=True)


def names(result: t.Any) -> dict[str, str]:
    return {package["name"]: package["version"] for package in result["packages"]}


def actions(result: t.Any) -> dict[str, str]:
    return {action["name"]: action["action"] for action in result["actions"]}


def tree(folder: pathlib.Path) -> list[tuple[str, int, int]]:
    return sorted((str(path), path.lstat().st_size, path.lstat().st_mtime_ns) for path in folder.rglob("*"))


@both
def test_an_env_is_made_from_what_was_solved_once_then_left_alone(declared, prefix, tool, home):
    result = declared(packages=["app=1.*"])
    assert result["changed"] and result["engine"] == tool.kind and names(result) == {"app": "1.0", "liba": "1.0"}
    assert (prefix / "bin/app").read_text() == "#!%s/bin/sh\n# app 1.0\n" % prefix
    assert tool.commands() == ["solve", "install"]
    assert env.kind_of(str(prefix)) == "env" and stat.S_IMODE(prefix.stat().st_mode) == 0o755
    assert os.listdir(prefix.parent) == ["torch"]
    assert (home / ".conda/environments.txt").read_text() == "%s\n" % prefix
    again = declared(packages=["app=1.*"])
    assert not again["changed"] and again["packages"] == result["packages"] and len(tool.calls()) == 2


def test_history_holds_what_was_asked_for_and_no_address_as_a_spec(declared, prefix):
    declared(packages=["app=1.*"])
    declared(packages=["app=2.*"])
    history = (prefix / "conda-meta/history").read_text()
    specs = [line for line in history.splitlines() if "specs" in line]
    assert specs == ['# update specs: ["app=1.*"]', '# update specs: ["app=2.*"]'] and "-file" in history


@both
def test_records_say_what_the_channel_says(declared, prefix):
    declared(packages=["app=1.*"])
    record = json.loads((prefix / "conda-meta/app-1.0-0.json").read_text())
    assert record["depends"] == ["liba >=1,<2"] and record["sha256"]


@both
def test_a_change_keeps_what_the_user_added_and_prune_does_not(declared, prefix):
    declared(packages=["app=1.*"])
    declared(packages=["app=1.*", "extra"])
    changed = declared(packages=["app=2.*"])
    assert actions(changed) == {"app": "change", "liba": "change"}
    assert names(changed) == {"app": "2.0", "liba": "2.0", "extra": "1.0", "extradep": "1.0"}
    assert "app 2.0" in (prefix / "bin/app").read_text() and (prefix / "share/extra.txt").exists()
    assert actions(declared(packages=["app=2.*"], prune=True)) == {"extra": "remove", "extradep": "remove"}
    assert not (prefix / "share/extra.txt").exists()


def test_what_a_user_added_is_no_condition_where_it_is_pruned(declared, channel, tool):
    make_package(channel, "old", depends=["liba <2"])
    index(channel)
    declared(packages=["app=1.*", "old"])
    predicted = declared(check_mode=True, packages=["app=2.*"], prune=True)
    assert tool.calls()[-1]["records"] == ["app-1.0-0.json", "liba-1.0-0.json"]
    assert actions(predicted) == {"app": "change", "liba": "change", "old": "remove"}


def test_what_a_change_makes_needless_is_pruned(declared, channel):
    make_package(channel, "app", "3.0", files={"bin/app": "alone\n"})
    index(channel)
    declared(packages=["app=1.*"])
    assert actions(declared(packages=["app=3.*"], prune=True)) == {"app": "change", "liba": "remove"}


@both
def test_present_keeps_what_satisfies_and_latest_does_not(declared):
    declared(packages=["app=1.*"])
    assert not declared(packages=["app"])["changed"]
    assert not declared(packages=["app"], prune=True)["changed"]
    assert actions(declared(packages=["app"], state="latest")) == {"app": "change", "liba": "change"}
    assert not declared(packages=["app"], state="latest")["changed"]
    assert not declared(packages=["app"], state="latest", prune=True)["changed"]


def test_check_mode_tells_the_same_and_writes_nothing(declared, home, prefix):
    predicted = declared(check_mode=True, packages=["app"])
    assert not prefix.parent.exists()
    assert predicted == declared(packages=["app"])
    before = tree(prefix)
    assert declared(check_mode=True, packages=["app=1.*"])["changed"]
    assert not declared(check_mode=True, packages=["app"])["changed"]
    assert tree(prefix) == before


@both
def test_downloads_come_before_the_first_change(declared, tool, prefix):
    declared(packages=["app=1.*"])
    declared(packages=["app=2.*"])
    assert tool.commands()[2:] == ["solve", "fetch", "remove", "install"]
    # What the package cache holds already is not fetched again.
    declared(packages=["app=1.*"])
    assert [command for command in tool.commands()[6:] if command != "info"] == ["solve", "remove", "install"]
    assert "app 1.0" in (prefix / "bin/app").read_text()


@both
def test_a_failed_download_leaves_the_env_whole(declared, channel, prefix):
    declared(packages=["app=1.*"])
    before = tree(prefix)
    make_package(channel, "app", "2.0", files={"bin/app": "another size and hash than the index says\n"})
    with pytest.raises(UserError, match="mismatch"):
        declared(packages=["app=2.*"])
    assert tree(prefix) == before and os.listdir(prefix.parent) == ["torch"]


def test_a_failed_creation_leaves_nothing(declared, prefix, monkeypatch):
    def fail(self, solution, target, prefix, reinstall):
        assert env.kind_of(target) == "unfinished"
        pathlib.Path(target, "half").write_text("")
        raise UserError("a", "b", "c")

    monkeypatch.setattr(CliEngine, "install", fail)
    with pytest.raises(UserError):
        declared(packages=["app"])
    assert not prefix.parent.exists()


def test_a_killed_creation_stands_marked_and_is_mended(declared, prefix, monkeypatch, tmp_path):
    def half(self, solution, target, prefix, reinstall):
        pathlib.Path(target, "bin").mkdir()
        pathlib.Path(target, "bin/app").write_text("half")
        shutil.copytree(target, tmp_path / "as killed here")
        raise UserError("a", "b", "c")

    with monkeypatch.context() as patched:
        patched.setattr(CliEngine, "install", half)
        with pytest.raises(UserError):
            declared(packages=["app"])
    shutil.copytree(tmp_path / "as killed here", prefix)
    assert env.kind_of(str(prefix)) == "unfinished"
    scratch = prefix.parent / (".torch.%s.999999999.partial" % socket.gethostname())
    scratch.mkdir()
    assert declared(packages=["app"])["changed"]
    assert "app 2.0" in (prefix / "bin/app").read_text() and env.kind_of(str(prefix)) == "env"
    assert os.listdir(prefix.parent) == ["torch"] and not declared(packages=["app"])["changed"]


def test_the_command_holds_the_lock_on_the_env_lest_it_outlives_a_killed_run(declared, tool, home):
    declared(check_mode=True, packages=["app"])
    declared(packages=["app"])
    (path,) = (home / ".cache/hpc.pytorch/locks").iterdir()
    assert [str(path) in call["opened"] for call in tool.calls()] == [False, True, True]


def test_verify_mends_from_the_channel_when_the_cache_was_hit_through_a_hard_link(declared, prefix, tool):
    declared(packages=["liba=1.*"])
    with open(prefix / "share/liba.txt", "r+") as stream:
        stream.write("XXXX")
    assert actions(declared(packages=["liba=1.*"], verify=True)) == {"liba": "reinstall"}
    assert (prefix / "share/liba.txt").read_text() == "liba 1.0\n"
    cache = pathlib.Path(tool.calls()[-1]["variables"]["CONDA_PKGS_DIRS"])
    assert cache.is_relative_to(prefix.parent) and not cache.exists()
    assert not declared(packages=["liba=1.*"], verify=True)["changed"]


def test_a_new_python_lays_down_again_what_has_no_platform(declared, channel, prefix, tool):
    for version in ("3.11.1", "3.12.1"):
        make_package(channel, "python", version, files={"bin/python%s" % version[:4]: "x\n"})
    site_packages = {"site-packages/module.py": "x = 1\n"}
    make_package(channel, "module", "1.0", depends=["python"], subdir="noarch", noarch="python", files=site_packages)
    index(channel)
    declared(packages=["module", "python=3.11.*"])
    assert (prefix / "lib/python3.11/site-packages/module.py").exists()
    assert actions(declared(packages=["module", "python=3.12.*"])) == {"python": "change"}
    assert (prefix / "lib/python3.12/site-packages/module.py").exists()
    assert not (prefix / "lib/python3.11/site-packages/module.py").exists()
    explicit = [call["argv"] for call in tool.calls() if call["argv"][0] == "remove"]
    assert explicit[-1][-2:] == ["module", "python"]


def test_an_env_of_one_engine_is_changed_by_another_and_back(declared, declare, prefix):
    declare(packages=["app=1.*"])
    (prefix / "conda-meta/history").unlink()
    assert declared(check_mode=True, packages=["app=1.*"])["engine"] == "rattler"
    assert not declared(packages=["app"])["changed"]
    assert actions(declared(packages=["app=2.*"])) == {"app": "change", "liba": "change"}
    assert not declare(packages=["app=2.*"])["changed"]
    assert actions(declare(packages=["app=1.*"])) == {"app": "change", "liba": "change"}
    assert actions(declared(packages=["app=1.*", "extra"])) == {"extra": "install", "extradep": "install"}
    assert (prefix / "conda-meta/history").exists()


def test_cuda_priority_and_cache_reach_the_tool_and_foreign_settings_do_not(declared, tool, tmp_path, monkeypatch):
    for name, value in {
        "CONDA_PREFIX": "/x",
        "CONDA_CHANNELS": "x",
        "CONDA_SSL_VERIFY": "/ca.pem",
        "PYTHONPATH": "/x",
    }.items():
        monkeypatch.setenv(name, value)
    declared(packages=["gpu"], cuda="12.8", package_cache=str(tmp_path / "cache"), channel_priority="flexible")
    solve = tool.calls()[0]
    assert (
        solve["variables"]["CONDA_OVERRIDE_CUDA"] == "12.8"
        and solve["variables"]["CONDA_CHANNEL_PRIORITY"] == "flexible"
    )
    assert solve["variables"]["CONDA_SSL_VERIFY"] == "/ca.pem" and solve["variables"]["LC_ALL"] == "C.UTF-8"
    assert not {"CONDA_PREFIX", "CONDA_CHANNELS", "PYTHONPATH"} & set(solve["variables"])
    assert all(call["variables"]["CONDA_PKGS_DIRS"] == str(tmp_path / "cache") for call in tool.calls())


@both
def test_the_whole_reason_of_the_solver_is_returned(declared, prefix):
    with pytest.raises(UserError) as caught:
        declared(packages=["gpu"], cuda="none")
    assert "__cuda >=12" in caught.value.as_result()["solver"] and "\n" not in str(caught.value)
    assert not prefix.parent.exists()


@both
def test_credentials_are_on_no_command_line_and_in_nothing_that_stays(declared, tool, channel, home, serve, tmp_path):
    folder = tmp_path / "served/mirror"
    folder.parent.mkdir()
    folder.symlink_to(channel)
    address = serve(folder.parent) + "/mirror"
    secret = address.replace("http://", "http://user:pa55word@").replace("/mirror", "/t/TOKEN123/mirror")
    result = declared(packages=["app"], channels=[secret])
    shown = json.dumps(result) + json.dumps([call["argv"] for call in tool.calls()])
    stays = b"".join(path.read_bytes() for path in (home / ".conda").rglob("*") if path.is_file())
    for text in ("pa55word", "TOKEN123"):
        assert text not in shown and text.encode() not in stays
    assert address.encode() in stays
    # Back to the older one, which the cache does not hold: the credentials are needed again.
    assert declared(packages=["app=1.*"], channels=[secret])["changed"]
    with pytest.raises(UserError, match="everybody on the node"):
        declared(packages=[secret + "/linux-64/app-2.0-0.tar.bz2"], channels=[secret])


@both
def test_a_lock_file_is_written_then_obeyed(declared, tmp_path):
    lock = tmp_path / "locks" / "torch.txt"
    assert names(declared(packages=["app=1.*"], lock_file=str(lock)))["app"] == "1.0"
    assert "@EXPLICIT\n" in lock.read_text() and "/app-1.0-0.tar.bz2#" in lock.read_text()
    assert not declared(packages=["app=1.*"], lock_file=str(lock))["changed"]
    assert names(declared(name="other", packages=["app"], lock_file=str(lock))) == {"app": "1.0", "liba": "1.0"}
    with pytest.raises(UserError, match="lock file that satisfies app=2"):
        declared(name="third", packages=["app=2.*"], lock_file=str(lock))
    assert names(declared(packages=["app"], lock_file=str(lock), state="latest"))["app"] == "2.0"


def test_a_lock_file_of_rattler_is_named(declared, declare, tmp_path):
    lock = tmp_path / "torch.lock"
    declare(packages=["app"], lock_file=str(lock))
    with pytest.raises(UserError, match="a lock file of rattler; remedy: use engine rattler"):
        declared(name="other", packages=["app"], lock_file=str(lock))


def test_a_pin_of_the_env_holds(declared, prefix, tool):
    declared(packages=["app=1.*"])
    (prefix / "conda-meta/pinned").write_text("liba 1.*\n")
    seen = []

    def look(self, command, *arguments, **more):
        shadow = pathlib.Path(command[command.index("--prefix") + 1])
        seen.append((shadow / "conda-meta/pinned").read_text())
        raise UserError("a", "b", "c")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ToolProcess, "run", look)
        with pytest.raises(UserError):
            declared(packages=["app"], state="latest")
    assert seen == ["liba 1.*\n"]
