# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""conda_env's pip option: the option lines of a requirements file, with the real pip and indexes on loopback."""

from __future__ import annotations

import functools
import hashlib
import http.server
import pathlib
import threading

import pytest

CREDENTIALS = "alice:pa55word"


@pytest.fixture
def index_with_password(index: str) -> str:
    return index.replace("http://", "http://%s@" % CREDENTIALS)


def installed(prefix: pathlib.Path) -> list[str]:
    names = (path.name.removesuffix(".dist-info") for path in prefix.glob("lib/python3*/site-packages/tiny*.dist-info"))
    return sorted(names)


def everything_below(prefix: pathlib.Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in prefix.rglob("*") if path.is_file() and path.suffix != ".pyc"}


def test_option_lines_are_pips_own_and_keep_their_order(env, index_with_password, tiny_wheels, tmp_path):
    prefix = tmp_path / "env"
    for name, version in (("cu126", "1.0+cu126"), ("cu130", "2.0+cu130")):
        tiny_wheels.make_wheel(
            tmp_path / "indexes" / name / "simple/tinytorch", "tinytorch", version, requires=["tinydep"]
        )
        (tmp_path / "indexes" / name / "simple/tinydep").mkdir()
    tiny_wheels.make_wheel(tmp_path / "wheels", "tinydep", "1.0")
    # Of two index-urls pip takes the last: sorted, this would be 2.0.
    lines = [
        "--index-url %s/cu130/simple" % index_with_password,
        "tinytorch",
        "--find-links %s/wheels" % tmp_path,
        "--index-url %s/cu126/simple" % index_with_password,
    ]
    checked = env("--check", pip=lines)
    assert checked.rc == 0 and checked.recap["changed"] == 1 and not prefix.exists(), checked.output
    made = env("-vvv", pip=lines)
    assert made.recap["changed"] == 1, made.output
    assert installed(prefix) == ["tinydep-1.0", "tinytorch-1.0+cu126"]
    assert env(pip=lines).recap["changed"] == 0
    # The same index with another password is the same request: nothing is asked.
    assert env(pip=[line.replace("pa55word", "rotated") for line in lines]).recap["changed"] == 0

    other = [
        "--index-url %s/cu130/simple" % index_with_password,
        "--find-links %s/wheels" % tmp_path,
        "tinytorch==2.0+cu130",
    ]
    predicted = env("--check", pip=other)
    assert predicted.recap["changed"] == 1 and installed(prefix) == ["tinydep-1.0", "tinytorch-1.0+cu126"]
    assert env(pip=other).recap["changed"] == 1
    assert installed(prefix) == ["tinydep-1.0", "tinytorch-2.0+cu130"]
    assert env("--check", pip=other).recap["changed"] == 0

    assert "pa55word" not in made.output + checked.output + predicted.output
    assert not [path for path, content in everything_below(prefix).items() if b"pa55word" in content]


def test_only_the_file_with_the_hash_is_installed(env, tiny_wheels, tmp_path):
    prefix = tmp_path / "env"
    wheel = tiny_wheels.make_wheel(tmp_path / "wheels", "tinytool", "1.0")
    options = ["--no-index", "--find-links %s" % (tmp_path / "wheels"), "--require-hashes"]
    right = options + ["tinytool==1.0 \\\n    --hash=sha256:%s" % hashlib.sha256(wheel.read_bytes()).hexdigest()]
    wrong = options + ["tinytool==1.0 --hash=sha256:%s" % ("0" * 64)]

    failed = env(pip=wrong)
    assert failed.rc != 0 and "HASHES" in failed.output and not prefix.exists(), failed.output
    assert env(pip=options + ["tinytool==1.0"]).rc != 0
    assert env(pip=[]).recap["changed"] == 1
    before = everything_below(prefix)
    failed = env(pip=wrong)
    assert failed.rc != 0 and "HASHES" in failed.output
    assert everything_below(prefix) == before
    assert env(pip=right).recap["changed"] == 1
    assert installed(prefix) == ["tinytool-1.0"]
    assert env(pip=right).recap["changed"] == 0


def test_a_password_is_on_no_command_line_and_in_no_file_that_others_read_or_that_stays(
    env, tiny_wheels, tmp_path, monkeypatch
):
    """The index inspects processes: while it answers, pip is running."""
    seen: list[tuple[str, str, str]] = []
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))

    class Watching(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            for folder in pathlib.Path("/proc").glob("[0-9]*"):
                try:
                    words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
                except OSError:
                    continue
                # This env's pip: other tests run pip at the same time.
                if words[0].startswith(str(tmp_path)) and "--requirement" in words:
                    path = pathlib.Path(words[words.index("--requirement") + 1])
                    seen.append((" ".join(words), oct(path.stat().st_mode & 0o777), path.read_text()))
            super().do_GET()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    tiny_wheels.make_wheel(tmp_path / "watched/tinytool", "tinytool", "1.0")
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Watching, directory=str(tmp_path / "watched"))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        done = env(pip=["--index-url http://%s@127.0.0.1:%d" % (CREDENTIALS, server.server_port), "tinytool"])
    finally:
        server.shutdown()
        server.server_close()
    assert done.rc == 0, done.output
    assert seen and all(
        "pa55word" not in command and mode == "0o600" and "pa55word" in text for command, mode, text in seen
    )
    assert not [path for path in scratch.rglob("*") if path.is_file() and b"pa55word" in path.read_bytes()]
