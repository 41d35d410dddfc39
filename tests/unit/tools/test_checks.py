# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tools/test.sh fails when any part does; sources.sh copies what git knows; ansible-test's pip gets what ours has."""

from __future__ import annotations

import configparser
import importlib.util
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
TOOLS = CHECKOUT / "tools"
PYTHON = sys.executable


def load(name):
    spec = importlib.util.spec_from_file_location(name, TOOLS / (name + ".py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(name="checkout")
def fixture_checkout(tmp_path):
    checkout = tmp_path / "check out"
    shutil.copytree(TOOLS, checkout / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    return checkout


def program(path, text):
    path.write_text("#!/bin/sh\n" + text, encoding="utf-8")
    path.chmod(0o755)


def run_tests(checkout, tmp_path):
    """tools/test.sh, with the programs in ``tmp_path/bin`` first."""
    with open(checkout / "tools" / "setup.sh", "a", encoding="utf-8") as stream:
        stream.write("setup() { PATH='%s':$PATH; }\n" % (tmp_path / "bin"))
    return subprocess.run(
        ["tools/test.sh"],
        cwd=checkout,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


PARTS = ("lint", "sanity", "molecule", "judges", "kernels", "cores")


@pytest.mark.parametrize("broken", [None, "lint", "sanity", "unit", "molecule", "site", "judges", "kernels"])
def test_make_test_fails_when_any_part_fails_and_ends_with_pytests_closing_line(checkout, tmp_path, broken):
    for name in ("lint", "sanity", "molecule", "judges", "kernels"):
        # "packages" is asked for before anything else, and what is missing there ends the run at once.
        quiet = '[ "$*" != packages ] || exit 0\n'
        program(checkout / "tools" / (name + ".sh"), "%secho %s ran\nexit %d\n" % (quiet, name, broken == name))
    program(checkout / "tools" / "cores.sh", 'echo "venv of $2"\n')
    (tmp_path / "bin").mkdir()
    program(
        tmp_path / "bin" / "python",
        'echo "python $*"\necho "core: $HPC_TEST_CORES"\necho "3 passed in 1s"\ncase $3 in tests/%s) exit 1;; esac\n'
        % broken,
    )
    done = run_tests(checkout, tmp_path)
    lines = done.stdout.splitlines()
    for part in ("lint ran", "sanity ran", "molecule ran", "judges ran", "kernels ran"):
        assert part in lines
    # The whole runs, and nothing else, run on the newest ansible-core as well.
    newest = re.search(r"^CORE_NEWEST=(\S+)$", (TOOLS / "cores.env").read_text(encoding="utf-8"), re.MULTILINE)
    assert [line for line in lines if line.startswith("core:")] == ["core: ", "core: venv of " + newest[1]]
    for folder in ("unit", "site"):
        (command,) = [line for line in lines if line.startswith("python -m pytest tests/%s " % folder)]
        assert "--durations=20" in command and "--numprocesses=" in command
    for name in ("lint", "unit tests", "sanity", "whole runs", "judges", "kernels", "molecule, next to the others"):
        assert [line for line in lines if re.fullmatch(r"\d+ s " + name, line)]
    assert lines.count("3 passed in 1s") == 2 and lines[-1] == "3 passed in 1s"
    named = {None: "", "unit": "unit tests", "site": "whole runs"}.get(broken, broken)
    assert done.stderr == ("\nmake test failed: %s\n" % named if broken else "")
    assert done.returncode == (1 if broken else 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", "check out"]


@pytest.mark.parametrize(
    "part, code, ends, says",
    [
        ("molecule", 4, 0, "NOT RUN: the Molecule scenarios"),
        ("molecule", 3, 1, "make test failed: molecule"),
        ("judges", 4, 0, "NOT RUN: the differential test"),
        ("judges", 3, 1, "make test failed: judges"),
        ("kernels", 4, 0, "NOT RUN: kernels in Slurm jobs"),
        ("kernels", 3, 1, "make test failed: kernels"),
        ("cores", 4, 0, "NOT RUN: ansible-core 2."),
        ("cores", 1, 1, "make test failed: ansible-core 2."),
    ],
)
def test_what_this_user_may_not_start_is_said_to_be_left_out(checkout, tmp_path, part, code, ends, says):
    for name in PARTS:
        program(checkout / "tools" / (name + ".sh"), "exit 0\n")
    program(checkout / "tools" / (part + ".sh"), '[ "$*" != packages ] || exit 0\nexit %d\n' % code)
    (tmp_path / "bin").mkdir()
    program(tmp_path / "bin" / "python", "exit 0\n")
    done = run_tests(checkout, tmp_path)
    assert done.returncode == ends and says in done.stderr


def test_an_interrupted_run_ends_what_it_started(checkout, tmp_path):
    fifos = {name: tmp_path / name for name in ("molecule", "unit")}
    for fifo in fifos.values():
        os.mkfifo(fifo)
    # Each holds its fifo open as long as it lives. A shell may lose a signal while it starts a program.
    held = 'import signal, sys; signal.signal(2, signal.SIG_DFL); held = open(sys.argv[1], "w"); signal.pause()'
    stays = "exec '%%s' -I -c '%s' '%%s'\n" % held
    packages = '[ "$*" != packages ] || exit 0\n'
    program(checkout / "tools" / "molecule.sh", packages + stays % (PYTHON, fifos["molecule"]))
    (tmp_path / "bin").mkdir()
    program(tmp_path / "bin" / "python", stays % (PYTHON, fifos["unit"]))
    program(checkout / "tools" / "lint.sh", "exit 0\n")
    program(checkout / "tools" / "cores.sh", "exit 0\n")
    with open(checkout / "tools" / "setup.sh", "a", encoding="utf-8") as stream:
        stream.write("setup() { PATH='%s':$PATH; }\n" % (tmp_path / "bin"))
    with subprocess.Popen(
        ["tools/test.sh"],
        cwd=checkout,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        # Behind nohup, or in the background of a script, the interrupt would be ignored from here on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        with open(fifos["molecule"], encoding="utf-8") as molecule, open(fifos["unit"], encoding="utf-8") as unit:
            # What a terminal sends; without a process group of its own the background would ignore it.
            os.killpg(process.pid, signal.SIGINT)
            assert process.wait(timeout=60) == 130
            for stream in (molecule, unit):
                assert select.select([stream], [], [], 60)[0] == [stream]
                assert stream.read() == ""


def test_the_copy_holds_what_git_knows_or_would_take_up(checkout, tmp_path):
    git = ["git", "-C", str(checkout), "-c", "user.name=n", "-c", "user.email=e@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    (checkout / ".gitignore").write_text("ignored\n", encoding="utf-8")
    (checkout / "link").symlink_to("tools/test.sh")
    (checkout / ".collections").mkdir()
    (checkout / ".collections" / "self").symlink_to("..")
    (checkout / "deleted").write_text("x", encoding="utf-8")
    subprocess.run([*git, "add", "."], check=True)
    (checkout / "deleted").unlink()
    (checkout / "ignored").write_text("x", encoding="utf-8")
    (checkout / "new one; $(touch planted)\n--x").write_text("x", encoding="utf-8")
    script = '. tools/setup.sh; . tools/sources.sh; copy_sources; cp -a "$SOURCES" "$1"; printf "%s" "$SOURCES_ROOT"'
    done = subprocess.run(
        ["bash", "-c", script, "-", str(tmp_path / "seen")],
        cwd=checkout,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    seen = tmp_path / "seen"
    assert sorted(path.name for path in seen.iterdir()) == [
        ".gitignore",
        "link",
        "new one; $(touch planted)\n--x",
        "tools",
    ]
    assert (seen / "link").is_symlink()
    assert (seen / "tools" / "test.sh").stat().st_mode & 0o111
    # Gone with the shell that made it.
    assert not pathlib.Path(done.stdout).exists()


def test_pips_settings_are_taken_over_and_the_environment_wins():
    listing = "\n".join(
        [
            ":env:.index-url='https://user:s3cret@index.example.org/simple'",
            ":env:.user='1'",
            ":env:.constraint='/none.txt'",
            "global.quiet='3'",
            "global.index-url='https://other.example.org/simple'",
            "global.find-links='\\n/a b\\n/c'",
            "install.trusted-host='index.example.org'",
            "install.no-binary='thing'",
        ]
    )
    pip_settings = load("pip_settings")
    sections = pip_settings.complete(
        pip_settings.parse(listing), {"SSL_CERT_FILE": "/ca.pem", "HTTPS_PROXY": "http://proxy.example.org"}
    )
    parsed = configparser.RawConfigParser()
    parsed.read_string(pip_settings.render(sections))
    assert {name: dict(parsed[name]) for name in parsed.sections()} == {
        "global": {
            "index-url": "https://user:s3cret@index.example.org/simple",
            "find-links": "\n/a b\n/c",
            "cert": "/ca.pem",
            "proxy": "http://proxy.example.org",
        },
        "install": {"trusted-host": "index.example.org"},
    }


def test_a_certificate_that_pip_has_been_told_of_stays():
    sections = load("pip_settings").complete({"global": {"cert": "/own.pem"}}, {"SSL_CERT_FILE": "/ca.pem"})
    assert sections["global"]["cert"] == "/own.pem"


def test_the_settings_file_is_for_its_owner_alone(tmp_path):
    dest = tmp_path / "pip.conf"
    for _unused in range(2):
        subprocess.run([sys.executable, str(TOOLS / "pip_settings.py"), str(dest), "/ca che"], check=True)
    assert dest.stat().st_mode & 0o777 == 0o600 and "\ncache-dir = /ca che\n" in dest.read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["pip.conf"]


def test_the_stand_in_for_get_pip_installs_what_is_asked_for_and_reports_failure(monkeypatch):
    get_pip = load("get_pip")
    ran = []
    status = {"ensurepip": 0, "pip": 0}

    def fake_run(command, check):
        ran.append(command[1:])
        return subprocess.CompletedProcess(command, status[command[2]])

    monkeypatch.setattr(get_pip.subprocess, "run", fake_run)
    assert get_pip.main(["--disable-pip-version-check", "pip==24.2", "--no-setuptools", "--no-wheel"]) == 0
    assert ran == [
        ["-m", "ensurepip", "--default-pip"],
        ["-m", "pip", "install", "--disable-pip-version-check", "pip==24.2"],
    ]
    status["pip"] = 3
    assert get_pip.main(["pip==24.2"]) == 3
    status["ensurepip"] = 2
    assert get_pip.main(["pip==24.2"]) == 2
