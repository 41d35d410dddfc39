# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bases beside each other: what one holds, what it takes over from the one before, which one users find.

Reads and writes below the store only. Private to hpc.pytorch.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import tempfile
import typing as t

from ..._common.errors import UserError
from ..._common.locks import hold
from ..env.prefix import package_records
from .request import Wish

# Written last: a base without it was interrupted. conda takes only what ends in .json for a package.
STAMP = "conda-meta/hpc_pytorch.installer"
# What a site writes into a base, and an update has to keep.
_SETTINGS = (".condarc", "condarc", "condarc.d")
_NAMED = ("conda", "mamba", "python")


def stamp_of(base: str) -> str:
    """The sha256 of the installer that made *base*, or nothing where none has finished there."""
    try:
        with open(os.path.join(base, STAMP), encoding="utf-8") as stream:
            return str(json.load(stream)["sha256"])
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return ""


def versions_of(base: str) -> dict[str, str]:
    """The versions of conda, mamba and python in *base*, by the names of conda's own records."""
    try:
        records = os.listdir(os.path.join(base, "conda-meta"))
    except OSError:
        return {}
    found = (name[: -len(".json")].rsplit("-", 2) for name in sorted(records) if name.endswith(".json"))
    return {parts[0]: parts[1] for parts in found if len(parts) == 3 and parts[0] in _NAMED}


def linked_base(wish: Wish) -> str | None:
    """The base that users find at the prefix now, or None.

    :raises UserError: what stands there is not a base of this store; it is never moved or removed.
    """
    if not os.path.lexists(wish.prefix):
        return None
    if not os.path.islink(wish.prefix):
        raise UserError(
            "nothing, or a symlink into %s, at %s" % (wish.store, wish.prefix),
            "a folder or file that this module did not make",
            "choose another prefix; or keep that base with conda_method existing; or move it away yourself,"
            " if no environment was made with it",
        )
    target = os.readlink(wish.prefix)
    folder, name = os.path.split(target)
    if folder not in (os.path.basename(wish.store), wish.store) or name in ("", "..", "envs"):
        raise UserError(
            "nothing, or a symlink into %s, at %s" % (wish.store, wish.prefix),
            "a symlink to %s" % target,
            "choose another prefix, or give the prefix that it leads to",
        )
    return os.path.join(wish.store, name)


def require_sound(base: str) -> None:
    """Look at a base that an installer has made: every file of every package is there, and what shells need.

    :raises UserError: what is missing.
    """
    missing = [
        path for path in ("bin/conda", "bin/activate", "conda-meta") if not os.path.exists(os.path.join(base, path))
    ]
    if not missing:
        for meta in package_records(base):
            files = [str(path) for path in meta.get("files") or [] if not str(path).endswith(".pyc")]
            missing += [path for path in files if not os.path.lexists(os.path.join(base, path))]
    if missing:
        raise UserError(
            "a whole conda base in %s" % base,
            "no %s" % ", no ".join(missing[:3]) + (" and %d more" % (len(missing) - 3) if len(missing) > 3 else ""),
            "use an installer that brings conda, such as Miniforge; check free space and quota",
        )


def settle(base: str) -> None:
    """Let every user read a fresh base and nobody else change it, whatever owners and modes its archives held.

    Run by root, ``tar`` keeps both: a file of uid 1000 of whoever built the package would be that of a user here.
    """
    for folder, folders, files in os.walk(base):
        for name in [".", *folders, *files]:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            if os.geteuid() == 0 and (status.st_uid, status.st_gid) != (0, 0):
                os.lchown(path, 0, 0)
            if stat.S_ISLNK(status.st_mode):
                continue
            mode = stat.S_IMODE(status.st_mode)
            executable = 0o111 if stat.S_ISDIR(status.st_mode) or mode & 0o100 else 0
            if mode != mode & 0o755 | 0o444 | executable:
                os.chmod(path, mode & 0o755 | 0o444 | executable)


