"""The engine's venvs: made, found, switched, taken over; interrupted, twice at once; and what is refused."""

from __future__ import annotations

import errno
import os
import signal
import socket
import stat

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engine_venv import store as store_module
from ansible_collections.hpc.pytorch.plugins.module_utils._files.progress import Progress

NEXT = "# What the engine's venv holds\ntool==2.0\n"


def contents(folder):
    return sorted((str(path), path.lstat().st_mode, path.lstat().st_mtime_ns) for path in folder.rglob("*"))


def test_an_engine_is_made_once_and_every_user_can_read_it(site):
    old = os.umask(0o077)
    try:
        checked = site(check_mode=True)
        assert checked["changed"] and checked["venv"] is None and not (site.root / "opt").exists()
        made = site(condarc="/opt/conda/.condarc")
    finally:
        os.umask(old)
    assert made["actions"] == checked["actions"] == ["make", "install", "switch"]
    assert os.readlink(site.prefix) == ".engine/" + os.path.basename(made["venv"])
    assert made["executable"] == str(site.prefix / "bin/python") and os.access(made["executable"], os.X_OK)
    assert (site.prefix / "requirements.txt").read_text() == made["diff"]["after"]
    assert os.readlink(site.prefix / ".condarc") == "/opt/conda/.condarc"
    for path in (site.prefix.parent, site.store, site.prefix, site.prefix / "bin", site.prefix / "bin/python"):
        assert path.stat().st_mode & 0o055 == 0o055, path
    for name in ("requirements.txt", ".hpc_pytorch.engine.json"):
        assert stat.S_IMODE((site.prefix / name).stat().st_mode) == 0o644

    before = contents(site.root)
    again = site(condarc="/opt/conda/.condarc")
    assert not again["changed"] and again["venv"] == made["venv"] and contents(site.root) == before
    assert site.pip_calls == 1 and site.venvs() == [os.path.basename(made["venv"])]


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_a_place_that_cannot_be_written_is_said_in_one_line(site, monkeypatch, code):
    def refuse(path, mode=0o777):
        raise OSError(code, os.strerror(code), path)

    monkeypatch.setattr(store_module.os, "mkdir", refuse)
    with pytest.raises(UserError) as caught:
        site()
    assert str(caught.value).startswith("expected a folder for the engine that this user may make, %s" % site.root)
    assert os.strerror(code) in caught.value.found and "local_root" in caught.value.remedy


def test_other_users_cannot_enter_it_before_it_is_finished(site):
    site.pip_does("stat -c %%a '%s'/venv.* > '%s'/mode" % (site.store, site.root))
    site()
    assert (site.root / "mode").read_text() == "700\n"


def test_new_requirements_make_a_new_one_and_the_previous_stays(site):
    first = site()["venv"]
    second = site(requirements=NEXT)
    assert second["previous_venv"] == first and os.path.exists(first + "/bin/python")
    assert second["diff"]["before"] != second["diff"]["after"]
    third = site(requirements=NEXT + "more\n")["venv"]
    assert site.venvs() == sorted(map(os.path.basename, (second["venv"], third)))
    # To go back, nothing is installed.
    back = site(requirements=NEXT)
    assert back["actions"] == ["switch"] and back["venv"] == second["venv"] and site.pip_calls == 3
    assert os.path.realpath(site.prefix) == second["venv"]


def test_another_condarc_is_one_rename(site):
    site(condarc="/opt/a/.condarc")
    assert site(check_mode=True, condarc="/opt/b/.condarc")["actions"] == ["condarc"]
    assert site(condarc="/opt/b/.condarc")["actions"] == ["condarc"]
    assert os.readlink(site.prefix / ".condarc") == "/opt/b/.condarc" and not site(condarc="/opt/b/.condarc")["changed"]


def test_a_link_to_a_condarc_that_a_killed_run_left_is_removed(site):
    site(condarc="/opt/a/.condarc")
    killed, running = (".condarc.%s.%d" % (socket.gethostname(), number) for number in (999999999, os.getppid()))
    for name in (killed, running):
        os.symlink("/opt/c/.condarc", site.prefix / name)
    site(condarc="/opt/b/.condarc")
    left = [name for name in os.listdir(site.prefix) if name.startswith(".condarc")]
    assert sorted(left) == sorted([".condarc", running])
    # Not named, it stays.
    assert not site()["changed"]


