# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tools/setup.sh: which Python, which packages, which home, and a venv that is whole or not there."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import sys
import zipfile

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
PYTHON = getattr(sys, "_base_executable", sys.executable)
# The controller's oldest and newest Python.
OLDEST, NEWEST = re.findall(
    r"^PYTHON_\w+=(\S+)$", (CHECKOUT / "tools" / "pythons.env").read_text(encoding="utf-8"), re.MULTILINE
)
TOO_NEW = "3.%d" % (int(NEWEST.partition(".")[2]) + 1)


@pytest.fixture(name="checkout")
def fixture_checkout(tmp_path):
    """A checkout whose path has a space, with the real scripts and empty requirement files, so pip needs no network."""
    checkout = tmp_path / "check out"
    shutil.copytree(CHECKOUT / "tools", checkout / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    (checkout / "requirements").mkdir()
    for name in ("controller.txt", "test.txt", "debian-site.txt", "debian-test.txt"):
        (checkout / "requirements" / name).write_text("# empty\n", encoding="utf-8")
    return checkout


@pytest.fixture(name="home")
def fixture_home(tmp_path):
    home = tmp_path / "ho me"
    home.mkdir()
    return home


def start(checkout, home, script, **environment):
    """Source setup.sh in a bash of its own, then run the script."""
    return subprocess.Popen(
        ["bash", "-c", ". tools/setup.sh\n" + script],
        cwd=checkout,
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), "TMPDIR": str(home), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(checkout, home, script, **environment):
    process = start(checkout, home, script, **environment)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def stub_python(folder, name, version, lacks="yes"):
    """A program that answers as an interpreter of that version does."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(
        "#!/bin/sh\nprintf '%%s\\t%%s\\t%%s\\n' '%s' '%s' '%s'\n" % (version, path, lacks), encoding="utf-8"
    )
    path.chmod(0o755)
    return path


# Whatever else this machine has on its PATH.
NO_OTHER = 'probe_python() { [ "$1" != "$SYSTEM_PYTHON" ] || "$1"; }; '
ALONE = "SYSTEM_FOLDERS=(); SYSTEM_PYTHON=%s; "


def choose(checkout, home, system, prefix="", **environment):
    script = ALONE % ("'%s'" % system) + prefix + "choose_python"
    return run(checkout, home, script, **environment)


def test_the_systems_own_python_comes_before_those_on_path(checkout, home, tmp_path):
    system = stub_python(tmp_path / "system", "python3", "3.11.2")
    stub_python(tmp_path / "bin", "python" + NEWEST, NEWEST + ".0")
    code, out, err = choose(checkout, home, system, PATH="%s:/usr/bin:/bin" % (tmp_path / "bin"))
    assert (code, out, err) == (0, "3.11.2\t%s\n" % system, "")


def test_a_system_python_that_does_not_fit_gives_way_to_the_newest_on_path(checkout, home, tmp_path):
    system = stub_python(tmp_path / "system", "python3", "3.9.2")
    stub_python(tmp_path / "bin", "python3", TOO_NEW + ".0")
    stub_python(tmp_path / "bin", "python3.11", "3.11.9")
    newest = stub_python(tmp_path / "bin", "python3.12", "3.12.1")
    broken = tmp_path / "bin" / ("python" + NEWEST)
    broken.write_text("#!/bin/sh\necho 'pyenv: version not installed' >&2\nexit 127\n", encoding="utf-8")
    broken.chmod(0o755)
    code, out, unused = choose(checkout, home, system, PATH="%s:/usr/bin:/bin" % (tmp_path / "bin"))
    assert (code, out) == (0, "3.12.1\t%s\n" % newest)


def test_no_fitting_python_is_one_line_that_says_what_was_found(checkout, home, tmp_path):
    system = stub_python(tmp_path / "system", "python3", "3.10.4")
    code, out, err = choose(checkout, home, system, prefix=NO_OTHER)
    assert code == 1
    assert out == ""
    assert err.count("\n") == 1
    assert "expected a Python %s to %s; found 3.10.4 at %s" % (OLDEST, NEWEST, system) in err


@pytest.mark.parametrize(
    "given, says",
    [
        ("/nowhere/python3", "which does not run"),
        ("old/python3", "which is 3.8.18"),
        ("new/python3", "which is %s.0" % TOO_NEW),
        ("two/python3", "which is 2.7.18"),
        ("bare/python3", "which lacks the library 'ssl'"),
        ("$(touch planted); a b", "which does not run"),
    ],
)
def test_a_python_named_by_hand_must_fit(checkout, home, given, says):
    stub_python(checkout / "old", "python3", "3.8.18")
    stub_python(checkout / "new", "python3", TOO_NEW + ".0")
    stub_python(checkout / "two", "python3", "2.7.18")
    stub_python(checkout / "bare", "python3", "3.12.1", lacks="ssl")
    code, out, err = run(checkout, home, "choose_python", PYTHON=given)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert says in err
    assert not (checkout / "planted").exists()


def test_the_real_probe_names_the_interpreter_behind_a_venv(checkout, home):
    code, out, unused = run(checkout, home, "probe_python '%s'" % sys.executable)
    version = "%d.%d.%d" % sys.version_info[:3]
    assert (code, out) == (0, "%s\t%s\tyes\n" % (version, PYTHON))


def test_an_ordinary_user_is_told_the_one_package_and_nothing_happens(checkout, home, tmp_path):
    system = stub_python(tmp_path / "system", "python3", "3.11.2", lacks="ensurepip")
    script = ALONE % ("'%s'" % system) + NO_OTHER + "is_root() { false; }; setup site"
    code, out, err = run(checkout, home, script)
    assert (code, out) == (1, "")
    assert err == (
        "setup: expected the system package python3-venv, for the venv that Ansible lives in; found not installed; "
        "remedy: sudo apt-get install python3-venv\n"
    )
    assert list(home.iterdir()) == []
    assert not (checkout / ".venv").exists()


def test_an_ordinary_user_with_another_whole_python_needs_no_package(checkout, home, tmp_path):
    system = stub_python(tmp_path / "system", "python3", "3.11.2", lacks="ensurepip")
    other = stub_python(tmp_path / "bin", "python3.12", "3.12.1")
    path = "%s:/usr/bin:/bin" % (tmp_path / "bin")
    code, out, err = choose(checkout, home, system, prefix="is_root() { false; }; ", PATH=path)
    assert (code, out, err) == (0, "3.12.1\t%s\n" % other, "")


def test_root_installs_what_the_systems_python_lacks_and_goes_on(checkout, home, tmp_path):
    system = stub_python(tmp_path / "system", "python3", "3.11.2", lacks="ensurepip")
    script = (
        "is_root() { true; }; apt-get() { :; }; apt-cache() { :; };"
        'install_packages() { sed -i \'s/ensurepip/yes/\' "$SYSTEM_PYTHON"; echo "installed $*" >&2; };'
    )
    code, out, err = choose(checkout, home, system, prefix=script)
    assert (code, out) == (0, "3.11.2\t%s\n" % system)
    assert err.splitlines() == [
        "setup: installing system packages: python3-venv (for the venv that Ansible lives in)",
        "installed python3-venv",
    ]


def test_root_updates_the_package_lists_only_when_they_lack_the_package(checkout, home):
    script = (
        "is_root() { true; }; apt-get() { :; }; known=no; apt-cache() { [ $known = yes ]; };"
        "update_package_lists() { known=yes; echo updated; };"
        'install_packages() { echo "installed $*"; };'
        "require_packages 'for a test' one; require_packages 'for a test' two three"
    )
    code, out, unused = run(checkout, home, script)
    assert (code, out) == (0, "updated\ninstalled one\ninstalled two three\n")


def test_missing_packages_are_told_by_package_command_or_path(checkout, home):
    listing = checkout / "list"
    listing.write_text(
        "# a comment\n\n"
        "coreutils\n"
        "no-such-package-here  # why\n"
        "some-shell bash\n"
        "other-shell no-such-command-here # why\n"
        "passwd-file /etc/passwd\n"
        "lost-file /no/such/file\n",
        encoding="utf-8",
    )
    code, out, unused = run(checkout, home, 'package_installed() { [ "$1" = coreutils ]; }; missing_packages list')
    assert (code, out.split()) == (0, ["no-such-package-here", "other-shell", "lost-file"])


def test_a_missing_home_becomes_a_private_folder(checkout, home):
    script = "getent() { return 2; }; setup_home; printf '%s' \"$HOME\""
    code, out, err = run(checkout, home, script, HOME="/nonexistent")
    assert (code, out) == (0, str(home / ("hpc.pytorch-%d" % os.getuid())))
    assert stat.S_IMODE(os.stat(out).st_mode) == 0o700
    assert "HOME=/nonexistent" in err
    assert run(checkout, home, script, HOME="/nonexistent")[:2] == (0, out)


@pytest.mark.parametrize("planted", ["link", "open"])
def test_a_planted_private_folder_is_refused(checkout, home, tmp_path, planted):
    private = home / ("hpc.pytorch-%d" % os.getuid())
    if planted == "link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        private.symlink_to(tmp_path / "elsewhere")
    else:
        private.mkdir()
        private.chmod(0o777)
    code, out, err = run(checkout, home, "getent() { return 2; }; setup_home", HOME="/nonexistent")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "set HOME or TMPDIR" in err


def test_the_cache_follows_the_specification_and_falls_back(checkout, home, tmp_path):
    cases = {
        str(tmp_path / "ca che"): str(tmp_path / "ca che"),
        "relative": "%s/.cache" % home,
        "/proc/none": "%s/.cache" % home,
    }
    for given, used in cases.items():
        code, out, unused = run(checkout, home, "setup_cache", XDG_CACHE_HOME=given)
        assert (code, out) == (0, used + "/hpc.pytorch\n")


def test_a_locale_that_ansible_refuses_is_replaced(checkout, home):
    show = "setup_locale; printf '%s' \"${LC_ALL:-}\""
    assert run(checkout, home, show, LC_ALL="POSIX")[1] == "C.UTF-8"
    assert run(checkout, home, show, LANG="C.UTF-8")[1] == ""


MAKE = "CACHE=$(setup_cache); setup_venv \"$CACHE\" 1 '%s' requirements/controller.txt; printf '%%s' \"$VENV\"" % PYTHON

# The same with a venv that is quickly made: bringing pip in takes seconds.
QUICK = 'fill_venv() { "$2" -I -m venv --without-pip "$1"; }; '


def venv_folders(home):
    return [
        path for path in (home / ".cache" / "hpc.pytorch").glob("venv-*.*") if path.is_dir() and not path.is_symlink()
    ]


def test_a_venv_is_made_once_and_then_needs_nothing(checkout, home):
    code, first, err = run(checkout, home, MAKE)
    assert code == 0, err
    assert os.access(first + "/bin/pip", os.X_OK)
    assert err == "setup: making a venv with Python 1 (%s) and requirements/controller.txt, once\n" % PYTHON
    # No interpreter to make another one with, and a lock that nobody gives back.
    again = MAKE.replace("setup_venv", 'fill_venv() { exit 9; }; exec 8>"$CACHE"/held; setup_venv')
    assert run(checkout, home, again) == (0, first, "")


def test_other_requirements_get_another_venv(checkout, home):
    names = set()
    for text in ("one==1\n", "two==1\n", "# a comment\n\ntwo==1  # why\n", "two==1\n"):
        (checkout / "requirements" / "controller.txt").write_text(text, encoding="utf-8")
        names.add(run(checkout, home, "venv_name 3.11.2 /usr/bin/python3 requirements/controller.txt")[1])
    names.add(run(checkout, home, "venv_name 3.11.3 /usr/bin/python3 requirements/controller.txt")[1])
    assert len(names) == 3


def test_two_runs_at_once_share_one_venv(checkout, home):
    processes = [start(checkout, home, QUICK + MAKE) for unused in range(2)]
    results = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert results[0][0] == results[1][0]
    assert len(venv_folders(home)) == 1


def test_without_working_locks_two_runs_end_with_a_whole_venv_each(checkout, home):
    script = "flock() { return 1; }; " + QUICK + MAKE
    processes = [start(checkout, home, script) for unused in range(2)]
    results = [process.communicate(timeout=120) for process in processes]
    for process, (out, err) in zip(processes, results):
        assert process.returncode == 0, err
        assert subprocess.run([out + "/bin/python", "-c", ""], check=False).returncode == 0


def test_an_interrupted_creation_is_made_anew_and_cleaned_up(checkout, home):
    # Stands for pip: says that it was reached, then never ends.
    ready = home / "ready"
    os.mkfifo(ready)
    script = "fill_venv() { mkdir -p \"$1/bin\"; echo here >'%s'; exec cat '%s'; }; " % (ready, ready) + MAKE
    process = start(checkout, home, script)
    with open(ready, encoding="utf-8") as stream:
        assert stream.readline() == "here\n"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    half = venv_folders(home)
    assert len(half) == 1
    code, made, err = run(checkout, home, QUICK + MAKE)
    assert code == 0, err
    assert [str(path) for path in venv_folders(home)] == [made]
    assert made != str(half[0])


def test_programs_with_a_home_of_their_own_see_nothing_of_the_callers(checkout, home):
    show = 'own_home "$HOME/own"; env | cut -d= -f1 | sort | tr "\\n" " "; printf "%s" "$HOME"'
    given = {
        "ANSIBLE_FORKS": "1",
        "CONDA_PREFIX": "/c",
        "MOLECULE_X": "1",
        "XDG_CONFIG_HOME": "/x",
        "ANSIBLE_CONFIG": "a",
    }
    code, out, err = run(checkout, home, show, **given)
    assert code == 0, err
    names = set(out.split(" ")[:-2])
    assert not names & (given.keys() - {"ANSIBLE_CONFIG"}) and {"ANSIBLE_CONFIG", "HOME"} <= names
    assert out.endswith("%s/own" % home) and (home / "own").is_dir()


def test_a_run_waits_for_the_lock_of_another_and_says_so(checkout, home):
    os.mkfifo(home / "go")
    first = start(checkout, home, 'wait_for_lock "$HOME/lock" "is busy"; echo held; cat "$HOME/go"; echo done')
    assert first.stdout.readline() == "held\n"
    second = start(checkout, home, 'wait_for_lock "$HOME/lock" "is busy"; echo held')
    assert second.stderr.readline() == "setup: another run is busy: waiting for it\n"
    assert second.poll() is None
    (home / "go").write_text("")
    assert first.communicate(timeout=60)[0] == "done\n"
    assert second.communicate(timeout=60)[0] == "held\n"


def test_without_working_locks_a_run_goes_on(checkout, home):
    code, out, err = run(checkout, home, 'flock() { return 1; }; wait_for_lock "$HOME/lock" "is busy"; echo on')
    assert (code, out) == (0, "on\n") and "locks do not work" in err


def test_a_cache_that_is_gone_is_made_again_and_the_link_follows(checkout, home):
    script = QUICK + "choose_python() { printf '1\\t%s\\n'; }; setup site; printf '%%s' \"$VENV\"" % PYTHON
    code, first, err = run(checkout, home, script)
    assert code == 0, err
    shutil.rmtree(home / ".cache")
    code, second, err = run(checkout, home, script)
    assert code == 0, err
    assert (checkout / ".venv").resolve() == pathlib.Path(second) != pathlib.Path(first)


def test_a_failed_installation_leaves_nothing_behind(checkout, home):
    (checkout / "requirements" / "controller.txt").write_text("no-such-thing-here==1\n", encoding="utf-8")
    code, out, err = run(checkout, home, MAKE, PIP_NO_INDEX="1", PIP_CONFIG_FILE="/dev/null")
    assert (code, out) == (1, "")
    assert "expected pip to install requirements/controller.txt" in err.splitlines()[-1]
    assert venv_folders(home) == []


def test_pip_settings_that_are_not_about_an_index_do_not_reach_a_venv(checkout, home, tmp_path):
    settings = home / ".config/pip/pip.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text("[global]\nno-index = true\nfind-links = %s\n[install]\nuser = true\ntarget = /x\n" % tmp_path)
    (checkout / "requirements" / "controller.txt").write_text("tiny==1\n", encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "tiny-1-py3-none-any.whl", "w") as wheel:
        for name, text in (
            ("tiny.py", "x = 1\n"),
            ("tiny-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1\n"),
            ("tiny-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
            ("tiny-1.dist-info/RECORD", "tiny.py,,\n"),
        ):
            wheel.writestr(name, text)
    code, made, err = run(checkout, home, MAKE, PIP_CONSTRAINT="/nonexistent", PIP_NO_DEPS="1")
    assert code == 0, err
    assert subprocess.run([made + "/bin/python", "-c", "import tiny"], check=False).returncode == 0
    assert not [path for path in pathlib.Path(made).iterdir() if path.name.startswith("pip")]


def test_a_callers_python_and_ansible_settings_do_not_reach_in(checkout, home):
    code, out, unused = run(
        checkout,
        home,
        "env",
        PYTHONPATH="/x",
        PYTHONHOME="/x",
        PIP_USER="1",
        ANSIBLE_COLLECTIONS_PATH="/x",
        CDPATH="/",
        ARGS="x",
        MAKEFLAGS="ARGS=x",
    )
    names = {line.partition("=")[0] for line in out.splitlines()}
    assert code == 0
    assert not names & {
        "PYTHONPATH",
        "PYTHONHOME",
        "PIP_USER",
        "ANSIBLE_COLLECTIONS_PATH",
        "CDPATH",
        "ARGS",
        "MAKEFLAGS",
    }
