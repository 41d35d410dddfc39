# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret in an address is in no result, no log, no diff and no file, whatever option it is in."""

from __future__ import annotations

import http.server
import json
import os
import pathlib
import shlex
import subprocess
import sys
import threading
import typing as t

import pytest

SECRET = "S3CR3TS3CR3T"
# How an address holds it; SERVER is a server's host and port.
FORMS = {
    "password": "http://alice:S3CR3TS3CR3T@SERVER/c",
    "user": "http://S3CR3TS3CR3T@SERVER/c",
    "sign in password": "http://alice:S3CR3TS3CR3T@x@SERVER/c",
    "slash in password": "http://alice:S3CR3TS3CR3T/x@SERVER/c",
    "token": "http://SERVER/t/S3CR3TS3CR3T/c",
    "upper case": "HTTP://SERVER/t/S3CR3TS3CR3T/c",
    "signature": "http://SERVER/c?X-Amz-Signature=S3CR3TS3CR3T",
    "sig": "http://SERVER/c?sig=S3CR3TS3CR3T",
    "private token": "http://SERVER/c?private_token=S3CR3TS3CR3T",
    "fragment": "http://SERVER/c#token=S3CR3TS3CR3T",
    "one slash": "http:/alice:S3CR3TS3CR3T@SERVER/c",
    "blank": "http://alice:S3CR3TS3CR3T x@SERVER/c",
}


class _Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def server() -> t.Iterator[str]:
    """A server that has nothing."""
    found = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield "127.0.0.1:%d" % found.server_port
    found.shutdown()
    found.server_close()


def _env(place: pathlib.Path, **options: t.Any) -> dict[str, t.Any]:
    made = {
        "prefix": str(place / "app/env"),
        "packages": ["app"],
        "channels": [],
        "package_cache": str(place / "pkgs"),
        "executable": sys.executable,
        "register_envs": False,
    }
    return {**made, **options}


def _channel(place: pathlib.Path, **options: t.Any) -> dict[str, t.Any]:
    return {"path": str(place / "published"), "executable": sys.executable, **options}


# A module, and its options for an address in one place.
PLACES: dict[str, tuple[str, t.Callable[[pathlib.Path, str], dict[str, t.Any]]]] = {
    "channels": ("conda_env", lambda place, url: _env(place, channels=[url])),
    "match spec": ("conda_env", lambda place, url: _env(place, channels=["file:///none"], packages=[url + "::app"])),
    "package": (
        "conda_env",
        lambda place, url: _env(
            place, channels=["file:///none"], packages=[url.replace("/c", "/c/noarch/x-1-0.conda")]
        ),
    ),
    "requirement": ("conda_env", lambda place, url: _env(place, channels=["file:///none"], pip=["tool @ " + url])),
    "index": ("conda_env", lambda place, url: _env(place, channels=["file:///none"], pip=["--index-url " + url])),
    "upstream": ("conda_channel", lambda place, url: _channel(place, packages=["app"], upstream=[url])),
    "installer": (
        "conda_installer",
        lambda place, url: {
            "prefix": str(place / "base"),
            "src": url.replace("http:", "https:").replace("HTTP:", "HTTPS:"),
            "sha256": "0" * 64,
            "cache": str(place / "cache"),
        },
    ),
    "unknown option": ("conda_env", lambda place, url: _env(place, chanels=[url])),
}


def _files_with_the_secret(folder: pathlib.Path) -> list[str]:
    found = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return [str(path) for path in found if SECRET.encode() in path.read_bytes()]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("at", PLACES)
def test_no_result_and_no_file_has_it(as_root, place, server, at, form):
    module, options = PLACES[at]
    result = as_root(module, **options(place, FORMS[form].replace("SERVER", server)))
    assert SECRET not in json.dumps(result), result
    # It has failed for one reason in one line.
    assert result["failed"] and "\n" not in result["msg"]
    assert _files_with_the_secret(place) == []


def test_a_condarc_and_variables_bring_it_nowhere(as_root, place, server):
    condarc = place / "condarc"
    condarc.write_text(
        "channels: ['http://alice:${SECRET_OF_ALICE}@%s/c', 'http://%s/c?sig=S3CR3TS3CR3T']\n" % (server, server)
    )
    variables = {"CONDARC": str(condarc), "SECRET_OF_ALICE": SECRET}
    result = as_root("conda_env", variables, **_env(place, channels=None))
    assert result["failed"] and SECRET not in json.dumps(result)
    assert _files_with_the_secret(place) == [str(condarc)]


