# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tools/release.sh: which versions it takes, and that a release is there as a whole or not at all."""

from __future__ import annotations

import importlib.util
import os
import pathlib
import subprocess
import sys
import typing as t

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
TOOLS = ("setup.sh", "pythons.env", "release.sh", "release_version.py")


def version_tool() -> t.Any:
    spec = importlib.util.spec_from_file_location("release_version", CHECKOUT / "tools" / "release_version.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "version, current, published, found",
    [
        ("1.0.0", "1.0.0", [], None),
        ("1.0.0", "0.1.0", ["0.9.9", "not-a-version", "v2"], None),
        ("1.10.0", "1.9.0", ["1.9.0"], None),
        ("1.0.0", "1.0.0-rc.1", ["1.0.0-rc.1"], None),
        ("1.1.0-rc.1", "1.0.0", ["1.0.0"], None),
        ("1.0.0", "1.0.0", ["1.0.0"], "newer than 1.0.0; found 1.0.0"),
        ("1.9.0", "1.9.0", ["1.10.0"], "newer than 1.10.0; found 1.9.0"),
        ("1.0.0-rc.2", "1.0.0-rc.2", ["1.0.0"], "newer than 1.0.0"),
        ("1.0.0", "1.1.0", [], "from 1.1.0 on"),
        ("1.0", "1.0.0", [], "semantic version"),
        ("v1.0.0", "1.0.0", [], "semantic version"),
        ("01.0.0", "1.0.0", [], "semantic version"),
        ("1.0.0 ", "1.0.0", [], "semantic version"),
        ("--help", "1.0.0", [], "semantic version"),
        ("1.0.0+build", "1.0.0", [], "without build metadata"),
    ],
)
def test_a_version_is_semantic_and_newer(version: str, current: str, published: list[str], found: str | None) -> None:
    why = version_tool().refusal(version, current, published)
    assert why is None if found is None else found in why and "; remedy: " in why


