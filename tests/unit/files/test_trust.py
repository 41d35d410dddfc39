"""Real files; only the question "am I root" is faked, so that an ordinary user's run tests the same."""

from __future__ import annotations

import os
import subprocess
import types

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._files import trust
from ansible_collections.hpc.pytorch.plugins.module_utils._files.trust import (
    may_make,
    require_trusted,
    require_trusted_env,
    untrusted_because,
    untrusted_within,
)

NOBODY = 65534


def others(path):
    """Give *path* to another user than root."""
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY)
    return str(path)


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "python"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_systems_own_shell_is_trusted():
    assert untrusted_because("/bin/sh") is None


def test_a_file_of_somebody_else_is_not(script):
    assert "belongs to uid" in untrusted_because(others(script))


def test_a_folder_of_somebody_else_on_the_way_is_not(tmp_path):
    folder = tmp_path / "theirs"
    folder.mkdir()
    others(folder)
    (folder / "python").symlink_to("/bin/sh")
    assert "belongs to uid" in untrusted_because(str(folder / "python"))


def test_a_link_through_a_folder_of_somebody_else_is_not(tmp_path):
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "python").symlink_to("/bin/sh")
    others(folder)
    link = tmp_path / "python"
    link.symlink_to("theirs/../theirs/python")
    assert untrusted_because(str(link)) is not None


def status_of(mode: int, gid: int) -> os.stat_result:
    """The status of a folder of root's."""
    return os.stat_result((0o040000 | mode, 0, 0, 1, 0, gid, 0, 0, 0, 0))


# Accounts of EL have gid 0 and cannot log in.
ROOTS = [("root", 0, 0, "/bin/bash"), ("operator", 11, 0, "/sbin/nologin"), ("shutdown", 6, 0, "/sbin/shutdown")]
ADMIN = ("admin", 1000, 0, "/bin/bash")


@pytest.mark.parametrize(
    "mode, gid, members, accounts, may",
    [
        (0o755, 100, [], ROOTS, False),
        (0o2755, 100, [], ROOTS, False),
        (0o775, 100, [], ROOTS, True),
        (0o2775, 50, [], ROOTS, True),
        (0o777, 0, [], ROOTS, True),
        (0o757, 0, [], ROOTS, True),
        (0o775, 0, [], ROOTS, False),
        (0o2775, 0, ["root"], ROOTS, False),
        (0o2775, 0, ["admin"], ROOTS, True),
        (0o2775, 0, ["gone"], ROOTS, True),
        (0o2775, 0, [], [*ROOTS, ADMIN], True),
        (0o755, 0, ["admin"], [*ROOTS, ADMIN], False),
    ],
)
def test_the_group_of_root_counts_as_root_while_it_is_alone_in_it(monkeypatch, mode, gid, members, accounts, may):
    found = {row[0]: types.SimpleNamespace(pw_uid=row[1], pw_gid=row[2], pw_shell=row[3]) for row in [*accounts, ADMIN]}
    monkeypatch.setattr(trust.pwd, "getpwnam", found.__getitem__)
    monkeypatch.setattr(trust.pwd, "getpwall", lambda: [found[row[0]] for row in accounts])
    monkeypatch.setattr(trust.grp, "getgrgid", lambda number: types.SimpleNamespace(gr_mem=members))
    trust._group_is_only_root.cache_clear()
    assert trust.others_may_write(status_of(mode, gid)) is may
    trust._group_is_only_root.cache_clear()


@pytest.mark.parametrize(
    "reason, command",
    [
        ("/opt/my apps has mode 2775", "chmod go-w '/opt/my apps'"),
        ("/opt/a has mode 0777, which /opt/env/x.pth names", "chmod go-w /opt/a"),
        ("/scratch has mode 1777", None),
        ("/scratch has mode 3777", None),
        ("/home/alice belongs to uid 1000", None),
    ],
)
def test_the_remedy_closes_only_what_is_roots_and_not_for_all(reason, command):
    remedy = trust.cure(reason)
    assert ("chmod" in remedy) is (command is not None) and "become_user" in remedy and "chown" not in remedy
    assert command is None or remedy.endswith(command)


