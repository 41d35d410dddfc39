# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The venvs of one engine: made next to each other, published by one rename. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import shutil
import tempfile
import typing as t

from ..._common.errors import UserError
from ..._files.leftovers import is_abandoned, owner_tag
from ..._files.locks import Lock, file_lock
from ..._files.progress import Progress
from . import found
from .request import EngineRequest

_WORK = ".work."
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextlib.contextmanager
def store_lock(request: EngineRequest, progress: Progress) -> t.Iterator[Lock]:
    """Make the store and keep other runs out of it.

    :raises UserError: the store is something else.
    """
    if os.path.lexists(request.store) and (os.path.islink(request.store) or not os.path.isdir(request.store)):
        raise UserError(
            "nothing, or a folder for the venvs of the engine, at %s" % request.store,
            "something else",
            "choose another conda_engine_prefix (the option prefix), or move that away by hand",
        )
    _make_folders(request.store)
    with file_lock(os.path.join(request.store, ".lock"), progress, request.prefix) as lock:
        yield lock


def new_venv(request: EngineRequest) -> str:
    """A folder for a new venv, at its final path. Only this user can enter it until :func:`finish`."""
    venv = tempfile.mkdtemp(prefix="venv.", dir=request.store)
    with open(os.path.join(venv, found.BUILDING), "w", encoding="utf-8"):
        pass
    return venv


def finish(request: EngineRequest, venv: str, facts: t.Mapping[str, str]) -> None:
    """Write requirements and record of a new venv, and let every user in."""
    os.unlink(os.path.join(venv, found.BUILDING))
    _write(os.path.join(venv, found.REQUIREMENTS), request.requirements)
    if request.condarc:
        os.symlink(request.condarc, os.path.join(venv, found.CONDARC))
    record = json.dumps(dict(facts, parts=sorted(os.listdir(venv))), indent=1) + "\n"
    _write(os.path.join(venv, found.RECORD), record)
    os.chmod(venv, 0o755)


def publish(request: EngineRequest, venv: str) -> None:
    """Let users find *venv* at the prefix, by one rename. What was found there before moves into the store.

    Some file systems (NFS) cannot exchange a folder with a symlink. Only there, and only for an engine that lies in the
    prefix itself, two renames are needed.
    """
    work = tempfile.mkdtemp(prefix=_WORK, dir=request.store)
    link = os.path.join(work, "link")
    os.symlink(os.path.join(os.path.basename(request.store), os.path.basename(venv)), link)
    if os.path.isdir(request.prefix) and not os.path.islink(request.prefix):
        if os.listdir(request.prefix):
            older = os.path.join(request.store, _free_name(request))
            with _renaming(request):
                if _exchange(link, request.prefix):
                    os.rename(link, older)
                else:
                    os.rename(request.prefix, older)
                    os.rename(link, request.prefix)
            os.rmdir(work)
            return
        with _renaming(request):
            os.rmdir(request.prefix)
    os.replace(link, request.prefix)
    os.rmdir(work)


def set_condarc(request: EngineRequest, venv: str) -> None:
    """Let the ``.condarc`` of *venv* lead to the one that was asked for, by one rename."""
    if request.condarc:
        start = found.CONDARC + "."
        for name in os.listdir(venv):
            # Left by a run that was killed, perhaps one with the number of this process.
            tag = name[len(start) :]
            if name.startswith(start) and (tag == owner_tag() or is_abandoned(tag)):
                os.unlink(os.path.join(venv, name))
        link = os.path.join(venv, start + owner_tag())
        os.symlink(request.condarc, link)
        os.replace(link, os.path.join(venv, found.CONDARC))


def has_condarc(request: EngineRequest, venv: str) -> bool:
    """Whether the ``.condarc`` of *venv* leads to the one that was asked for."""
    path = os.path.join(venv, found.CONDARC)
    return not request.condarc or (os.path.islink(path) and os.readlink(path) == request.condarc)


def remove_remains(request: EngineRequest, keep: str | None) -> None:
    """Delete what interrupted runs left, and finished venvs other than *keep*, the one in use. The lock must be held.

    So the one in use stays as the previous one: environments that are being made with it go on.

    What is not ours, or holds something that is not an engine's, stays.
    """
    for name in os.listdir(request.store):
        path = os.path.join(request.store, name)
        if name.startswith(_WORK) and os.path.isdir(path) and not os.path.islink(path):
            _rescue(request, path)
            shutil.rmtree(path)
        elif path != keep and found.is_ours(path) and not _used_by_others(path):
            _remove_venv(path)


def discard(venv: str) -> None:
    """Delete a venv that was not finished."""
    shutil.rmtree(venv, ignore_errors=True)


def _remove_venv(venv: str) -> None:
    # First what makes it usable: an interrupted removal must not leave half an engine that looks finished.
    with open(os.path.join(venv, found.BUILDING), "w", encoding="utf-8"):
        pass
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(venv, found.RECORD))
    shutil.rmtree(venv)


def _used_by_others(venv: str) -> bool:
    """Whether *venv* also holds something that is not an engine's."""
    return not os.path.lexists(os.path.join(venv, found.BUILDING)) and bool(found.foreign_in(venv))


def _rescue(request: EngineRequest, work: str) -> None:
    """A run that was killed between two renames left the older engine in its work folder: keep it."""
    older = os.path.join(work, "link")
    if os.path.isdir(older) and not os.path.islink(older):
        os.rename(older, os.path.join(request.store, _free_name(request)))


def _free_name(request: EngineRequest) -> str:
    """A name in the store for an engine that lay in the prefix itself. Its folder keeps no record of ours."""
    folder = tempfile.mkdtemp(prefix="older.", dir=request.store)
    os.rmdir(folder)
    return os.path.basename(folder)


@contextlib.contextmanager
def _renaming(request: EngineRequest) -> t.Iterator[None]:
    """Explain why a folder at the prefix cannot be renamed: it is a mount point, or a layer of a container's image."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.EBUSY, errno.EXDEV):
            raise
        raise UserError(
            "nothing, or a folder that can be renamed, at %s" % request.prefix,
            "one that cannot (%s)" % error.strerror,
            "remove it by hand while no task of this collection runs, or choose another conda_engine_prefix"
            " (the option prefix), and run it again",
        ) from error


def _exchange(first: str, second: str) -> bool:
    """Exchange two names in one step. False if this system or file system cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return False
    if rename(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
        return False
    raise OSError(code, os.strerror(code), second)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
        os.fchmod(stream.fileno(), 0o644)
        stream.flush()
        os.fsync(stream.fileno())


def _make_folders(path: str) -> None:
    # All users pass through these folders, so the caller's umask does not count.
    if not os.path.isdir(path):
        _make_folders(os.path.dirname(path))
        try:
            os.mkdir(path)
        except FileExistsError:
            return
        except OSError as error:
            # What a full disk means is reported elsewhere.
            if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT):
                raise
            raise UserError(
                "a folder for the engine that this user may make, %s" % path,
                os.strerror(error.errno),
                "choose a folder of your own as conda_engine_prefix (the option prefix),"
                " or for all of inventories/local, as in -e local_root=$HOME/site",
            ) from error
        os.chmod(path, 0o755)
