# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Updates the tail of an rc file on disk, after bash has checked the new content. Private to hpc.pytorch."""

from __future__ import annotations

import os
import stat
import typing as t

from .._common.errors import UserError
from .._common.process import OutOfTime, run
from .._files.files import read_regular, write_atomically
from .._files.paths import nearest_existing
from .._files.trust import untrusted_because
from .tail import render_tail

_BASH = ("/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash")
_PARSE_SECONDS = 10
# Larger than any rc file.
_LARGEST = 4 * 1024 * 1024


class Change(t.NamedTuple):
    """What :func:`update` did or would do."""

    changed: bool
    before: bytes
    after: bytes


def update(path: str, blocks: t.Mapping[str, t.Sequence[str]], write: bool = True) -> Change:
    """Write *blocks* to the tail of the file at *path*.

    :raises UserError: before anything is written.
    """
    require_own(path)
    before = _read(path)
    after = render_tail(before or b"", blocks, is_top_level)
    # An empty file is not created.
    changed = after != (before or b"")
    if changed and is_sound(before or b"") and not is_sound(after):
        raise UserError(
            "%s to be readable by bash after the change" % path,
            "a syntax error it does not have now: a managed line is in a construct, or the new lines are incomplete",
            "move the lines between the hpc.pytorch markers out of any if, loop or function, and check the given lines",
        )
    if changed and write:
        try:
            write_atomically(path, after)
        except OSError as error:
            raise UserError(
                "%s to be writable, with its folder" % path,
                error.strerror or str(error),
                "check the owner, the mode and the quota of %s" % os.path.dirname(os.path.realpath(path)),
            ) from error
    return Change(changed, before or b"", after)


def require_own(path: str) -> None:
    """Refuse, as root, a file that another user could have created or could replace, such as one in a user's home."""
    if os.geteuid() != 0:
        return
    reason = untrusted_because(nearest_existing(path))
    if reason:
        raise UserError(
            "%s to be in a folder that only root can write, as this runs as root" % path,
            reason,
            "run the task as the owner of that home: become_user (in roles: hpc_users)",
        )


def is_sound(content: bytes) -> bool:
    """Whether bash reads all of *content* as complete commands. Nothing is executed."""
    bash = _bash()
    if bash is None:
        return False
    try:
        done = run(
            [bash, "--noprofile", "--norc", "-n"],
            {"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
            seconds=_PARSE_SECONDS,
            given=content,
        )
    except (OSError, OutOfTime):
        return False
    # An unfinished here-document is only a warning to bash.
    return done.returncode == 0 and not done.stderr


def is_top_level(before: bytes) -> bool:
    """Whether a line after *before* is outside any construct. False when in doubt."""
    return is_sound(before)


def _bash() -> str | None:
    for candidate in _BASH:
        if os.access(candidate, os.X_OK) and (os.geteuid() != 0 or untrusted_because(candidate) is None):
            return candidate
    return None


def _read(path: str) -> bytes | None:
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise UserError("a regular file at %s" % path, "something else", "give the path of an rc file")
        if status.st_size > _LARGEST:
            raise UserError(
                "an rc file of at most %d bytes at %s" % (_LARGEST, path),
                "%d bytes" % status.st_size,
                "give another path",
            )
        # It may have become something else since.
        return read_regular(path, _LARGEST)
    except FileNotFoundError:
        folder = os.path.dirname(os.path.realpath(path))
        if os.path.isdir(folder):
            return None
        raise UserError(
            "the folder of %s" % path, "no folder %s" % folder, "create it first (this module creates no home)"
        ) from None
    except OSError as error:
        raise UserError(
            "%s to be readable" % path, error.strerror or str(error), "check its owner and mode, and its symlinks"
        ) from error
