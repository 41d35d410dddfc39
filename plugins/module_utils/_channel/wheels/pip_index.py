# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chooses and downloads wheels for an interpreter with pip. Private to hpc.pytorch. Runs in the engine's venv.

pip first only reports its choice. A choice that would bring CUDA is refused there, before anything large is downloaded.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import sys
import typing as t
import urllib.parse

from ..._common.errors import UserError
from ..._common.process import follow, run
from ..._common.redact import Address, without_credentials
from ..._files.environment import clean_environment
from ..._files.files import sha256_of_file
from ..._files.progress import Progress
from ..._source import pip_output
from ..._source.parse import local_path
from ..._source.trusted import require_trusted_packages
from ..python.interpreter import Interpreter
from .names import Wheel, normal_name

_CPU_REMEDY = (
    "name a release in wheels (channel_wheels) that has a CPU wheel here, "
    "point cpu_index (channel_cpu_index) to an index of CPU wheels that this machine reaches, "
    "add a folder that holds one to wheel_find_links (channel_wheel_find_links), "
    "or, to download CUDA with its gigabytes, empty wheel_refuse and set wheel_max_megabytes to 0: "
    """-e '{"channel_wheel_refuse": [], "channel_wheel_max_megabytes": 0}'"""
)


class Index(t.NamedTuple):
    """The places that wheels come from, and the wheels to refuse."""

    url: Address | None = None
    extra_url: Address | None = None
    find_links: tuple[Address, ...] = ()
    no_index: bool = False
    refuse: tuple[str, ...] = ()
    max_megabytes: int = 0

    def lines(self) -> list[str]:
        """The options as lines of a requirements file, since every user can read a command line."""
        lines = ["--no-index"] if self.no_index else []
        lines += ["--index-url " + self.url.reveal()] if self.url and not self.no_index else []
        lines += ["--extra-index-url " + self.extra_url.reveal()] if self.extra_url and not self.no_index else []
        return lines + ["--find-links " + place.reveal() for place in self.find_links]


def choose(
    interpreter: Interpreter, requirements: t.Sequence[str], index: Index, folder: str, progress: Progress
) -> list[Wheel]:
    """The wheels that pip chooses for *requirements* and their dependencies. Nothing is installed.

    :raises UserError: pip finds no set, or one that :attr:`Index.refuse` or :attr:`Index.max_megabytes` excludes.
    """
    report = os.path.join(folder, "report.json")
    arguments = ["install", "--dry-run", "--ignore-installed", "--report", report]
    _run_pip(interpreter, arguments, list(requirements), index, folder, progress, "resolve")
    with open(report) as stream:
        wheels = sorted(read_report(json.load(stream)), key=lambda wheel: wheel.name)
    os.unlink(report)
    # A page of an index may name any address.
    require_trusted_packages([wheel.url for wheel in wheels], local=True)
    refused = [wheel for wheel in wheels if pip_output.is_refused(wheel.name, index.refuse)]
    if refused:
        raise refused_error(requirements, refused[0].name, index)
    return wheels


def fetch(
    interpreter: Interpreter, wheels: t.Sequence[Wheel], index: Index, folder: str, progress: Progress
) -> dict[str, str]:
    """Download the chosen wheels, and check the digests in pip's report. Returns their paths by file name.

    :raises UserError: a wheel has disappeared or has another digest.
    """
    paths = {wheel.file_name: path for wheel in wheels for path in [local_path(wheel.url)] if path}
    remote = [wheel for wheel in wheels if wheel.file_name not in paths]
    for hashed in (True, False):
        # If one line of a requirements file has a digest, pip demands one for every line.
        lines = [_pin(wheel) for wheel in remote if bool(wheel.sha256) == hashed]
        if lines:
            _run_pip(
                interpreter, ["download", "--no-deps", "--dest", folder], lines, index, folder, progress, "download"
            )
    for wheel in remote:
        paths[wheel.file_name] = os.path.join(folder, wheel.file_name)
    for wheel in wheels:
        path = paths[wheel.file_name]
        found = sha256_of_file(path) if os.path.isfile(path) else "no file %s" % path
        if (wheel.sha256 and found != wheel.sha256) or not os.path.isfile(path):
            raise UserError(
                "a wheel %s with sha256 %s" % (wheel.file_name, wheel.sha256), found, "run again, or repair the index"
            )
    return paths


