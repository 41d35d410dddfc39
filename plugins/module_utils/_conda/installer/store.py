# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bases of one prefix: what each holds, what it takes over from the last one, which one users find.

Reads and writes only in their folder, the store. Private to hpc.pytorch.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import tempfile
import typing as t

from ..._common.errors import UserError, some
from ..._files.files import read_regular
from ..._files.locks import Lock, file_lock
from ..._files.progress import Progress
from ..apply.owned_paths import require_sound_records
from ..env.prefix import write_own
from ..env.records import package_records
from ..package.judge import HARMLESS_TARGETS
from .request import InstallerRequest

# Written last: a base without it was interrupted. Not .json: conda takes every such file for a package.
STAMP = "conda-meta/hpc_pytorch.installer"
# A site's own settings in a base, which the next base takes over.
_SETTINGS = (".condarc", "condarc", "condarc.d")
_NAMED = ("conda", "mamba", "python")
_OTHER_INSTALLER = "use another installer, and tell its makers"


def stamp_of(base: str) -> str:
    """The sha256 of the installer that made *base*; empty if none has finished there."""
    try:
        return str(json.loads(read_regular(os.path.join(base, STAMP)))["sha256"])
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return ""


def versions_of(base: str) -> dict[str, str]:
    """The versions of conda, mamba and python in *base*, from the file names of conda's records."""
    try:
        records = os.listdir(os.path.join(base, "conda-meta"))
    except OSError:
        return {}
    found = (name[: -len(".json")].rsplit("-", 2) for name in sorted(records) if name.endswith(".json"))
    return {parts[0]: parts[1] for parts in found if len(parts) == 3 and parts[0] in _NAMED}


def linked_base(request: InstallerRequest) -> str | None:
    """The base that users find at the prefix now, or None.

    :raises UserError: something else is there; it is never moved or removed.
    """
    if not os.path.lexists(request.prefix):
        return None
    if not os.path.islink(request.prefix):
        raise UserError(
            "nothing, or a symlink into %s, at %s" % (request.store, request.prefix),
            "a folder or file that this module did not make",
            "choose another prefix; or keep that base with conda_method existing; or move it away by hand,"
            " if no environment was made with it",
        )
    target = os.readlink(request.prefix)
    folder, name = os.path.split(target)
    if folder not in (os.path.basename(request.store), request.store) or name in ("", "..", "envs"):
        raise UserError(
            "nothing, or a symlink into %s, at %s" % (request.store, request.prefix),
            "a symlink to %s" % target,
            "choose another prefix, or give the prefix that it leads to",
        )
    return os.path.join(request.store, name)


def require_sound(base: str) -> None:
    """Check that a fresh base has every file of every package, and what shells need.

    :raises UserError: with the missing files.
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
            "a complete conda base in %s" % base,
            "no " + some(missing, 3),
            "use an installer that contains conda, such as Miniforge; check free space and quota",
        )


def require_contained(base: str) -> None:
    """Check that no record and no symlink of a fresh base leads out of it: conda would write and delete there.

    :raises UserError: with the first that does.
    """
    require_sound_records(base, _OTHER_INSTALLER)
    real = os.path.realpath(base) + os.sep
    for folder, folders, files in os.walk(base):
        for name in folders + files:
            path = os.path.join(folder, name)
            if os.path.islink(path) and os.readlink(path) not in HARMLESS_TARGETS:
                target = os.path.realpath(path)
                if not (target + os.sep).startswith(real):
                    raise UserError(
                        "a conda base in %s whose symlinks stay inside" % base,
                        "%s, which leads to %s" % (path, target),
                        _OTHER_INSTALLER,
                    )


def set_permissions(base: str) -> None:
    """Let every user read a fresh base, and only its owner write.

    ``tar`` run by root keeps owners and modes: a file of the builder's uid 1000 would belong to a user of this machine.
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
def store_lock(request: InstallerRequest, progress: Progress) -> t.Iterator[Lock]:
    """Make the store and keep other runs out of it.

    An installer inherits the lock, so the next run waits for an installer that outlives its run.
    """
    _make_folders(request.store)
    with file_lock(os.path.join(request.store, ".lock"), progress, request.prefix) as lock:
        yield lock


def remove_remains(request: InstallerRequest, lock_works: bool) -> None:
    """Delete what interrupted runs left, but never a finished base or the one that users find.

    :raises UserError: another machine may be using the remains.
    """
    remains = [
        os.path.join(request.store, name)
        for name in os.listdir(request.store)
        if name.startswith((".work.", ".removing."))
    ]
    if os.path.lexists(request.base):
        remains.append(request.base)
    if remains and not lock_works:
        raise UserError(
            "a store %s that no other run uses" % request.store,
            "%s, and a file system without locks" % ", ".join(remains),
            "if no other run is active on any machine, remove that and run again",
        )
    for path in remains:
        remove_folder(request, path)


def remove_folder(request: InstallerRequest, path: str) -> None:
    """Rename *path* away, then delete it."""
    if os.path.basename(path).startswith((".work.", ".removing.")):
        shutil.rmtree(path)
        return
    if linked_base(request) == path:
        raise UserError(
            "a finished base at %s, to which %s leads" % (path, request.prefix),
            "no %s in it" % STAMP,
            "point the symlink to a finished base of %s, or remove it, and run again" % request.store,
        )
    trash = tempfile.mkdtemp(prefix=".removing.", dir=request.store)
    os.rename(path, os.path.join(trash, "base"))
    shutil.rmtree(trash)


def finish(request: InstallerRequest, old: str | None) -> None:
    """Give a fresh base the shared ``envs`` and the settings of *old*, and mark it as finished.

    :raises UserError: the installer contains envs.
    """
    share_envs(request)
    for name in _SETTINGS:
        source = os.path.join(old, name) if old else ""
        if source and os.path.lexists(source):
            _take_over(source, os.path.join(request.base, name))
    note = json.dumps({"sha256": request.sha256, "source": request.shown_source}, indent=1) + "\n"
    write_own(request.base, STAMP, note.encode())
    os.chmod(os.path.join(request.base, STAMP), 0o644)


def share_envs(request: InstallerRequest) -> None:
    """Make ``envs`` of the base a symlink to the folder that all bases of this prefix share.

    An update then hides no env, and paths such as ``PREFIX/envs/torch`` keep leading to the same files.

    :raises UserError: the installer contains envs.
    """
    own = os.path.join(request.base, "envs")
    brought = [name for name in os.listdir(own) if not name.startswith(".")] if os.path.isdir(own) else []
    if brought:
        raise UserError(
            "an installer of a base without envs",
            "envs %s in it" % ", ".join(sorted(brought)),
            "use another installer, and make the envs with hpc.pytorch.conda_env",
        )
    if os.path.isdir(own):
        shutil.rmtree(own)
    _make_folders(request.envs)
    os.symlink(os.path.join("..", os.path.basename(request.envs)), own)


def switch(request: InstallerRequest) -> None:
    """Point the symlink at the prefix to the base of *request*, by one rename."""
    work = tempfile.mkdtemp(prefix=".work.", dir=request.store)
    link = os.path.join(work, "link")
    os.symlink(request.link, link)
    os.replace(link, request.prefix)
    os.rmdir(work)


def _take_over(source: str, target: str) -> None:
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
    # All users pass through these folders, so the caller's umask does not count.
    if not os.path.isdir(path):
        _make_folders(os.path.dirname(path))
        os.mkdir(path)
        os.chmod(path, 0o755)