def test_neither_output_nor_log_nor_diff_of_a_run_has_it(play, place, server, tmp_path):
    """All of it at once, with -vvv and --diff, in a log file, and in what the node logs."""
    tasks = []
    for at, (module, options) in PLACES.items():
        for form in ("password", "upper case", "signature"):
            given = options(place, FORMS[form].replace("SERVER", server))
            tasks.append({"name": at, "hpc.pytorch." + module: given, "ignore_errors": True})
    log = tmp_path / "ansible.log"
    done = play(tasks, {}, "-vvv", "--diff", environment={"ANSIBLE_LOG_PATH": str(log), "HOME": str(place)})
    assert done.recap["ignored"] == len(tasks), done.output
    assert SECRET not in done.output and SECRET not in log.read_text()


# --- the site's condarc ------------------------------------------------------------------------------------------


def _role(**variables: t.Any) -> tuple[list[t.Any], dict[str, t.Any]]:
    return [{"ansible.builtin.include_role": {"name": "hpc.pytorch.conda", "tasks_from": "site"}}], variables


@pytest.fixture
def base(place: pathlib.Path) -> dict[str, t.Any]:
    """Variables for a base of root's that exists."""
    folder = place / "conda"
    for name in ("bin/conda", "bin/activate", "conda-meta/history"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    return {
        "conda_prefix": str(folder),
        "conda_method": "existing",
        "conda_expose": ["module"],
        "conda_engine_prefix": str(place / "engine"),
        "conda_modulefiles_dir": str(place / "modulefiles"),
    }


@pytest.mark.parametrize("form", ["password", "token", "signature"])
@pytest.mark.parametrize("check", [[], ["--check"]])
def test_a_site_has_no_credentials_in_its_condarc(play, place, base, form, check):
    channel = FORMS[form].replace("SERVER", "host.example.org")
    done = play(*_role(**base, conda_channels=["conda-forge", channel]), "-vvv", "--diff", *check)
    assert done.rc != 0 and "host.example.org/c" in done.output and "~/.netrc" in done.output, done.output
    assert SECRET not in done.output and _files_with_the_secret(place / "conda") == []


def test_a_site_may_have_variables_in_its_condarc(play, place, base):
    channel = "https://host.example.org/t/${TOKEN}/c"
    done = play(*_role(**base, conda_channels=[channel]))
    condarc = place / "conda/.condarc"
    assert done.rc == 0 and channel in condarc.read_text() and condarc.stat().st_mode & 0o777 == 0o644, done.output


def test_a_condarc_of_ones_own_is_private(play, place, base):
    channel = FORMS["token"].replace("SERVER", "host.example.org")
    done = play(*_role(**dict(base, conda_expose=["bashrc"]), conda_channels=[channel]), "-vvv", "--diff")
    condarc = place / "conda/.condarc"
    assert done.rc == 0 and SECRET not in done.output, done.output
    assert channel in condarc.read_text() and condarc.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("form", ["password", "token", "signature"])
def test_the_plan_of_an_environment_does_not_show_it(play, place, form):
    channel = FORMS[form].replace("SERVER", "host.example.org")
    done = play(
        [{"ansible.builtin.include_role": {"name": "hpc.pytorch.torch_env", "tasks_from": "build"}}],
        {"conda_channels": [channel]},
        "-vvv",
        "--diff",
    )
    assert SECRET not in done.output, done.output


# --- command lines -----------------------------------------------------------------------------------------------


def test_no_command_line_of_git_has_it(place, tmp_path):
    """pip's own way to a repository, with a git that writes down what every user could see of it."""
    code = (
        "import os, subprocess, sys; sys.path.insert(0, %r); "
        "from ansible_collections.hpc.pytorch.plugins.module_utils._source.git import without_git_credentials; "
        "lines, settings = without_git_credentials(['git+http://alice:%s@127.0.0.1:9/o/tool@v1'], os.environ); "
        "print(lines[0]); "
        "variables = {name: secret.reveal() for name, secret in settings.items()}; "
        "sys.exit(subprocess.run([sys.executable, '-m', 'pip', 'download', '--no-deps', '--dest', %r, lines[0]], "
        "env=dict(os.environ, **variables)).returncode)"
    ) % (str(pathlib.Path(__file__).resolve().parents[3] / ".collections"), SECRET, str(tmp_path))
    seen = tmp_path / "seen"
    git = tmp_path / "bin/git"
    git.parent.mkdir()
    # Its answer to "git version" lets pip go on to clone.
    git.write_text(
        "#!/bin/sh\necho git version 2.40.0\n"
        'printf "%%s\\n" "$*" >> %s\nenv | grep GIT_CONFIG > %s.env\n[ "$1" = version ]\n'
        % ((shlex.quote(str(seen)),) * 2)
    )
    git.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PATH": "%s:/usr/bin:/bin" % git.parent},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode and SECRET not in done.stdout, done.stdout
    assert "127.0.0.1:9/o/tool" in seen.read_text() and SECRET not in seen.read_text()
    assert "extraHeader" in pathlib.Path(str(seen) + ".env").read_text()
