# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuses to let root run a job that relies on what another user can write. Private to hpc.pytorch."""

from __future__ import annotations

import os
import re
import stat
import typing as t

from ..._common.errors import UserError
from ..._files.paths import nearest_existing
from ..._files.trust import cure, untrusted_because, untrusted_within

# Absolute paths in a line of shell, in quotes or not.
_PATH = re.compile(r"'(/[^']*)'|\"(/[^\"$`]*)\"|(?<![\w./~$}-])(/[^\s'\"`$;&|<>(){}\\]+)")
_SOURCED = re.compile(r"(?:^|[\s;&|(])(?:source|\.|cd)\s+(?:--\s+|-P\s+)*$")
# Of an environment: what activation and an interpreter read. Not envs and pkgs of a base, which belong to many.
_PARTS = ("bin", "condabin", "conda-meta", "etc", "lib", "shell", "pyvenv.cfg")
_CODE = (".py", ".pyc", ".so")


def require_trusted_job(script: str, text: str, chdir: str, relied_on: t.Sequence[str]) -> None:
    """Refuse, as root, a job that would execute what another user can write.

    :arg script: its path; without *chdir* the job runs in its folder.
    :arg text: its content. Absolute paths in it count if they are environments or programs, or are entered or sourced.
    :arg relied_on: more paths that the job enters or activates.
    :raises UserError: with ``become_user`` as the remedy.
    """
    if os.geteuid() != 0:
        return
    work = chdir if os.path.isabs(chdir) else os.path.join(os.path.dirname(script), chdir)
    folders = [work, *relied_on]
    envs = _Envs()
    for path, reason in [*((folder, _in_folder(folder, envs)) for folder in folders), *_named(text, envs)]:
        if reason:
            raise UserError(
                "a job that enters and starts only what root alone can write, as this runs as root",
                "%s (it relies on %s)" % (reason, path),
                cure(reason),
            )


class _Envs:
    """Judges each environment once: a script names its own several times, and one with torch has 25,000 files."""

    def __init__(self) -> None:
        self._known: dict[str, str | None] = {}

    def reason(self, prefix: str) -> str | None:
        """Why another user can change what is read of the environment at *prefix*, or None."""
        if prefix not in self._known:
            self._known[prefix] = _in_env(prefix)
        return self._known[prefix]


def _named(text: str, envs: _Envs) -> t.Iterator[tuple[str, str | None]]:
    """Paths that the commands of the script name, and why another user can change what root would execute there."""
    for line in text.split("\n"):
        if line.lstrip().startswith("#"):
            continue
        for match in _PATH.finditer(line):
            path = next(filter(None, match.groups()), "")
            try:
                status = os.stat(path)
            except (OSError, ValueError):
                continue
            sourced = _SOURCED.search(line[: match.start()])
            if stat.S_ISDIR(status.st_mode):
                if sourced or _is_env(path):
                    yield path, _in_folder(path, envs)
            elif stat.S_ISREG(status.st_mode) and (sourced or status.st_mode & 0o111 or path.endswith(_CODE)):
                yield path, untrusted_because(path) or _in_its_env(path, envs)


def _in_its_env(path: str, envs: _Envs) -> str | None:
    """The same for the environment that the file *path* belongs to: ENV/bin/python, ENV/etc/profile.d/conda.sh."""
    folder = os.path.dirname(path)
    for _level in range(2):
        folder = os.path.dirname(folder)
        if _is_env(folder):
            return envs.reason(folder)
    return None


def _in_folder(path: str, envs: _Envs) -> str | None:
    reason = untrusted_because(nearest_existing(path))
    if reason or not os.path.isdir(path):
        return reason
    if _is_env(path):
        return envs.reason(path)
    venv = os.path.join(path, ".venv")
    # A Python that runs there imports from there first.
    return _code_in(path) or (envs.reason(venv) if _is_env(venv) else None)


def _code_in(folder: str) -> str | None:
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if name.endswith(_CODE) or os.path.exists(os.path.join(path, "__init__.py")):
            reason = untrusted_because(path)
            if reason:
                return reason
    return None


def _is_env(path: str) -> bool:
    return os.path.isdir(os.path.join(path, "conda-meta")) or os.path.isfile(os.path.join(path, "pyvenv.cfg"))


def _in_env(prefix: str) -> str | None:
    for part in (prefix, *(os.path.join(prefix, name) for name in _PARTS)):
        if os.path.lexists(part):
            reason = untrusted_because(part)
            if not reason and part != prefix and os.path.isdir(part):
                reason = untrusted_within(part)
            if reason:
                return reason
    return None
