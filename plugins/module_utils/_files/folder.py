# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way in which root reads and writes files where others may write. Private to hpc.pytorch.

A folder is opened step by step, by descriptor. As root each step is judged on the open descriptor, and a symlink is
followed only if root made it where only root can write. All else happens below that descriptor: between the look and
the write nobody can put another folder or a link in its way. An ordinary user's folders are theirs, so they are opened
as they are.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import typing as t

from .._common.errors import UserError
from .leftovers import is_abandoned, owner_tag
from .trust import cure, others_can_write

# Of a file that is read whole. A module file, a condarc or a script is never so large.
LARGEST = 4 * 1024 * 1024
_STEP = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_LINKS = 40


class Folder:
    """An open folder. Names are those of entries in it, never paths.

    Every method raises OSError whose ``filename`` is the whole path.
    """

    def __init__(self, handle: int, path: str) -> None:
        self._handle = handle
        self.path = path

    def is_shared(self) -> bool:
        """Whether other users than its owner and root can make entries in it; also in a sticky folder."""
        return others_can_write(os.fstat(self._handle), "/proc/self/fd/%d" % self._handle)

    def stat(self, name: str) -> os.stat_result | None:
        """The entry itself, a symlink not followed; None if there is none."""
        with self._named(name):
            try:
                return os.stat(name, dir_fd=self._handle, follow_symlinks=False)
            except FileNotFoundError:
                return None

    def names(self) -> list[str]:
        """The names of all entries, sorted."""
        with self._named(""):
            handle = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._handle)
            try:
                return sorted(os.listdir(handle))
            finally:
                os.close(handle)

    def read(self, name: str, largest: int = LARGEST) -> bytes | None:
        """The content of a regular file of at most *largest* bytes; None if there is no entry.

        :raises OSError: it is a symlink, a fifo, a device or a folder, or is larger (EINVAL).
        """
        with self._named(name):
            try:
                # Opening a device may do something, such as rewind a tape.
                if not stat.S_ISREG(os.stat(name, dir_fd=self._handle, follow_symlinks=False).st_mode):
                    raise OSError(errno.EINVAL, "not a regular file")
                handle = os.open(name, _READ, dir_fd=self._handle)
            except FileNotFoundError:
                return None
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.ENXIO):
                    raise OSError(errno.EINVAL, "not a regular file") from error
                raise
            with os.fdopen(handle, "rb") as stream:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise OSError(errno.EINVAL, "not a regular file")
                content = stream.read(largest + 1)
            if len(content) > largest:
                raise OSError(errno.EINVAL, "larger than %d bytes" % largest)
            return content

    def write(self, name: str, content: bytes, mode: int, owner: tuple[int, int] | None = None) -> None:
        """Replace the entry by a new file, by one rename: no reader sees half of it. A symlink is replaced, too.

        :arg mode: its exact mode, whatever the umask is.
        :arg owner: uid and gid; default: those of this process.
        """
        with self._named(name), self._replacement(name) as temporary:
            handle = os.open(temporary, _NEW, 0o600, dir_fd=self._handle)
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                status = os.fstat(handle)
                # A folder with the setgid bit has given it another group than this process has.
                if owner is not None and owner != (status.st_uid, status.st_gid):
                    os.fchown(handle, *owner)
                os.fchmod(handle, mode)
                os.fsync(handle)

    def link(self, name: str, target: str) -> None:
        """Replace the entry by a symlink to *target*, by one rename."""
        with self._named(name), self._replacement(name) as temporary:
            os.symlink(target, temporary, dir_fd=self._handle)

    def add_name(self, name: str, other: str) -> None:
        """Give the entry a second name, by a hard link. A symlink is not followed.

        :raises FileExistsError: there is an entry *other*.
        """
        with self._named(name):
            os.link(name, other, src_dir_fd=self._handle, dst_dir_fd=self._handle, follow_symlinks=False)

    def target(self, name: str) -> str:
        """Where the symlink leads, as it was written."""
        with self._named(name):
            return os.readlink(name, dir_fd=self._handle)

    def touch(self, name: str, mode: int) -> None:
        """Set the time of an own regular file to now. It is made, empty, if there is none.

        :raises OSError: it is something else.
        """
        with self._named(name):
            flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            handle = os.open(name, flags, 0o600, dir_fd=self._handle)
            try:
                status = os.fstat(handle)
                if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1 or status.st_uid != os.geteuid():
                    raise OSError(errno.EINVAL, "not a regular file of this user")
                os.fchmod(handle, mode)
                os.utime(handle)
            finally:
                os.close(handle)

    def chmod(self, name: str, mode: int) -> None:
        """Set the mode of a regular file or a folder; a symlink is an error."""
        with self._named(name):
            handle = os.open(name, _READ, dir_fd=self._handle)
            try:
                os.fchmod(handle, mode)
            finally:
                os.close(handle)

    def make(self, name: str, mode: int | None = None) -> None:
        """Make a folder with exactly *mode*, besides the setgid bit that it inherits; None: as the umask says."""
        with self._named(name):
            if mode is None:
                os.mkdir(name, dir_fd=self._handle)
                return
            before = os.umask(0)
            try:
                os.mkdir(name, mode, dir_fd=self._handle)
            finally:
                os.umask(before)

    def remove(self, name: str) -> None:
        """Remove a file or a symlink, or an empty folder. It is no error if there is none."""
        with self._named(name), contextlib.suppress(FileNotFoundError):
            status = os.stat(name, dir_fd=self._handle, follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                os.rmdir(name, dir_fd=self._handle)
            else:
                os.unlink(name, dir_fd=self._handle)

    def _open(self, name: str) -> int:
        with self._named(name):
            return os.open(name, _STEP, dir_fd=self._handle)

    @contextlib.contextmanager
    def _replacement(self, name: str) -> t.Iterator[str]:
        """Yield a name for what replaces the entry *name* when the block has succeeded."""
        start, end = ".%s." % name, ".new"
        temporary = start + owner_tag() + end
        for other in self.names():
            # Left by a run that was killed, perhaps one with the number of this process.
            if other.startswith(start) and other.endswith(end):
                if other == temporary or is_abandoned(other[len(start) : -len(end)]):
                    with contextlib.suppress(OSError):
                        os.unlink(other, dir_fd=self._handle)
        try:
            yield temporary
            os.rename(temporary, name, src_dir_fd=self._handle, dst_dir_fd=self._handle)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=self._handle)
            raise

    @contextlib.contextmanager
    def _named(self, name: str) -> t.Iterator[None]:
        """Give an OSError the whole path."""
        if "/" in name or name in (".", ".."):
            raise ValueError("not the name of an entry: %r" % name)
        try:
            yield
        except OSError as error:
            error.filename = os.path.join(self.path, name) if name else self.path
            # That of a rename, for whose message the whole path stands alone.
            del error.filename2
            raise


