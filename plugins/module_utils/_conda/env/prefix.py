# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kind of thing a prefix is, and the mark of an unfinished change. Private to hpc.pytorch."""

from __future__ import annotations

import os
import stat
import time

from ..._common.unfinished import CHANGING_MARK
from ..._files.files import umask
from ..._files.folder import open_folder
from ..._files.paths import require_visible


def kind_of(prefix: str) -> str:
    """``absent``, ``empty`` (a folder without entries), ``env``, ``unfinished`` (marked), or ``other``.

    :raises UserError: this account may not enter the folder that it is in.
    """
    require_visible(os.path.join(prefix, "conda-meta"))
    if not os.path.lexists(prefix):
        return "absent"
    if os.path.isdir(os.path.join(prefix, "conda-meta")):
        return "unfinished" if os.path.exists(os.path.join(prefix, CHANGING_MARK)) else "env"
    if os.path.isdir(prefix) and not os.listdir(prefix):
        return "empty"
    return "other"


def is_base(prefix: str) -> bool:
    """Whether *prefix* is a base: it holds conda itself, or the scripts that let shells activate envs."""
    return any(
        os.path.exists(os.path.join(prefix, path)) for path in ("condabin", "bin/conda", "etc/profile.d/conda.sh")
    )


def site_packages_folders(prefix: str) -> list[str]:
    """The env's ``lib/pythonX.Y/site-packages`` folders; an empty list if it holds no Python."""
    lib = os.path.join(prefix, "lib")
    try:
        names = sorted(name for name in os.listdir(lib) if name.startswith(("python3", "python2")))
    except OSError:
        return []
    folders = (
        os.path.join(lib, name, "site-packages") for name in names if not os.path.islink(os.path.join(lib, name))
    )
    return [folder for folder in folders if os.path.isdir(folder)]


def write_own(prefix: str, name: str, content: bytes) -> None:
    """Replace a file in ``conda-meta`` by one rename. A symlink that a package put there is replaced, not followed.

    :arg name: below the prefix: ``conda-meta/history``.
    :raises OSError: the old file is then unchanged.
    """
    with open_folder(os.path.join(prefix, os.path.dirname(name)), "an env's records at") as folder:
        old = folder.stat(os.path.basename(name))
        mode, owner = 0o644 & ~umask(), None
        if old is not None and stat.S_ISREG(old.st_mode):
            mode = stat.S_IMODE(old.st_mode)
            owner = (old.st_uid, old.st_gid) if os.geteuid() == 0 else None
        folder.write(os.path.basename(name), content, mode, owner)


def append_own(prefix: str, name: str, content: bytes) -> None:
    """Add to the end of such a file.

    :raises OSError: it is a symlink, or nothing that can be written.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with open(os.open(os.path.join(prefix, name), flags, 0o644), "ab") as stream:
        stream.write(content)


def claim(prefix: str) -> None:
    """Make an env without packages, marked as being changed, for an engine that needs one.

    :raises OSError: another run made it.
    """
    # Only one of two runs can make this folder.
    os.makedirs(os.path.join(prefix, "conda-meta"))
    mark_changing(prefix)
    with open(os.path.join(prefix, "conda-meta", "history"), "x", encoding="utf-8"):
        pass


def mark_changing(prefix: str) -> None:
    """Mark the env as half done: everything in this collection refuses it until :func:`clear_changing`."""
    note = "being changed since %s; run hpc.pytorch.conda_env again to repair it\n" % time.strftime(
        "%Y-%m-%d %H:%M:%S %z"
    )
    write_own(prefix, CHANGING_MARK, note.encode())


def clear_changing(prefix: str) -> None:
    """Take the mark away: the env is complete."""
    os.unlink(os.path.join(prefix, CHANGING_MARK))
