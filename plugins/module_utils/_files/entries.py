# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done in an open folder: by its descriptor and the name of an entry, never by path. Private to hpc.pytorch.

:mod:`.folder` opens one, and says whether root may work in it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import typing as t

from .leftovers import is_abandoned, owner_tag
from .trust import others_can_write

# Of a file that is read whole. A module file, a condarc or a script is never so large.
LARGEST = 4 * 1024 * 1024
# A folder on the way, to open others below it.
STEP = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Folder:
    """An open folder. Names are those of entries in it, never paths.

    Every method raises OSError whose ``filename`` is the whole path.
    """

    def __init__(self, handle: int, path: str) -> None:
        self._handle = handle
        self.path = path

    def is_shared(self) -> bool:
        """Whether other users than its owner and root can make entries in it; also in a sticky folder."""
        return others_can_write(self.status(), "/proc/self/fd/%d" % self._handle)

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

    def make(self, name: str, mode: int | None = None, owner: tuple[int, int] | None = None) -> None:
        """Make a folder with exactly *mode*, besides the setgid bit that it inherits; None: as the umask says.

        :arg owner: uid and gid, with a mode; then it inherits no setgid bit. Default: as the folder around it says.
        """
        with self._named(name):
            if mode is None:
                os.mkdir(name, dir_fd=self._handle)
                return
            before = os.umask(0)
            try:
                os.mkdir(name, mode, dir_fd=self._handle)
            finally:
                os.umask(before)
            if owner is not None:
                handle = os.open(name, _READ | os.O_DIRECTORY, dir_fd=self._handle)
                try:
                    os.fchown(handle, *owner)
                    os.fchmod(handle, mode)
                finally:
                    os.close(handle)

    def remove(self, name: str) -> None:
        """Remove a file or a symlink, or an empty folder. It is no error if there is none."""
        with self._named(name), contextlib.suppress(FileNotFoundError):
            status = os.stat(name, dir_fd=self._handle, follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                os.rmdir(name, dir_fd=self._handle)
            else:
                os.unlink(name, dir_fd=self._handle)

    def status(self) -> os.stat_result:
        """The status of the open folder itself."""
        return os.fstat(self._handle)

    def open_entry(self, name: str) -> int:
        """A new descriptor of the folder *name* in it; a symlink is an error."""
        with self._named(name):
            return os.open(name, STEP, dir_fd=self._handle)

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
