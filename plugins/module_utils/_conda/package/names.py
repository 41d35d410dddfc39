# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges the names that a package and a channel's index bring: paths, file names, versions. No I/O.

Private to hpc.pytorch. A channel's index and a package's records are hostile input: each becomes part of a path.
"""

from __future__ import annotations

import re
import typing as t

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")
# conda's versions have an epoch (1!2.0), a local part (2.13.0+cpu) and, rarely, = or ~.
_VERSION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+!~=-]*\Z")
_BUILD = re.compile(r"[A-Za-z0-9_.+-]*\Z")
_COMMAND = re.compile(r"[^\s/\\][^/\\]*\Z")
_CONTROL = re.compile(r"[\0-\x1f\x7f-\x9f]")
_ODD_PART = re.compile(r"(?:^|/)\.{0,2}(?:/|\Z)")
_LONGEST_NAME = 255
_DEEPEST = 200
_LONGEST_PATH = 4000
# Every tool of conda's keeps its own state here, and so do we.
RECORDS_FOLDER = "conda-meta"
_RECORDS = ("history", "pinned", "state", "frozen")
_RECORD_STARTS = (".", "hpc_pytorch", "prefix_record")

Parts = t.Tuple[str, ...]


def bad_path(path: t.Any) -> str | None:
    """Why *path* cannot be the path of a file in a package, or None: ``../x``, ``/x``, ``a//b``, a line's end."""
    if not isinstance(path, str):
        return "which is no text"
    if not path:
        return "which is empty"
    if path.startswith("/"):
        return "an absolute path"
    if has_control(path):
        return "with a control character"
    if _ODD_PART.search(path):
        return "which is not a plain path in the environment"
    if path.count("/") > _DEEPEST:
        return "which is too deep"
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        return "which is not valid UTF-8"
    too_long = len(encoded) > _LONGEST_NAME and max(map(len, encoded.split(b"/"))) > _LONGEST_NAME
    if too_long or len(encoded) > _LONGEST_PATH:
        return "which is longer than a file system takes"
    return None


def has_control(text: str) -> bool:
    """Whether *text* holds a control character, such as a line's end or NUL."""
    return bool(_CONTROL.search(text))


def is_record(parts: Parts) -> bool:
    """Whether a path in an environment is a record of conda's or of ours, or the folder that holds them.

    Without regard to case, since some file systems have none.
    """
    if not parts or parts[0].casefold() != RECORDS_FOLDER:
        return False
    if len(parts) == 1:
        return True
    name = parts[1].casefold()
    return name in _RECORDS or name.startswith(_RECORD_STARTS) or name.endswith(".json")


def bad_package(name: t.Any, version: t.Any, build: t.Any) -> str | None:
    """Why these cannot name a package's folder in a cache and its record in an environment, or None."""
    for what, value, pattern in (("name", name, _NAME), ("version", version, _VERSION), ("build", build, _BUILD)):
        if not isinstance(value, str) or not pattern.match(value):
            return "the %s %.80r" % (what, value)
    if len("%s-%s-%s" % (name, version, build)) > _LONGEST_NAME - len(".tar.bz2"):
        return "a name of more than %d letters" % (_LONGEST_NAME - len(".tar.bz2"))
    return None


def bad_archive_name(file_name: t.Any, suffixes: tuple[str, ...]) -> str | None:
    """Why *file_name* cannot be the name of a package's archive, or None."""
    if not isinstance(file_name, str) or bad_path(file_name) or "/" in file_name or not file_name.isprintable():
        return "the file name %.80r" % (file_name,)
    if file_name.startswith(".") or not file_name.endswith(suffixes):
        return "the file name %.80r" % file_name
    return None


def bad_command(name: t.Any) -> str | None:
    """Why *name* cannot be a command in ``bin``, or None."""
    if not isinstance(name, str) or not _COMMAND.match(name) or name in (".", "..") or bad_path(name):
        return "the command %.80r" % (name,)
    return None