def test_an_engine_whose_python_is_gone_is_made_again(site):
    first = site()["venv"]
    os.unlink(first + "/bin/python")
    os.symlink("/nonexistent/python3", first + "/bin/python")
    assert site()["venv"] != first and site.pip_calls == 2


def test_an_engine_whose_python_is_another_release_now_is_made_again(site):
    """As after an update of the system: the new release does not look where py-rattler is."""
    requirements = "py-rattler==0.28.0\n"
    for release in ("3.11", "3.12"):
        python = site.root / "usr/bin" / ("python" + release)
        python.parent.mkdir(parents=True, exist_ok=True)
        python.write_bytes(site.python.read_bytes())
        python.chmod(0o755)
    first = site(requirements=requirements)["venv"]
    folder = site.prefix / "lib/python3.11/site-packages/rattler"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    os.unlink(first + "/bin/python")
    os.symlink(site.root / "usr/bin/python3.11", first + "/bin/python")
    assert not site(requirements=requirements)["changed"]
    os.unlink(first + "/bin/python")
    os.symlink(site.root / "usr/bin/python3.12", first + "/bin/python")
    assert site(requirements=requirements)["venv"] != first and site.pip_calls == 2


@pytest.mark.parametrize("which", ["the symlink", "the store", "both"])
def test_an_engine_that_was_removed_by_hand_is_made_again(site, which):
    site()
    if which != "the store":
        site.prefix.unlink()
    if which != "the symlink":
        site.store.rename(site.root / "away")
    made = site()
    assert made["changed"] and os.access(made["executable"], os.X_OK)
    assert made["actions"] == (["switch"] if which == "the symlink" else ["make", "install", "switch"])


# --- what was there before this module ---------------------------------------------------------------------------


def test_an_older_engine_is_used_as_it_is(site):
    site.older()
    before = contents(site.root)
    assert not site(check_mode=True)["changed"] and not site()["changed"] and contents(site.root) == before


@pytest.mark.parametrize("exchange", [True, False])
def test_an_older_engine_is_taken_over_when_its_requirements_change(site, monkeypatch, exchange):
    if not exchange:
        monkeypatch.setattr(store_module, "_exchange", lambda first, second: False)
    site.older("# What the engine's venv holds (one per site)\ntool==0.1\n")
    taken = site()
    assert taken["previous_venv"] == str(site.prefix) and site.prefix.is_symlink()
    (older,) = [name for name in site.venvs() if name.startswith("older.")]
    assert (site.store / older / "requirements.txt").read_text().endswith("tool==0.1\n")
    # The one after that removes it.
    site(requirements=NEXT)
    assert len(site.venvs()) == 2 and not (site.store / older).exists()


def test_the_prefix_is_never_without_an_engine_while_an_older_one_is_taken_over(site, monkeypatch):
    site.older("# What the engine's venv holds\nother\n")
    seen = []
    rename = os.rename

    def watched(source, target):
        seen.append(os.path.exists(site.prefix / "bin/python"))
        rename(source, target)
        seen.append(os.path.exists(site.prefix / "bin/python"))

    monkeypatch.setattr(os, "rename", watched)
    site()
    assert seen and all(seen)


def test_an_empty_folder_is_taken(site):
    site.prefix.mkdir(parents=True)
    assert site()["changed"] and site.prefix.is_symlink()