@contextlib.contextmanager
def open_folder(path: str, what: str, make: bool = False, sticky: bool = False) -> t.Iterator[Folder]:
    """Open the folder *path*.

    :arg path: an absolute path.
    :arg what: what it is for, as the message says it: ``a folder for modulefiles at``.
    :arg make: make what is missing, with mode 0755.
    :arg sticky: whether root may also work in a sticky folder such as /tmp, in which others can make entries of
        their own. For files and links that are replaced whole; never for what is read and believed.
    :raises UserError: as root, another user could write there or on the way.
    :raises OSError: it is missing, no folder, or cannot be made.
    """
    with contextlib.ExitStack() as stack:
        yield _walk(path, what, make, sticky, stack)


@contextlib.contextmanager
def open_parent(path: str, what: str, make: bool = False, sticky: bool = False) -> t.Iterator[tuple[Folder, str]]:
    """Open the folder of the file *path*; yield it and the file's name in it.

    A symlink in the place of the file is followed by the rules of :func:`open_folder`, so the folder and the name are
    those of the file that it leads to.

    :raises UserError: as :func:`open_folder`; or the symlink is not root's.
    """
    with contextlib.ExitStack() as stack:
        for _link in range(_MOST_LINKS):
            parent, name = os.path.split(path)
            folder = _walk(parent, what, make, sticky, stack)
            status = folder.stat(name)
            if status is None or not stat.S_ISLNK(status.st_mode):
                yield folder, name
                return
            if os.geteuid() == 0:
                _judge_link(folder, name, status, path, what)
            # normpath would take away `..` after a symlink; _walk resolves both in order.
            path = os.path.join(folder.path, folder.target(name))
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)