def test_the_remedy_makes_the_refusal_go_away(script, monkeypatch):
    script.chmod(0o777)
    reason = untrusted_because(str(script))
    if os.geteuid() != 0:
        assert "belongs to" in reason
        return
    subprocess.run(["/bin/sh", "-c", trust.cure(reason).rpartition(": ")[2]], check=True)
    assert untrusted_because(str(script)) is None


def test_a_file_that_a_group_can_write_is_not(script):
    script.chmod(0o775)
    if os.geteuid() == 0:
        os.chown(script, 0, NOBODY)
    assert untrusted_because(str(script)) is not None


def test_what_is_not_there_is_not(tmp_path):
    assert untrusted_because(str(tmp_path / "missing")) is not None


def test_root_is_told_to_become_the_owner(script, monkeypatch):
    others(script)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(UserError, match="become_user"):
        require_trusted(str(script), "engine")


def test_an_ordinary_user_may_run_anything(script, monkeypatch):
    others(script)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    require_trusted(str(script), "engine")


@pytest.fixture
def env(tmp_path, monkeypatch):
    """An environment of the current user, who is taken for root; and one file in it."""
    uid, lstat = os.geteuid(), os.lstat

    def as_if_roots(path, **keywords):
        status = list(lstat(path, **keywords))
        # st_uid and st_gid
        status[4] = 0 if status[4] == uid else status[4] or 4242
        status[5] = 0 if status[5] in (os.getegid(), 0) else status[5]
        return os.stat_result(status)

    monkeypatch.setattr(os, "lstat", as_if_roots)
    file = tmp_path / "env/lib/module.py"
    file.parent.mkdir(parents=True)
    file.write_text("")
    file.chmod(0o644)
    (tmp_path / "env/lib").chmod(0o755)
    return file


def test_an_env_counts_with_everything_in_it(env):
    prefix = str(env.parents[1])
    assert untrusted_within(prefix) is None
    env.chmod(0o664)
    assert untrusted_within(prefix) is None, "the group is root's own"
    env.chmod(0o646)
    assert untrusted_within(prefix) == "%s has mode 0646" % env
    env.chmod(0o644)
    env.parent.chmod(0o757)
    assert untrusted_within(prefix) == "%s has mode 0757" % env.parent


def test_a_lock_that_all_may_take_does_not_count(env):
    """As uv leaves one in a venv: it was there on a real GPU node, with torch and root's."""
    prefix = str(env.parents[1])
    lock = env.parents[1] / ".lock"
    lock.touch()
    lock.chmod(0o666)
    assert untrusted_within(prefix) is None
    lock.chmod(0o777)
    assert untrusted_within(prefix) == "%s has mode 0777" % lock
    lock.unlink()
    lock.mkdir()
    lock.chmod(0o777)
    assert untrusted_within(prefix) == "%s has mode 0777" % lock


def test_a_link_out_of_an_env_counts_with_where_it_leads(env, tmp_path):
    prefix = str(env.parents[1])
    (env.parent / "inside").symlink_to(env)
    (env.parent / "system").symlink_to("/bin/sh")
    (env.parent / "nowhere").symlink_to(tmp_path / "missing")
    assert untrusted_within(prefix) is None or os.geteuid() != 0
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    (env.parent / "open").symlink_to(open_to_all)
    assert untrusted_within(prefix) is not None


def test_a_path_file_counts_with_what_it_names(env, tmp_path):
    prefix = str(env.parents[1])
    path_file = env.with_name("more.pth")
    path_file.write_text("import os\n/usr/lib\n%s\n" % (tmp_path / "missing"))
    assert untrusted_within(prefix) is None or os.geteuid() != 0
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    path_file.write_text("%s\n" % (tmp_path / "open"))
    assert "which %s names" % path_file in untrusted_within(prefix)


def test_root_is_told_which_part_of_an_env_is_not_roots(env, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    env.chmod(0o646)
    with pytest.raises(UserError, match="become_user"):
        require_trusted_env(str(env.parents[1]), "the env")


def test_root_makes_something_new_in_a_sticky_folder_and_in_no_open_one(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert may_make("/tmp/hpc.pytorch-new")
    tmp_path.chmod(0o777)
    assert not may_make(str(tmp_path / "new"))