class Repository:
    """A checkout with the real script for releases. Its other tools note that they ran, and fail on request."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.path = folder / "check out"
        self.home = folder
        self.bin = folder / "bin"
        for name in TOOLS:
            self.write("tools/" + name, (CHECKOUT / "tools" / name).read_text(encoding="utf-8"))
        self.write(
            "tools/setup.sh",
            (self.path / "tools/setup.sh").read_text(encoding="utf-8") + "setup() { PATH='%s':$PATH; }\n" % self.bin,
        )
        self.write("tools/lint.sh", '#!/bin/sh\necho lint >>"$LOG"\n[ "$BROKEN" != lint ]\n')
        self.write(
            "tools/dist.sh",
            '#!/bin/sh\necho dist >>"$LOG"\nmkdir "$1"\n[ "$BROKEN" != dist ] || exit 1\necho x >"$1/SHA256SUMS"\n'
            '[ "$BROKEN" != moved ] || echo change >>"$ORIGIN/galaxy.yml"\n',
        )
        self.write("galaxy.yml", "---\nnamespace: hpc\nversion: 0.1.0\n")
        self.write("changelogs/changelog.yaml", "ancestor: null\nreleases: {}\n")
        self.write("changelogs/fragments/a.yml", "minor_changes: [a]\n")
        self.write(".gitignore", "/out/\n")
        self.bin.mkdir()
        self.program("python", "exec '%s' \"$@\"\n" % sys.executable)
        self.program(
            "antsibull-changelog",
            'echo changelog >>"$LOG"\n[ "$BROKEN" != changelog ] || exit 1\n'
            "grep version: galaxy.yml >CHANGELOG.md\nrm changelogs/fragments/*\n",
        )
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "A Maintainer")
        self.git("config", "user.email", "maintainer@example.org")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=begin")

    def write(self, name: str, text: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def program(self, name: str, text: str) -> None:
        (self.bin / name).write_text("#!/bin/sh\n" + text, encoding="utf-8")
        (self.bin / name).chmod(0o755)

    def environment(self, broken: str = "") -> dict[str, str]:
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.home),
            "TMPDIR": str(self.home),
            "LOG": str(self.home / "log"),
            "ORIGIN": str(self.path),
            "BROKEN": broken,
        }

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.path), *arguments]
        return subprocess.run(
            command, env=self.environment(), check=True, capture_output=True, text=True
        ).stdout.strip()

    def release(self, *arguments: str, broken: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["tools/release.sh", *arguments],
            cwd=self.path,
            env=self.environment(broken),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def log(self) -> list[str]:
        path = self.home / "log"
        return path.read_text(encoding="utf-8").split() if path.exists() else []


@pytest.fixture(name="repository")
def fixture_repository(tmp_path: pathlib.Path) -> Repository:
    return Repository(tmp_path)


def test_a_release_is_a_commit_a_folder_and_a_tag(repository: Repository) -> None:
    before = repository.git("rev-parse", "HEAD")
    done = repository.release("1.0.0")
    assert done.returncode == 0, done.stderr
    assert repository.log() == ["changelog", "lint", "dist"]
    assert repository.git("log", "-1", "--format=%s, %an") == "Release 1.0.0, A Maintainer"
    assert repository.git("rev-parse", "HEAD^") == before
    assert repository.git("rev-parse", "1.0.0^{commit}") == repository.git("rev-parse", "HEAD")
    assert repository.git("cat-file", "-t", "1.0.0") == "tag"
    assert "version: 1.0.0\n" in (repository.path / "galaxy.yml").read_text(encoding="utf-8")
    assert (repository.path / "CHANGELOG.md").read_text(encoding="utf-8") == "version: 1.0.0\n"
    assert not (repository.path / "changelogs/fragments/a.yml").exists()
    assert os.listdir(repository.path / "out/1.0.0") == ["SHA256SUMS"]
    assert repository.git("status", "--porcelain") == ""
    # Nothing is left in TMPDIR.
    assert sorted(os.listdir(repository.home)) == ["bin", "check out", "log"]


@pytest.mark.parametrize("broken", ["changelog", "lint", "dist", "moved"])
def test_a_failure_leaves_nothing(repository: Repository, broken: str) -> None:
    before = repository.git("rev-parse", "HEAD")
    done = repository.release("1.0.0", broken=broken)
    assert done.returncode != 0
    assert repository.git("rev-parse", "HEAD") == before
    assert repository.git("tag", "--list") == ""
    assert not (repository.path / "out").exists()
    assert sorted(os.listdir(repository.home)) == ["bin", "check out", "log"]
    if broken != "moved":
        assert repository.git("status", "--porcelain") == ""
        assert repository.release("1.0.0").returncode == 0


@pytest.mark.parametrize(
    "arguments, prepare, found",
    [
        ((), "", "expected a version"),
        (("",), "", "expected a version"),
        (("1.0",), "", "semantic version"),
        (("0.0.9",), "", "from 0.1.0 on"),
        (("1.0.0",), "git tag 1.0.0", "newer than 1.0.0"),
        (("1.0.0",), "echo >>galaxy.yml", "expected a checkout without changes; found  M galaxy.yml"),
        (("1.0.0",), "touch new", "expected a checkout without changes; found ?? new"),
        (("1.0.0",), "mkdir -p out/1.0.0", "from an earlier try"),
        (("1.0.0",), "git switch --quiet --detach", "expected a branch"),
    ],
)
def test_what_is_refused_is_refused_before_anything_is_done(
    repository: Repository, arguments: tuple[str, ...], prepare: str, found: str
) -> None:
    subprocess.run(["sh", "-ec", prepare], cwd=repository.path, env=repository.environment(), check=True)
    tags, head = repository.git("tag", "--list"), repository.git("rev-parse", "HEAD")
    done = repository.release(*arguments)
    assert done.returncode == 1 and found in done.stderr and "; remedy: " in done.stderr
    assert repository.log() == []
    assert (repository.git("tag", "--list"), repository.git("rev-parse", "HEAD")) == (tags, head)
