# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chooses the Python that the engine's venv is made with. Private to hpc.pytorch."""

from __future__ import annotations

import glob
import json
import os
import typing as t

from ..._common.errors import UserError, one_line
from ..._common.process import run
from ..._files.environment import clean_environment
from ..._files.trust import untrusted_because, untrusted_within

# The oldest Python that the engine's packages run on, and the names that are tried by default, newest first.
OLDEST_PYTHON = (3, 10)
_VERSIONS = ("3.13", "3.12", "3.11", "3.10")
_FOLDERS = ("/usr/bin", "/usr/local/bin")
# Their libraries are the system's.
_SYSTEM_PREFIXES = {"/", "/usr", "/usr/local"}

# The candidate runs this. It may be any Python from 2.7 on.
_QUESTION = """
import json, os, sys
missing = []
for name in ("venv", "ensurepip"):
    try:
        __import__(name)
    except ImportError:
        missing.append(name)
print(json.dumps({
    "version": list(sys.version_info[:3]), "missing": missing,
    "reads": [os.path.realpath(sys.executable), os.path.realpath(os.__file__)],
}))
"""


class Options(t.NamedTuple):
    """The options of module conda_engine_python_info, see its documentation."""

    python: str | None


class EnginePython(t.NamedTuple):
    """The chosen Python and its version. *rejected* has the candidates before it, each with the reason."""

    python: str
    version: str
    rejected: list[tuple[str, str]]


def candidates(wanted: str | None, folders: t.Sequence[str] = _FOLDERS) -> list[str]:
    """The Pythons to try, in order: only *wanted* if it is given, else those in *folders*."""
    if wanted:
        return [wanted]
    paths = [os.path.join(folder, "python" + version) for version in _VERSIONS for folder in folders]
    # Tried so that the error explains why it is not used: /usr/bin/python3 is 3.6 on EL8 and 3.9 on EL9.
    paths += [os.path.join(folder, "python3") for folder in folders]
    return [path for path in paths if os.path.lexists(path)]


def describe_engine_python(options: Options) -> dict[str, t.Any]:
    """The result of conda_engine_python_info. As root the engine is for all users.

    :raises UserError: no candidate can run the engine, with the reason for each.
    """
    chosen = choose_python(options.python, for_all_users=os.geteuid() == 0)
    rejected = [{"python": python, "reason": reason} for python, reason in chosen.rejected]
    return {"changed": False, "python": chosen.python, "version": chosen.version, "rejected": rejected}


def choose_python(wanted: str | None, for_all_users: bool, folders: t.Sequence[str] = _FOLDERS) -> EnginePython:
    """The first candidate that can run the engine.

    :arg wanted: the caller's choice; then no other Python is tried, and other users need not be able to read it.
    :arg for_all_users: whether other users run the engine too.
    :raises UserError: no candidate can, with the reason for each.
    """
    rejected: list[tuple[str, str]] = []
    for path in candidates(wanted, folders):
        facts: dict[str, t.Any] = {}
        reason = _untrusted(path) if os.geteuid() == 0 else None
        if reason is None:
            facts, reason = _ask(path)
        if reason is None:
            reason = reason_against(facts)
        if reason is None and for_all_users and not wanted:
            reason = next(filter(None, map(unreadable_because, facts["reads"])), None)
        if reason is None:
            return EnginePython(path, _version(facts), rejected)
        rejected.append((path, reason))
    raise UserError(
        "a Python %d.%d or newer with venv and ensurepip for the engine (conda_engine_python)" % OLDEST_PYTHON,
        "; ".join("%s: %s" % each for each in rejected) or "none in %s" % " or ".join(folders),
        "install one (python3-venv on Debian and Ubuntu, python3.12 on EL), or set conda_engine_python to another one",
    )


def reason_against(facts: t.Mapping[str, t.Any]) -> str | None:
    """Why the Python with these *facts* about itself cannot run the engine, or None. No I/O."""
    if tuple(facts["version"][:2]) < OLDEST_PYTHON:
        return "Python %s is too old" % _version(facts)
    if facts["missing"]:
        return "Python %s has no %s" % (_version(facts), " and no ".join(facts["missing"]))
    return None


def unreadable_because(path: str) -> str | None:
    """Why an ordinary user cannot read *path*, whose symlinks are resolved, or None."""
    if not os.stat(path).st_mode & 0o004:
        return "not every user can read %s" % path
    folder = os.path.dirname(path)
    while True:
        if not os.stat(folder).st_mode & 0o001:
            return "not every user can enter %s, where it lives" % folder
        if folder == "/":
            return None
        folder = os.path.dirname(folder)


def _untrusted(path: str) -> str | None:
    """Why another user could change *path* or what it imports at its start, or None."""
    reason = untrusted_because(path)
    prefixes = {os.path.dirname(os.path.dirname(each)) for each in (os.path.abspath(path), os.path.realpath(path))}
    for prefix in sorted(prefixes - _SYSTEM_PREFIXES):
        for part in glob.glob(os.path.join(glob.escape(prefix), "lib*", "python3*")):
            reason = reason or untrusted_because(part) or untrusted_within(part)
        config = os.path.join(prefix, "pyvenv.cfg")
        if os.path.lexists(config):
            reason = reason or untrusted_because(config)
    return reason


def _ask(path: str) -> tuple[dict[str, t.Any], str | None]:
    try:
        # No packages of the user's, no PYTHON* variables. Python 2 does not know -I.
        done = run([path, "-E", "-s", "-c", _QUESTION], clean_environment())
        return json.loads(done.stdout), None
    except OSError as error:
        return {}, "it does not run (%s)" % (error.strerror or error)
    except ValueError:
        return {}, "it does not run (%s)" % one_line(done.last_error)


def _version(facts: t.Mapping[str, t.Any]) -> str:
    return ".".join(str(number) for number in facts["version"])