def plant(site, kind):
    """Something at the prefix that is not an engine of ours."""
    parent = site.prefix.parent
    parent.mkdir()
    if kind == "a file":
        site.prefix.write_text("mine")
    elif kind == "a fifo":
        os.mkfifo(site.prefix)
    elif kind.startswith("a symlink to "):
        targets = {
            "an engine": site.older(prefix=site.root / "other"),
            "an empty folder": site.root / "empty",
            "a folder": site.root,
            "nothing": "/nonexistent",
            "itself": site.prefix,
            "a venv outside": "../venv.abcdefgh",
            "a venv below": ".engine/venv.abcdefgh/lib",
            "the store": ".engine",
            "a file of the store": ".engine/.lock",
            "the parent": "..",
        }
        (site.root / "empty").mkdir()
        site.prefix.symlink_to(targets[kind[len("a symlink to ") :]])
    else:
        made = {
            "a folder with software": {"anaconda3/bin/python": ""},
            "a folder with a hidden file": {".keep": ""},
            "a venv": {"pyvenv.cfg": "", "bin/python": ""},
            "a venv with its own requirements": {"pyvenv.cfg": "", "requirements.txt": "py-rattler==0.28.0\n"},
            "our requirements and no venv": {"requirements.txt": "# What the engine's venv holds\n"},
            "an engine with software next to it": {
                "pyvenv.cfg": "",
                "requirements.txt": "# What the engine's venv holds\n",
                "anaconda3/x": "",
            },
            "an engine with a file next to it": {
                "pyvenv.cfg": "",
                "requirements.txt": "# What the engine's venv holds\n",
                "notes": "",
            },
            "a conda env": {"conda-meta/history": "", "bin/python": ""},
        }[kind]
        for name, text in made.items():
            path = site.prefix / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    "kind",
    [
        "a file",
        "a fifo",
        "a symlink to an engine",
        "a symlink to an empty folder",
        "a symlink to a folder",
        "a symlink to nothing",
        "a symlink to itself",
        "a symlink to a venv outside",
        "a symlink to a venv below",
        "a symlink to the store",
        "a symlink to a file of the store",
        "a symlink to the parent",
        "a folder with software",
        "a folder with a hidden file",
        "a venv",
        "a venv with its own requirements",
        "our requirements and no venv",
        "an engine with software next to it",
        "an engine with a file next to it",
        "a conda env",
    ],
)
def test_nothing_that_is_not_ours_is_touched(site, kind, check_mode):
    plant(site, kind)
    before = contents(site.root)
    with pytest.raises(UserError, match="remedy: choose another conda_engine_prefix"):
        site(check_mode=check_mode)
    assert contents(site.root) == before and site.pip_calls == 0


@pytest.mark.parametrize("kind", ["a file", "a symlink"])
def test_a_store_that_is_something_else_is_not_touched(site, kind):
    site.store.parent.mkdir()
    (site.root / "theirs").mkdir()
    if kind == "a file":
        site.store.write_text("")
    else:
        site.store.symlink_to(site.root / "theirs")
    with pytest.raises(UserError, match="a folder for the venvs"):
        site()
    assert os.listdir(site.root / "theirs") == [] and not os.path.lexists(site.prefix)


def test_what_is_put_into_the_engine_later_is_not_lost(site):
    venv = site()["venv"]
    (site.prefix / "anaconda3").mkdir()
    for check_mode in (True, False):
        with pytest.raises(UserError, match="found anaconda3 in it"):
            site(check_mode=check_mode, requirements=NEXT)
    assert os.listdir(venv + "/anaconda3") == []


def test_only_our_venvs_are_removed_from_the_store(site):
    site()
    kept = ["venv.abcdefgh", "venv.backup", "notes", "venv.ABCDEFGH", "older.abcdefgh", ".work"]
    for name in kept:
        (site.store / name / "data").mkdir(parents=True)
    (site.store / "venv.aaaaaaaa").symlink_to(site.root)
    # A previous engine that holds something else, too.
    previous = site(requirements=NEXT)["previous_venv"]
    os.mkdir(previous + "/anaconda3")
    site(requirements=NEXT + "more\n")
    assert {*kept, "venv.aaaaaaaa", os.path.basename(previous)} <= set(site.venvs()) and site.root.exists()


