# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scripts of a session, staged by Ruby and run by bash with the functions that Open OnDemand brings."""

from __future__ import annotations

import pathlib
import subprocess

import pytest

TEMPLATE = pathlib.Path(__file__).parents[3] / "roles/ondemand_app/files/template"
# The functions of the batch connect template "basic", as far as the scripts call them.
FUNCTIONS = """
host=node01
find_port() { echo 2345; }
create_passwd() { head -c "$1" /dev/zero | tr '\\0' x; }
clean_up() { exit "$1"; }
wait_until_port_used() { echo "$1 $2" >waited; }
"""


@pytest.fixture(params=["/opt/conda", "/opt/a b'c $(touch broken)"])
def prefix(tmp_path: pathlib.Path, request: pytest.FixtureRequest) -> pathlib.Path:
    """A folder with a JupyterLab that writes down how it is called."""
    bin_dir = tmp_path / request.param.lstrip("/") / "bin"
    bin_dir.mkdir(parents=True)
    for name, script in (("jupyter-lab", 'echo "$PWD $*"'), ("python", "echo argon2:hash-of-$(cat | wc -c)")):
        (bin_dir / name).write_text("#!/bin/sh\n%s\n" % script)
        (bin_dir / name).chmod(0o755)
    return bin_dir.parent


def staged(name: str, prefix: pathlib.Path) -> str:
    command = ["ruby", str(pathlib.Path(__file__).parent / "session.rb"), str(TEMPLATE / name), str(prefix)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def bash(script: str, folder: pathlib.Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder / "home"), **more}
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_a_session_starts_jupyterlab_with_a_password_that_others_cannot_read(prefix, tmp_path) -> None:
    work = tmp_path / "work"
    (work / "home").mkdir(parents=True)
    (work / "script.sh").write_text(staged("script.sh.erb", prefix))
    script = FUNCTIONS + staged("before.sh.erb", prefix) + '\nbash script.sh\necho "$port $password"\n'
    done = bash(script, work)
    assert (done.returncode, done.stderr) == (0, ""), done
    config = work / "jupyter_config.py"
    assert done.stdout.split("\n")[:2] == ["%s/home --config=%s" % (work, config), "2345 " + "x" * 32]
    assert config.stat().st_mode & 0o777 == 0o600
    settings = dict(line.split(" = ") for line in config.read_text().strip().split("\n"))
    assert settings["c.ServerApp.base_url"] == "'/node/node01/2345/'" and settings["c.ServerApp.port"] == "2345"
    assert settings["c.PasswordIdentityProvider.hashed_password"] == "'argon2:hash-of-32'"
    assert "x" * 32 not in config.read_text() and not (work / "broken").exists()


def test_a_node_without_jupyterlab_is_named(prefix, tmp_path) -> None:
    (prefix / "bin/jupyter-lab").unlink()
    done = bash(FUNCTIONS + staged("before.sh.erb", prefix), tmp_path)
    assert done.returncode == 1 and not (tmp_path / "jupyter_config.py").exists()
    assert done.stderr.startswith("expected JupyterLab in %s on " % prefix) and "; remedy: " in done.stderr


def test_a_jupyterlab_that_makes_no_password_starts_no_session(prefix, tmp_path) -> None:
    (prefix / "bin/python").write_text("#!/bin/sh\nexit 1\n")
    done = bash(FUNCTIONS + staged("before.sh.erb", prefix), tmp_path)
    assert done.returncode == 1 and not (tmp_path / "jupyter_config.py").exists()
    assert "expected a password from jupyter_server in %s; found none" % prefix in done.stderr


def test_a_session_that_does_not_answer_ends_with_a_sentence(prefix, tmp_path) -> None:
    script = FUNCTIONS + "port=2345\n" + staged("after.sh.erb", prefix)
    assert bash(script, tmp_path).returncode == 0 and (tmp_path / "waited").read_text() == "node01:2345 300\n"
    silent = script.replace("port=2345", "port=2345\nwait_until_port_used() { false; }")
    done = bash(silent, tmp_path)
    assert done.returncode == 1 and "expected JupyterLab to answer on port 2345 within 300 s" in done.stderr