@contextlib.contextmanager
def open_existing(path: str, what: str, sticky: bool = False) -> t.Iterator[Folder | None]:
    """Open the folder *path* to predict what will be made in it; yield None if it, or one on the way, is missing.

    :arg sticky: as for :func:`open_folder`; what is missing is never made in a sticky folder.
    :raises UserError: as :func:`open_folder` with ``make``: as root, another user could write there or on the way.
    :raises OSError: it is no folder.
    """
    with contextlib.ExitStack() as stack:
        folder = None
        with contextlib.suppress(FileNotFoundError):
            folder = _walk(path, what, False, sticky, stack, will_make=True)
        yield folder


def _walk(
    path: str, what: str, make: bool, sticky: bool, stack: contextlib.ExitStack, will_make: bool = False
) -> Folder:
    """Open *path* step by step. ``stack`` closes all descriptors.

    :arg will_make: only judge whether what is missing may be made.
    """
    if not os.path.isabs(path):
        raise ValueError("not an absolute path: %r" % path)
    is_root = os.geteuid() == 0
    way = [_top(stack)]
    pending = [part for part in path.split("/") if part and part != "."]
    links = 0
    while True:
        folder = way[-1]
        if is_root:
            _judge(folder, path, what, sticky if not pending else True)
        if not pending:
            return folder
        name = pending.pop(0)
        if name == "..":
            way[1:] = way[1:-1]
            continue
        status = folder.stat(name)
        if status is not None and stat.S_ISLNK(status.st_mode):
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            if is_root:
                _judge_link(folder, name, status, path, what)
            target = folder.target(name)
            if target.startswith("/"):
                del way[1:]
            pending[:0] = [part for part in target.split("/") if part and part != "."]
            continue
        if status is None:
            if is_root and (make or will_make):
                # In a sticky folder another user could have made it first.
                _judge(folder, path, what, False)
            if not make:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.path.join(folder.path, name))
            with contextlib.suppress(FileExistsError):
                folder.make(name, 0o755 if is_root else None)
        handle = folder._open(name)
        stack.callback(os.close, handle)
        way.append(Folder(handle, os.path.join(folder.path, name)))


def _top(stack: contextlib.ExitStack) -> Folder:
    handle = os.open("/", _STEP)
    stack.callback(os.close, handle)
    return Folder(handle, "/")


def _judge(folder: Folder, path: str, what: str, sticky: bool) -> None:
    status = os.fstat(folder._handle)
    if status.st_uid != 0:
        raise _refusal(what, path, "%s belongs to uid %d" % (folder.path, status.st_uid))
    if not (sticky and status.st_mode & stat.S_ISVTX) and folder.is_shared():
        raise _refusal(what, path, "%s has mode %04o" % (folder.path, stat.S_IMODE(status.st_mode)))


def _judge_link(folder: Folder, name: str, status: os.stat_result, path: str, what: str) -> None:
    if status.st_uid != 0:
        raise _refusal(what, path, "%s belongs to uid %d" % (os.path.join(folder.path, name), status.st_uid))
    # Where the kernel lets users make hard links to files of others, root's own link may be put in a sticky folder.
    if status.st_nlink != 1 and folder.is_shared():
        raise _refusal(what, path, "%s is a hard link to a symlink" % os.path.join(folder.path, name))


def _refusal(what: str, path: str, reason: str) -> UserError:
    return UserError(
        "%s %s that only root can write, as this runs as root" % (what, path),
        reason,
        cure(reason),
    )
