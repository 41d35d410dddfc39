# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the CUDA toolkit of this machine, its version and where that is stated. Reads files and may run nvcc.
Private to hpc.pytorch.
"""

from __future__ import annotations

import os
import typing as t

from .._common.errors import UserError
from .._common.process import run_limited
from .._common.versions import is_version, major_minor, numbers, starts_with
from .._files.environment import roots_own
from .._files.files import open_regular
from .._files.trust import require_trusted, untrusted_because
from . import parse

DEFAULT_HOME = "/usr/local/cuda"
_LIB_FOLDERS = ("lib64", "lib")
_LARGEST = 4 * 1024 * 1024
# Seconds that nvcc may take, where no file states the version.
_NVCC_SECONDS = 20


class Toolkit(t.NamedTuple):
    """One toolkit. ``statements`` has the version by source, the best source first."""

    home: str
    version: str
    source: str
    nvcc: str | None
    lib_dir: str | None
    statements: dict[str, str]

    @property
    def conflicts(self) -> list[str]:
        """The sources that state another release than the best one.

        The third number counts differently in different files of one toolkit, so it does not matter.
        """
        return [
            "%s says %s, %s says %s" % (self.source, self.version, source, version)
            for source, version in self.statements.items()
            if not numbers(version)[:2] == numbers(self.version)[:2]
        ]


class Finder:
    """Finds a toolkit. ``warnings`` collects what the user should know although nothing failed."""

    def __init__(self, environment: t.Mapping[str, str], seconds: float) -> None:
        self._environment = environment
        self._seconds = seconds
        self.warnings: list[str] = []

    def at(self, home: str) -> Toolkit:
        """Return the toolkit at *home*.

        :raises UserError: there is none.
        """
        check_home(home)
        home = os.path.normpath(home)
        found = self._read(home)
        if found is None:
            raise UserError(
                "a CUDA toolkit at %s (version.json, version.txt or bin/nvcc)" % home,
                _what_is_at(home),
                _where_else(home),
            )
        return found

    def anywhere(self) -> Toolkit | None:
        """Return the first toolkit of $CUDA_HOME, /usr/local/cuda and nvcc on PATH, or None."""
        declared = self._environment.get("CUDA_HOME", "")
        if declared:
            found = self._read(os.path.normpath(declared)) if os.path.isabs(declared) else None
            if found:
                return found
            self.warnings.append("CUDA_HOME is %r, where there is no toolkit" % declared)
        return self._read(DEFAULT_HOME) or self._of_nvcc_on_path()

    def _read(self, home: str) -> Toolkit | None:
        if not os.path.isdir(home):
            return None
        statements = {}
        for name, version_in in (("version.json", parse.from_version_json), ("version.txt", parse.from_version_txt)):
            text = _text(os.path.join(home, name))
            version = version_in(text) if text is not None else None
            if version:
                statements[name] = version
            elif text is not None:
                self.warnings.append("%s states no CUDA version" % os.path.join(home, name))
        nvcc: str | None = os.path.join(home, "bin", "nvcc")
        if not os.path.isfile(str(nvcc)):
            nvcc = None
        if nvcc:
            version_of_nvcc = self._ask(nvcc, needed=not statements)
            if version_of_nvcc:
                statements["nvcc"] = version_of_nvcc
        if not statements:
            return None
        header = _text(os.path.join(home, "include", "cuda_runtime_api.h"))
        stated = parse.from_header(header) if header else None
        source = next(iter(statements))
        version = statements[source]
        if stated:
            statements["include/cuda_runtime_api.h"] = stated
        lib_dir = next(
            (os.path.join(home, name) for name in _LIB_FOLDERS if os.path.isdir(os.path.join(home, name))), None
        )
        return Toolkit(home, version, source, nvcc, lib_dir, statements)

    def _ask(self, nvcc: str, needed: bool) -> str | None:
        """Return the version that ``nvcc --version`` prints.

        :arg needed: whether no file states the version, so that an nvcc that cannot or must not run is an error.
        """
        if not needed and os.geteuid() == 0 and untrusted_because(nvcc):
            return None
        require_trusted(nvcc, "nvcc")
        result = run_limited([nvcc, "--version"], self._seconds, roots_own(self._environment))
        version = parse.from_nvcc(result.stdout) if not result.problem else None
        if version is None:
            problem = result.problem or "it names no release"
            if needed:
                raise UserError(
                    "%s --version to name a release, as there is no version.json or version.txt next to it" % nvcc,
                    problem,
                    "fix this nvcc (is it executable, and made for this machine?) or give another cuda_home",
                )
            self.warnings.append("%s --version failed: %s" % (nvcc, problem))
        return version

    def _of_nvcc_on_path(self) -> Toolkit | None:
        nvcc = trusted_on_path("nvcc", self._environment)
        if nvcc is None:
            return None
        home = os.path.dirname(os.path.dirname(os.path.realpath(nvcc)))
        # A wrapper on PATH lies outside the toolkit; nvcc itself knows its folder.
        result = run_limited([nvcc, "--dryrun", "-x", "cu", "/dev/null"], self._seconds, roots_own(self._environment))
        top = parse.top_of_dryrun(result.stderr + "\n" + result.stdout)
        return self._read(os.path.normpath(top) if top else home)


def check_home(home: str) -> None:
    """Refuse a cuda_home that cannot be an element of PATH.

    :raises UserError: it is relative, or has a colon, ``..`` or control characters in it.
    """
    if not os.path.isabs(home):
        found = "a relative path"
    elif ":" in home:
        found = "a colon in it, which PATH takes for its separator"
    elif ".." in home.split("/"):
        found = "'..' in it"
    elif any(not char.isprintable() for char in home):
        found = "a line break or another control character in it"
    else:
        return
    raise UserError("an absolute path in cuda_home, not %r" % home, found, "give the full path of the toolkit's folder")


def checked_toolkit(home: str, version: str | None, environment: t.Mapping[str, str]) -> tuple[Toolkit, list[str]]:
    """Return the toolkit at *home*, and what to warn of. Neither the driver nor a GPU is asked.

    :raises UserError: no toolkit is there, or its version is not *version*.
    """
    finder = Finder(dict(environment, LC_ALL="C"), _NVCC_SECONDS)
    toolkit = finder.at(home)
    if version is not None:
        check_version(toolkit, version)
    return toolkit, finder.warnings + toolkit.conflicts


def check_version(toolkit: Toolkit | None, expected: str) -> None:
    """Refuse another version than the expected one.

    :raises UserError: the version is another one, is unknown, or its sources contradict each other.
    """
    if not is_version(expected):
        raise UserError(
            "a version such as 10.1 or 12.4.1", repr(expected), "quote it in YAML and write numbers with dots"
        )
    if toolkit is None:
        raise UserError(
            "a CUDA %s toolkit" % expected,
            "none at $CUDA_HOME, at %s or by nvcc on PATH" % DEFAULT_HOME,
            "give its folder as cuda_home, or load its module first",
        )
    if not _is_of(toolkit.version, expected):
        raise UserError(
            "CUDA %s at %s" % (expected, toolkit.home),
            "CUDA %s (%s)" % (toolkit.version, toolkit.source),
            "give the cuda_home of CUDA %s, or declare %s" % (expected, major_minor(toolkit.version)),
        )
    if toolkit.conflicts:
        raise UserError(
            "one CUDA version at %s" % toolkit.home,
            "; ".join(toolkit.conflicts),
            "install one whole toolkit there, or give another cuda_home",
        )


def _is_of(version: str, expected: str) -> bool:
    """Whether a toolkit that states *version* may be of the release *expected*.

    The third number has three meanings: 12.4.1 counts updates, nvcc's 12.4.131 of the same toolkit counts its own
    builds, and a version.json may have the date: 11.8.20220929. Up to CUDA 10 there is only one: 10.1.243.
    """
    wanted, stated = numbers(expected), numbers(version)
    if wanted[0] < 11 or wanted[:2] != stated[:2] or len(wanted) < 3:
        return starts_with(version, expected)
    return len(stated) < 3 or _kind(stated[2]) != _kind(wanted[2]) or starts_with(version, expected)


def _kind(third: int) -> str:
    return "update" if third < 10 else "build" if third < 10_000 else "date"


def trusted_on_path(name: str, environment: t.Mapping[str, str], extra: t.Sequence[str] = ()) -> str | None:
    """Return the first *name* on PATH and in *extra* that this process may execute, or None.

    :raises UserError: this is root, and another user can write each one that there is.
    """
    refused = None
    for folder in environment.get("PATH", "").split(os.pathsep) + list(extra):
        candidate = os.path.join(folder, name)
        if not os.path.isabs(candidate) or not os.path.isfile(candidate) or not os.access(candidate, os.X_OK):
            continue
        if os.geteuid() != 0 or untrusted_because(candidate) is None:
            return candidate
        refused = refused or candidate
    if refused:
        require_trusted(refused, name)
    return None


def _text(path: str) -> str | None:
    try:
        with open_regular(path) as stream:
            return stream.read(_LARGEST).decode("utf-8", "replace")
    except OSError:
        return None


def _what_is_at(home: str) -> str:
    if not os.path.lexists(home):
        return "nothing there"
    if not os.path.exists(home):
        return "a symlink that leads nowhere"
    if not os.path.isdir(home):
        return "a file"
    return "a folder without one"


def _where_else(home: str) -> str:
    """Name toolkits one step away: users give the parent folder, its bin, or a link of another name."""
    try:
        below = sorted(os.path.join(home, name) for name in os.listdir(home))
    except OSError:
        below = []
    near = [folder for folder in below + [os.path.dirname(home)] if _is_toolkit(folder)]
    if near:
        return "set cuda_home to %s" % " or ".join(near[:3])
    return "correct cuda_home, mount the folder on this host, or install the toolkit there"


def _is_toolkit(folder: str) -> bool:
    return any(os.path.isfile(os.path.join(folder, part)) for part in ("bin/nvcc", "version.json", "version.txt"))