def read_report(report: t.Mapping[str, t.Any]) -> list[Wheel]:
    """The wheels in pip's installation report (its format is version 1)."""
    wheels = []
    for item in report.get("install", []):
        metadata, download = item["metadata"], item["download_info"]
        hashes = download.get("archive_info", {}).get("hashes") or {}
        url = download["url"]
        file_name = urllib.parse.unquote(os.path.basename(urllib.parse.urlsplit(url).path))
        if not file_name.endswith(".whl"):
            raise UserError(
                "a wheel for %s" % metadata["name"], without_credentials(url), "name a release that has wheels"
            )
        wheels.append(
            Wheel(
                name=normal_name(metadata["name"]),
                version=metadata["version"],
                file_name=file_name,
                url=url,
                sha256=hashes.get("sha256"),
                requires_dist=tuple(metadata.get("requires_dist") or ()),
                extras=tuple(item.get("requested_extras") or ()),
            )
        )
    return wheels


def refused_error(requirements: t.Sequence[str], found: str, index: Index) -> UserError:
    """The error about a choice that contains a refused project."""
    return UserError(
        "a CPU wheel for %s (none that needs %s)" % (", ".join(requirements), ", ".join(index.refuse)),
        "one that brings %s" % found,
        _CPU_REMEDY,
    )


def check_line(line: str, requirements: t.Sequence[str], index: Index) -> None:
    """Refuse a wheel as soon as a line of pip's output announces it.

    :raises UserError: before pip has read more of the wheel than its metadata.
    """
    name = pip_output.brought(line)
    if name and pip_output.is_refused(name, index.refuse):
        raise refused_error(requirements, name, index)
    wheel = pip_output.downloaded(line)
    if wheel and index.max_megabytes and wheel[1] > index.max_megabytes:
        raise UserError(
            "a CPU wheel for %s, of at most %d MB" % (", ".join(requirements), index.max_megabytes),
            "%s with %d MB" % wheel,
            _CPU_REMEDY,
        )


def _pin(wheel: Wheel) -> str:
    pin = "%s==%s" % (wheel.name, wheel.version)
    return "%s --hash=sha256:%s" % (pin, wheel.sha256) if wheel.sha256 else pin


def _pip_command(interpreter: Interpreter) -> list[str]:
    """The engine's own pip if it supports this Python, otherwise the pip of the interpreter."""
    from packaging.specifiers import SpecifierSet

    try:
        metadata = importlib.metadata.metadata("pip")
    except importlib.metadata.PackageNotFoundError:
        metadata = None
    if metadata is not None:
        supported = SpecifierSet(metadata["Requires-Python"] or "").contains(interpreter.version, prereleases=True)
        if supported and int(metadata["Version"].split(".")[0]) >= 23:
            pip = [sys.executable, "-I", "-m", "pip"]
            # With --python, pip starts itself once more.
            same = os.path.realpath(sys.executable) == os.path.realpath(interpreter.executable)
            return pip if same else [*pip, "--python", interpreter.executable]
    own = run([interpreter.python, "-I", "-m", "pip", "--version"], clean_environment())
    version = re.match(r"pip (\d+)", own.stdout)
    if own.returncode == 0 and version and int(version.group(1)) >= 23:
        return [interpreter.python, "-I", "-m", "pip"]
    raise UserError(
        "a pip 23 or newer for Python %s" % interpreter.major_minor,
        "none in the engine's venv or for %s" % interpreter.python,
        "run role hpc.pytorch.conda (entry point engine) again, or install pip for that interpreter",
    )


def _run_pip(
    interpreter: Interpreter,
    arguments: list[str],
    requirements: list[str],
    index: Index,
    folder: str,
    progress: Progress,
    step: str,
) -> None:
    listed = os.path.join(folder, "requirements.txt")
    with open(os.open(listed, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
        stream.write("\n".join(index.lines() + requirements) + "\n")
    command = _pip_command(interpreter) + ["--no-color"] + arguments
    command += ["--progress-bar", "off", "--only-binary", ":all:", "--requirement", listed]
    lines: list[str] = []

    def note(line: str) -> None:
        lines.append(line.strip())
        check_line(line, requirements, index)
        shown = pip_output.step(line)
        if shown:
            progress.report(step, without_credentials(shown[1]))

    try:
        # In a venv a default of --user is an error.
        environment = clean_environment(PYTHONUNBUFFERED="1", COLUMNS="400", PIP_USER="0")
        status = follow(command, environment, note, folder=folder, stops=True)
    finally:
        os.unlink(listed)
    if status != 0:
        errors = [line for line in lines if line.startswith("ERROR")] or lines[-2:]
        raise UserError(
            "a set of wheels for %s and Python %s on %s"
            % (_shown(requirements), interpreter.major_minor, interpreter.subdir),
            without_credentials(" ".join(errors)) or "pip exit status %d" % status,
            "correct the requirements or the index (only wheels are used, nothing is built from source)",
        )


def _shown(requirements: t.Sequence[str]) -> str:
    return without_credentials(", ".join(line.split(" --hash")[0] for line in requirements))
