"""conda_env's work on a real channel with the real engine."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import stat

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.rattler import engine as rattler_engine
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.rattler.engine import RattlerEngine
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env import prefix as env
from tiny_channel import PLACEHOLDER, index, make_package


def names(result):
    return {package["name"]: package["version"] for package in result["packages"]}


def actions(result):
    return {action["name"]: action["action"] for action in result["actions"]}


def tree(folder):
    return sorted((str(path), path.lstat().st_size, path.lstat().st_mtime_ns) for path in folder.rglob("*"))


def test_an_env_is_made_then_left_alone_without_an_engine(declare, prefix, monkeypatch):
    first = declare(packages=["app=1.*"])
    assert first["changed"] and names(first) == {"app": "1.0", "liba": "1.0"}
    assert (prefix / "bin/app").read_text() == "#!%s/bin/sh\n# app 1.0\n" % prefix
    monkeypatch.setattr(rattler_engine, "RattlerEngine", None)
    second = declare(packages=["app=1.*"])
    assert not second["changed"] and second["packages"] == first["packages"]


def test_nothing_but_the_env_lies_in_its_folder_afterwards(declare, prefix):
    declare(packages=["app"])
    assert os.listdir(prefix.parent) == ["torch"]


def test_what_conda_looks_for_is_there(declare, prefix, home):
    declare(packages=["app"])
    for record in (prefix / "conda-meta").glob("*.json"):
        assert stat.S_IMODE(record.stat().st_mode) & 0o044 == 0o044
    history = (prefix / "conda-meta/history").read_text()
    assert '# update specs: ["app"]' in history and "::app-2.0-0" in history
    assert (home / ".conda/environments.txt").read_text() == "%s\n" % prefix


def test_a_change_is_one_transaction_and_keeps_what_the_user_added(declare, prefix):
    declare(packages=["app=1.*"])
    declare(packages=["app=1.*", "extra"])
    result = declare(packages=["app=2.*"])
    assert actions(result) == {"app": "change", "liba": "change"}
    assert names(result) == {"app": "2.0", "liba": "2.0", "extra": "1.0", "extradep": "1.0"}
    pruned = declare(packages=["app=2.*"], prune=True)
    assert actions(pruned) == {"extra": "remove", "extradep": "remove"}


def test_present_keeps_what_satisfies_and_latest_does_not(declare, channel):
    declare(packages=["app=1.*"])
    assert not declare(packages=["app"])["changed"]
    assert actions(declare(packages=["app"], state="latest")) == {"app": "change", "liba": "change"}
    assert not declare(packages=["app"], state="latest")["changed"]


def test_check_mode_tells_the_same_and_writes_nothing(declare, home, prefix):
    before = tree(home)
    predicted = declare(check_mode=True, packages=["app"])
    assert [entry for entry in tree(home) if ".cache" not in entry[0]] == before
    done = declare(packages=["app"])
    assert predicted == done
    before = tree(prefix)
    assert declare(check_mode=True, packages=["app=1.*"])["changed"]
    assert not declare(check_mode=True, packages=["app"])["changed"]
    assert tree(prefix) == before


def test_check_mode_before_there_is_a_channel_names_what_was_asked(declare, tmp_path):
    result = declare(check_mode=True, packages=["app"], channels=["file://%s/later" % tmp_path])
    assert result["changed"] and not result["solved"]
    assert "app" in result["msg"] and "not there yet" in result["msg"] and result["diff"]["after"] == "app\n"


def test_check_mode_before_there_is_an_engine_names_what_was_asked(declare, tmp_path):
    executable = str(tmp_path / "later/bin/python")
    result = declare(check_mode=True, packages=["app"], executable=executable)
    assert result["changed"] and not result["solved"] and "no engine yet" in result["msg"]
    with pytest.raises(UserError, match="remedy: run role hpc.pytorch.conda"):
        declare(packages=["app"], executable=executable)


@pytest.mark.parametrize(
    "params, says",
    [
        ({"packages": ["app=="]}, "match spec"),
        ({"packages": ["nothere"]}, "nothere"),
        ({"packages": ["app=1.*", "liba=2.*"]}, "liba"),
        ({"packages": ["gpu"], "cuda": "none"}, "__cuda"),
        ({"packages": ["app"], "channels": ["http://127.0.0.1:9/nobody"]}, "127.0.0.1"),
        ({"packages": ["app"], "channels": ["file:///nonexistent/channel"]}, "nonexistent"),
        ({"packages": ["app"], "channels": []}, "channels"),
    ],
)
def test_bad_requests_say_why_in_one_line_and_leave_everything(declare, home, params, says):
    before = tree(home)
    with pytest.raises(UserError) as caught:
        declare(**params)
    message = str(caught.value)
    assert says in message and "\n" not in message and "remedy: " in message
    assert [entry for entry in tree(home) if ".cache" not in entry[0]] == before


def test_the_whole_reason_of_the_solver_is_returned(declare):
    with pytest.raises(UserError) as caught:
        declare(packages=["gpu"], cuda="none")
    assert "__cuda >=12" in caught.value.as_result()["solver"]


def test_cuda_stands_in_for_a_driver(declare):
    assert names(declare(packages=["gpu"], cuda="12.8")) == {"gpu": "1.0"}


def test_a_folder_that_is_no_env_is_left_alone(declare, prefix):
    prefix.mkdir(parents=True)
    (prefix / "thesis.tex").write_text("years")
    with pytest.raises(UserError, match="without conda-meta"):
        declare(packages=["app"])
    assert os.listdir(prefix) == ["thesis.tex"]


def test_an_empty_folder_becomes_the_env(declare, prefix):
    prefix.mkdir(parents=True)
    assert declare(packages=["app"])["changed"]
    assert (prefix / "bin/app").exists()


def test_a_symlink_is_not_followed(declare, prefix, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    prefix.parent.mkdir(parents=True)
    prefix.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="symlink"):
        declare(packages=["app"])
    assert not os.listdir(tmp_path / "elsewhere")


def test_a_swapped_archive_is_noticed_on_disk(declare, channel, home, prefix):
    make_package(channel, "app", "2.0", files={"bin/app": "evil\n"})
    with pytest.raises(UserError, match="sha256"):
        declare(packages=["app=2.*"])
    assert not prefix.parent.exists()


def test_a_failed_change_leaves_the_env_whole(declare, channel, prefix):
    declare(packages=["app=1.*"])
    before = tree(prefix)
    make_package(channel, "app", "2.0", files={"bin/app": "evil\n"})
    with pytest.raises(UserError, match="sha256"):
        declare(packages=["app=2.*"])
    assert tree(prefix) == before


class Interrupted(Exception):
    pass


def test_an_interrupted_creation_leaves_nothing(declare, prefix, monkeypatch):
    def interrupt(self, solution, target, prefix, reinstall):
        pathlib.Path(target, "half").write_text("")
        raise Interrupted

    monkeypatch.setattr(RattlerEngine, "install", interrupt)
    with pytest.raises(Interrupted):
        declare(packages=["app"])
    assert not prefix.parent.exists()


def test_an_interrupted_change_is_marked_and_mended(declare, prefix, monkeypatch):
    declare(packages=["app=1.*"])

    def interrupt(self, solution, target, prefix, reinstall):
        pathlib.Path(target, "bin/app").unlink()
        raise Interrupted

    with monkeypatch.context() as patched:
        patched.setattr(RattlerEngine, "install", interrupt)
        with pytest.raises(Interrupted):
            declare(packages=["app=2.*"])
    assert env.kind_of(str(prefix)) == "unfinished"
    # Asking for what it was before: the packages are all on record, but a file is gone.
    result = declare(packages=["app=1.*"])
    assert result["changed"] and actions(result) == {"app": "reinstall"}
    assert "app 1.0" in (prefix / "bin/app").read_text() and env.kind_of(str(prefix)) == "env"
    assert not declare(packages=["app=1.*"])["changed"]


def test_leftovers_of_a_killed_run_are_removed(declare, prefix):
    import socket

    prefix.parent.mkdir(parents=True)
    left = prefix.parent / (".torch.%s.999999999.partial" % socket.gethostname())
    left.mkdir()
    other = prefix.parent / ".torch.otherhost.1.partial"
    other.mkdir()
    declare(packages=["app"])
    assert not left.exists() and other.exists()


def test_verify_finds_and_mends_files(declare, prefix):
    declare(packages=["app"])
    (prefix / "bin/app").unlink()
    assert not declare(packages=["app"])["changed"]
    assert actions(declare(check_mode=True, packages=["app"], verify=True)) == {"app": "reinstall"}
    assert actions(declare(packages=["app"], verify=True)) == {"app": "reinstall"}
    assert (prefix / "bin/app").exists()
    assert not declare(packages=["app"], verify=True)["changed"]


def test_verify_notices_a_symlink_in_a_files_place(declare, prefix):
    declare(packages=["app"])
    (prefix / "share/liba.txt").unlink()
    (prefix / "share/liba.txt").symlink_to("/etc/hostname")
    assert actions(declare(packages=["app"], verify=True)) == {"liba": "reinstall"}
    assert not (prefix / "share/liba.txt").is_symlink()


def test_verify_mends_from_the_channel_when_the_cache_was_hit_through_a_hard_link(declare, prefix):
    declare(packages=["liba=1.*"])
    with open(prefix / "share/liba.txt", "r+") as stream:
        stream.write("XXXX")
    declare(packages=["liba=1.*"], verify=True)
    assert (prefix / "share/liba.txt").read_text() == "liba 1.0\n"


def test_a_package_removed_by_hand_comes_back(declare, prefix):
    declare(packages=["app"])
    (prefix / "conda-meta/liba-2.0-0.json").unlink()
    (prefix / "share/liba.txt").unlink()
    assert actions(declare(packages=["app"])) == {"liba": "install"}
    assert (prefix / "share/liba.txt").exists()


def test_a_lock_file_is_written_then_obeyed(declare, tmp_path, channel, home):
    lock = tmp_path / "locks" / "torch.lock"
    assert names(declare(packages=["app=1.*"], lock_file=str(lock)))["app"] == "1.0"
    assert not declare(packages=["app=1.*"], lock_file=str(lock))["changed"]
    result = declare(name="other", packages=["app"], lock_file=str(lock))
    assert names(result) == {"app": "1.0", "liba": "1.0"}
    with pytest.raises(UserError, match="lock file that satisfies app=2"):
        declare(name="third", packages=["app=2.*"], lock_file=str(lock))
    assert names(declare(packages=["app"], lock_file=str(lock), state="latest"))["app"] == "2.0"
    assert names(declare(name="other", packages=["app"], lock_file=str(lock)))["app"] == "2.0"


def test_a_lock_file_asked_for_later_is_written(declare, tmp_path):
    declare(packages=["app=1.*"])
    lock = tmp_path / "torch.lock"
    assert declare(check_mode=True, packages=["app=1.*"], lock_file=str(lock))["changed"] and not lock.exists()
    result = declare(packages=["app=1.*"], lock_file=str(lock))
    assert result["changed"] and result["actions"] == [] and lock.exists()
    assert not declare(packages=["app=1.*"], lock_file=str(lock))["changed"]


def test_a_failed_creation_writes_no_lock_file(declare, tmp_path, monkeypatch):
    def fail(self, solution, target, prefix, reinstall):
        raise UserError("a", "b", "c")

    monkeypatch.setattr(RattlerEngine, "install", fail)
    with pytest.raises(UserError):
        declare(packages=["app"], lock_file=str(tmp_path / "locks/torch.lock"))
    assert not (tmp_path / "locks").exists()


def test_a_broken_lock_file_is_named(declare, tmp_path):
    lock = tmp_path / "torch.lock"
    lock.write_text("nonsense: [")
    with pytest.raises(UserError, match="lock file"):
        declare(packages=["app"], lock_file=str(lock))


def test_channels_come_from_the_condarc(declare, home, channel):
    (home / ".condarc").write_text("channels: [file://%s]\n" % channel)
    assert declare(packages=["app=1.*"], channels=None)["changed"]
    assert not declare(packages=["app=1.*"], channels=None)["changed"]
    (home / ".condarc").write_text("channels: [")
    with pytest.raises(UserError, match="condarc"):
        declare(packages=["app=1.*"], channels=None)


def test_given_channels_depend_on_no_condarc_and_no_engine(declare, home, monkeypatch):
    assert declare(packages=["app"])["changed"]
    (home / ".condarc").write_text("channel_priority: disabled\n")
    assert not declare(packages=["app"], executable="/nonexistent/python")["changed"]


def test_absent_removes_an_env_and_nothing_else(declare, prefix, home):
    declare(packages=["app"])
    assert declare(check_mode=True, state="absent")["changed"] and prefix.exists()
    result = declare(state="absent")
    assert actions(result) == {"app": "remove", "liba": "remove"}
    assert os.listdir(prefix.parent) == [] and (home / ".conda/environments.txt").read_text() == ""
    assert not declare(state="absent")["changed"]


@pytest.mark.parametrize("what", ["other", "symlink", "home", "base", "our base", "root", "parent of home"])
def test_absent_refuses_what_is_no_env_of_its_own(declare, prefix, home, what):
    declare(packages=["app"])
    place = str(prefix)
    if what == "other":
        shutil.rmtree(prefix / "conda-meta")
    elif what == "symlink":
        place = str(home / "link")
        os.symlink(prefix, place)
    elif what == "home":
        shutil.copytree(prefix / "conda-meta", home / "conda-meta")
        place = str(home)
    elif what == "base":
        (prefix / "condabin").mkdir()
    elif what == "our base":
        (prefix / "etc/profile.d").mkdir(parents=True)
        (prefix / "etc/profile.d/conda.sh").write_text("")
    elif what == "root":
        place = "/"
    elif what == "parent of home":
        shutil.copytree(prefix / "conda-meta", home.parent / "conda-meta")
        place = str(home.parent)
    with pytest.raises(UserError, match="an env to remove"):
        declare(prefix=place, state="absent")
    assert prefix.exists()


def test_our_files_in_conda_meta_are_no_packages_to_conda(declare, prefix):
    declare(packages=["app"])
    for record in (prefix / "conda-meta").glob("*.json"):
        assert json.loads(record.read_text())["name"] in ("app", "liba")


def test_placeholders_name_the_final_prefix_only(declare, prefix):
    declare(packages=["app"])
    for path in prefix.rglob("*"):
        if path.is_file() and path.suffix != ".json":
            content = path.read_bytes()
            assert PLACEHOLDER.encode() not in content and b".partial" not in content


def test_a_home_behind_a_symlink_is_no_obstacle(declare, home, tmp_path):
    (tmp_path / "link").symlink_to(home)
    place = str(tmp_path / "link/envs/x")
    declare(prefix=place, packages=["app"])
    assert declare(prefix=place, state="absent")["changed"] and not (home / "envs/x").exists()


def test_an_env_that_cannot_be_registered_is_still_made(declare, home, prefix):
    (home / ".conda").mkdir()
    (home / ".conda/environments.txt").mkdir()
    result = declare(packages=["app"])
    assert prefix.exists() and "not listed" in result["warnings"][0]


def test_a_package_cache_that_cannot_be_written_to_gives_way_to_the_next(declare, home, channel):
    (home / "file").write_text("")
    (home / ".condarc").write_text("pkgs_dirs: [%s/file/pkgs, %s/pkgs]\n" % (home, home))
    declare(packages=["app"])
    assert (home / "pkgs/.rattler").is_dir()


def test_an_executable_without_rattler_is_named(declare, tmp_path, prefix):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'no module rattler' >&2\nexit 1\n")
    python.chmod(0o755)
    with pytest.raises(UserError, match="expected a Python with py-rattler.*no module rattler"):
        declare(packages=["app"], executable=str(python))
    assert not prefix.exists()


def test_credentials_reach_neither_result_nor_records(declare, channel, prefix, serve):
    address = serve(channel)
    secret = address.replace("http://", "http://user:pa55word@") + "/t/TOKEN123/"
    result = declare(packages=["app"], channels=[secret])
    text = json.dumps(result) + "".join(path.read_text() for path in (prefix / "conda-meta").iterdir())
    assert "pa55word" not in text and "TOKEN123" not in text and address in text


def test_two_channels_by_priority(declare, tmp_path, channel):
    second = tmp_path / "second"
    make_package(second, "app", "3.0")
    index(second)
    both = ["file://%s" % channel, "file://%s" % second]
    assert names(declare(packages=["app"], channels=both))["app"] == "2.0"
    assert names(declare(name="b", packages=["app"], channels=both, channel_priority="disabled"))["app"] == "3.0"