@contextlib.contextmanager
def store_lock(wish: Wish, waiting: t.Callable[[], None]) -> t.Iterator[tuple[int, bool]]:
    """Make the store and keep other runs off it; yields a descriptor, and whether the file system knows locks.

    Whoever inherits the descriptor holds the lock too: an installer that outlives its run is waited for.

    :arg waiting: called when another run has it, before this one waits.
    """
    _make_folders(wish.store)
    handle = os.open(os.path.join(wish.store, ".lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        yield handle, hold(handle, waiting)
    finally:
        os.close(handle)


def remove_remains(wish: Wish, locked: bool) -> None:
    """Delete what interrupted runs left: never a base that was finished, never what users find.

    :raises UserError: remains that another machine may be at work on.
    """
    remains = [
        os.path.join(wish.store, name) for name in os.listdir(wish.store) if name.startswith((".work.", ".removing."))
    ]
    if os.path.lexists(wish.base):
        remains.append(wish.base)
    if remains and not locked:
        raise UserError(
            "no other run at work in %s" % wish.store,
            "%s, and a file system without locks" % ", ".join(remains),
            "if no other run is at work on any machine, remove that and run again",
        )
    for path in remains:
        remove_folder(wish, path)


def remove_folder(wish: Wish, path: str) -> None:
    """Take *path* away by one rename, then delete it."""
    if os.path.basename(path).startswith((".work.", ".removing.")):
        shutil.rmtree(path)
        return
    if linked_base(wish) == path:
        raise UserError(
            "a finished base at %s, to which %s leads" % (path, wish.prefix),
            "none by %s" % STAMP,
            "let the symlink lead to a finished base of %s, or remove it, and run again" % wish.store,
        )
    grave = tempfile.mkdtemp(prefix=".removing.", dir=wish.store)
    os.rename(path, os.path.join(grave, "base"))
    shutil.rmtree(grave)


def finish(wish: Wish, old: str | None) -> None:
    """Give a fresh base the shared ``envs`` and the settings of *old*, and note that it is whole.

    :raises UserError: an installer that brings envs.
    """
    share_envs(wish)
    for name in _SETTINGS:
        source = os.path.join(old, name) if old else ""
        if source and os.path.lexists(source):
            _carry(source, os.path.join(wish.base, name))
    note = json.dumps({"sha256": wish.sha256, "source": wish.shown_source}, indent=1) + "\n"
    stamp = os.path.join(wish.base, STAMP)
    with open(stamp + ".new", "w", encoding="utf-8") as stream:
        stream.write(note)
        os.fchmod(stream.fileno(), 0o644)
    os.replace(stamp + ".new", stamp)


def share_envs(wish: Wish) -> None:
    """Let ``envs`` of the base lead to the one folder that every base of this prefix has.

    So an update hides no env by name, and paths such as ``PREFIX/envs/torch`` go on to lead to the same files.

    :raises UserError: an installer that brings envs.
    """
    own = os.path.join(wish.base, "envs")
    brought = [name for name in os.listdir(own) if not name.startswith(".")] if os.path.isdir(own) else []
    if brought:
        raise UserError(
            "an installer that brings a base alone",
            "envs %s in it" % ", ".join(sorted(brought)),
            "use one without, and make the envs with hpc.pytorch.conda_env",
        )
    if os.path.isdir(own):
        shutil.rmtree(own)
    _make_folders(wish.envs)
    os.symlink(os.path.join("..", os.path.basename(wish.envs)), own)


def switch(wish: Wish) -> None:
    """Let users find the base of *wish* at the prefix, by one rename."""
    work = tempfile.mkdtemp(prefix=".work.", dir=wish.store)
    link = os.path.join(work, "link")
    os.symlink(wish.link, link)
    os.replace(link, wish.prefix)
    os.rmdir(work)


def _carry(source: str, target: str) -> None:
    if os.path.isdir(target):
        shutil.rmtree(target)
    if os.path.isdir(source):
        shutil.copytree(source, target, symlinks=True)
        return
    status = os.stat(source)
    shutil.copy2(source, target)
    if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
        os.chown(target, status.st_uid, status.st_gid)


def _make_folders(path: str) -> None:
    # Every user comes this way, whatever the umask of whoever installs.
    if not os.path.isdir(path):
        _make_folders(os.path.dirname(path))
        os.mkdir(path)
        os.chmod(path, 0o755)