# --- interrupted, failed, twice at once --------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["venv", "pip"])
@pytest.mark.parametrize("before", ["nothing", "an engine", "an older engine"])
def test_killed_it_leaves_nothing_that_stays(site, when, before):
    if before == "an engine":
        site(requirements=NEXT)
    elif before == "an older engine":
        site.older(NEXT)
    there = os.path.realpath(site.prefix)
    (site.venv_does if when == "venv" else site.pip_does)("kill -9 $PPID; exit 1")
    _pid, status = os.waitpid(site.in_child(), 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert os.path.realpath(site.prefix) == there and os.path.exists(there) == (before != "nothing")
    site.venv_does(":")
    site.pip_does(":")
    made = site()
    assert made["changed"] and len(site.venvs()) == (1 if before == "nothing" else 2)
    assert not site()["changed"]


@pytest.mark.parametrize("step", ["rmdir", "rename", "replace"])
@pytest.mark.parametrize("before", ["nothing", "an empty folder", "an engine", "an older engine"])
@pytest.mark.parametrize("exchange", [True, False])
def test_killed_between_two_renames_the_next_run_completes_it(site, monkeypatch, step, before, exchange):
    if before == "an engine":
        site(requirements=NEXT)
    elif before == "an older engine":
        site.older(NEXT)
    elif before == "an empty folder":
        site.prefix.mkdir(parents=True)
    if not exchange:
        monkeypatch.setattr(store_module, "_exchange", lambda first, second: False)
    with monkeypatch.context() as patch:
        work = getattr(os, step)

        def killed(*arguments, **keywords):
            work(*arguments, **keywords)
            os.kill(os.getpid(), signal.SIGKILL)

        patch.setattr(os, step, killed)
        os.waitpid(site.in_child(), 0)
    site()
    assert os.access(site.prefix / "bin/python", os.X_OK) and not site()["changed"]
    site(requirements=NEXT + "more\n")
    assert all(name.startswith("venv.") for name in site.venvs()) and len(site.venvs()) == 2


def test_two_at_once_make_it_once(site, monkeypatch):
    waiting = site.root / "waiting"
    os.mkfifo(waiting)
    # The first is in pip until the second waits for it. If the second does not wait, its pip ends this, and is counted.
    site.pip_does('if mkdir "%s/first"; then read line < "%s"; else echo >> "%s"; fi' % (site.root, waiting, waiting))
    report = Progress.report

    def reported(self, step, *arguments, **keywords):
        if step == "wait for":
            waiting.write_text("\n")
        report(self, step, *arguments, **keywords)

    monkeypatch.setattr(Progress, "report", reported)
    children = [site.in_child(), site.in_child()]
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    assert site.pip_calls == 1 and len(site.venvs()) == 1 and not site()["changed"]


@pytest.mark.parametrize(
    "script, expected, remedy",
    [
        ("echo 'ERROR: No matching distribution found for tool==1.0'; exit 1", "pip to install .* tool==1.0", "index"),
        ("echo 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES'; exit 1", "packages with the hashes", "compare"),
        ("echo 'OSError: [Errno 28] No space left on device'; exit 1", "enough free space for .*/.engine", "free"),
        ("echo 'ERROR: [Errno 122] Disk quota exceeded'; exit 2", "a quota of uid .* for .*/.engine", "quota"),
        ("kill -9 $$", "pip to install", "index"),
        ("echo 'Looking at https://user:secret@mirror.example/simple'; exit 1", "pip to install", "index"),
    ],
)
def test_a_failure_is_one_line_and_leaves_the_previous_engine(site, script, expected, remedy):
    first = site(requirements=NEXT)["venv"]
    site.pip_does(script)
    with pytest.raises(UserError, match="expected " + expected) as caught:
        site()
    assert remedy in caught.value.remedy and "secret" not in str(caught.value.as_result())
    assert os.path.realpath(site.prefix) == first and site.venvs() == [os.path.basename(first)]


def test_a_python_that_cannot_make_a_venv_is_named(site):
    site.venv_does("echo 'no ensurepip here'; exit 1")
    with pytest.raises(UserError, match="a venv of %s; found no ensurepip here" % site.python):
        site()
    assert site.venvs() == [] and not os.path.lexists(site.prefix)


def test_an_engine_that_cannot_be_renamed_is_said_to_be_so(site, monkeypatch):
    site.older(NEXT)

    def busy(first, second):
        raise OSError(16, "Device or resource busy", second)

    monkeypatch.setattr(store_module, "_exchange", busy)
    with pytest.raises(UserError, match="can be renamed"):
        site()
    assert (site.prefix / "requirements.txt").read_text() == NEXT
