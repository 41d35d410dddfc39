# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the scripts that sbatch-lint is given. Private to hpc.pytorch."""

from __future__ import annotations

import os
import sys

from .._common.errors import UserError
from .._files.files import read_regular

STDIN = "-"
# Bytes. Slurm refuses a longer script by default: slurm.conf(5), SchedulerParameters, max_script_size.
LARGEST = 4 * 1024 * 1024


def read_script(path: str) -> str:
    """The text of the script at *path*, or of the standard input for ``-``.

    :raises UserError: it cannot be read, or is not a text.
    """
    if path == STDIN:
        if sys.stdin is None:
            raise UserError(_what(path), "a closed input", "name a file, or pipe the script into sbatch-lint -")
        data = sys.stdin.buffer.read(LARGEST + 1)
    else:
        _require_file(path)
        try:
            data = read_regular(path, LARGEST + 1)
        except OSError as error:
            # The file has grown since: read_regular is as strict about its length.
            raise UserError(_what(path), str(error.strerror), "correct its name or its permissions") from error
    return _text(path, data)


def shown(path: str) -> str:
    """What a finding calls the script."""
    return "<stdin>" if path == STDIN else path


def _require_file(path: str) -> None:
    if os.path.isdir(path):
        raise UserError(_what(path), "a folder", "name the scripts in it")
    if os.path.exists(path) and not os.path.isfile(path):
        raise UserError(_what(path), "not a regular file", "pipe it into sbatch-lint -")
    if os.path.isfile(path) and os.path.getsize(path) > LARGEST:
        raise _too_long(path)


def _text(path: str, data: bytes) -> str:
    if len(data) > LARGEST:
        raise _too_long(path)
    if b"\0" in data:
        raise UserError(_what(path), "a binary file", "name the script that you give to sbatch")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(
            _what(path) + " in UTF-8",
            "byte 0x%02x in line %d" % (data[error.start], line),
            "save it in UTF-8, or convert it, such as with iconv -f latin1 -t utf-8",
        ) from error


def _too_long(path: str) -> UserError:
    return UserError(
        _what(path), "more than %d bytes, which Slurm refuses" % LARGEST, "keep data in files of their own"
    )


def _what(path: str) -> str:
    return "a job script at %s" % shown(path)
