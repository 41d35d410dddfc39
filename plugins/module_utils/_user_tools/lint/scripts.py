# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the files that sbatch-lint and guide-lint are given. Private to hpc.pytorch."""

from __future__ import annotations

import os
import sys
import typing as t

from ..._common.errors import UserError
from ..._files.files import read_regular

STDIN = "-"


class Kind(t.NamedTuple):
    """What a tool reads, for its messages.

    :arg most: bytes.
    :arg why: the reason for the limit.
    """

    noun: str
    plural: str
    tool: str
    most: int
    why: str


# Slurm refuses a longer script by default: slurm.conf(5), SchedulerParameters, max_script_size.
SCRIPT = Kind("a job script", "the scripts", "sbatch-lint", 4 * 1024 * 1024, "which Slurm refuses")


def read_script(path: str, kind: Kind = SCRIPT) -> str:
    """The text of the file at *path*, or of the standard input for ``-``.

    :raises UserError: it cannot be read, or is not a text.
    """
    if path == STDIN:
        if sys.stdin is None:
            raise UserError(_what(path, kind), "a closed input", "name a file, or pipe it into %s -" % kind.tool)
        data = sys.stdin.buffer.read(kind.most + 1)
    else:
        _require_file(path, kind)
        try:
            data = read_regular(path, kind.most + 1)
        except OSError as error:
            # The file has grown since: read_regular is as strict about its length.
            raise UserError(_what(path, kind), str(error.strerror), "correct its name or its permissions") from error
    return _text(path, data, kind)


def shown(path: str) -> str:
    """What a finding calls the script."""
    return "<stdin>" if path == STDIN else path


def _require_file(path: str, kind: Kind) -> None:
    if os.path.isdir(path):
        raise UserError(_what(path, kind), "a folder", "name %s in it" % kind.plural)
    if os.path.exists(path) and not os.path.isfile(path):
        raise UserError(_what(path, kind), "not a regular file", "pipe it into %s -" % kind.tool)
    if os.path.isfile(path) and os.path.getsize(path) > kind.most:
        raise _too_long(path, kind)


def _text(path: str, data: bytes, kind: Kind) -> str:
    if len(data) > kind.most:
        raise _too_long(path, kind)
    if b"\0" in data:
        raise UserError(_what(path, kind), "a binary file", "name a text")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(
            _what(path, kind) + " in UTF-8",
            "byte 0x%02x in line %d" % (data[error.start], line),
            "save it in UTF-8, or convert it, such as with iconv -f latin1 -t utf-8",
        ) from error


def _too_long(path: str, kind: Kind) -> UserError:
    return UserError(
        _what(path, kind), "more than %d bytes, %s" % (kind.most, kind.why), "keep data in files of their own"
    )


def _what(path: str, kind: Kind) -> str:
    return "%s at %s" % (kind.noun, shown(path))
