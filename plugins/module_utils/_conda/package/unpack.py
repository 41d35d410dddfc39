# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unpacks an archive of conda's (``.conda``, ``.tar.bz2``), or only reads what it holds. Runs in the engine's venv.

Private to hpc.pytorch. An archive is hostile input: nothing is written outside the folder, no owner and no mode of the
archive's is kept but the execute bit, and it may not grow without end.
"""

from __future__ import annotations

import bz2
import hashlib
import os
import posixpath
import tarfile
import typing as t
import zipfile

from ..._common.errors import UserError
from .info import CHECKED, READ, Member, Unpacked
from .judge import FILE, FOLDER, LINK, hostile, malformed
from .names import bad_path

SUFFIXES = (".conda", ".tar.bz2")
# torch's wheel of 900 MB has 2 GB in 20,000 files; the largest real packages have some 100,000 files.
MOST_MEMBERS = 1_000_000
_FREE_BYTES = 256 << 20
_MOST_RATIO = 100
# Of a header with a long name or attributes, which is read into memory; and of a record in info.
_LARGEST_HEADER = 1 << 20
_LARGEST_RECORD = 256 << 20
_BLOCK = 1 << 20
_EXTENDED = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)


def most_bytes(archive_size: int) -> int:
    """How many bytes an archive of that size may unpack to: real ones grow to less than twenty times their size."""
    return _FREE_BYTES + _MOST_RATIO * archive_size


def unpack(archive: str, into: str | None, label: str, source: str = "") -> Unpacked:
    """Unpack *archive* into the new folder *into*, whose parent only this user can enter; or only read it.

    :arg label: the package's name for messages, *source* its address.
    :raises UserError: the archive is hostile or damaged.
    :raises OSError: it cannot be read or written.
    """
    work = _Unpacking(into, label, source, most_bytes(os.path.getsize(archive)))
    try:
        if archive.endswith(".conda"):
            work.read_conda(archive)
        else:
            with bz2.open(archive, "rb") as stream:
                work.read_tar(stream)
    except UserError:
        raise
    except OSError as error:
        if error.errno is None:
            # bz2 and zipfile report damage so.
            raise malformed(label, source, "a damaged archive (%s)" % error) from None
        raise
    except (MemoryError, KeyboardInterrupt):
        raise
    except Exception as error:
        # tarfile, zipfile and zstd raise a dozen kinds for damage, none of which is ours.
        raise malformed(label, source, "a damaged archive (%s)" % (error or type(error).__name__)) from None
    return Unpacked(work.members, work.info)


_ReadError = tarfile.ReadError


class _Header(tarfile.TarInfo):
    # The name of its parameter is the standard library's.
    def _proc_member(self, tarfile: t.Any) -> t.Any:
        if self.type in _EXTENDED and self.size > _LARGEST_HEADER:
            raise _ReadError("a header of %d bytes" % self.size)
        return super()._proc_member(tarfile)  # type: ignore[misc]


class _Bounded:
    """Reads from a decompressor, but not without end."""

    def __init__(self, stream: t.Any, work: _Unpacking) -> None:
        self._stream, self._work = stream, work

    def read(self, size: int) -> bytes:
        block: bytes = self._stream.read(size)
        self._work.count(len(block))
        return block


class _Unpacking:
    def __init__(self, into: str | None, label: str, source: str, most: int) -> None:
        self.members: dict[str, Member] = {}
        self.info: dict[str, bytes] = {}
        self._into, self._label, self._source, self._most = into, label, source, most
        self._read = 0
        if into is not None:
            os.mkdir(into, 0o755)
            os.chmod(into, 0o755)

    def count(self, size: int) -> None:
        self._read += size
        if self._read > self._most:
            raise self._hostile("more than %d MB in its archive, which is too much for its size" % (self._most >> 20))

    def _hostile(self, found: str) -> UserError:
        return hostile(self._label, self._source, found)

    def read_conda(self, archive: str) -> None:
        zstd = _zstd()
        with zipfile.ZipFile(archive) as whole:
            names = [name for name in whole.namelist() if name.endswith(".tar.zst")]
            for start in ("info-", "pkg-"):
                found = [name for name in names if name.startswith(start)]
                if len(found) != 1:
                    raise malformed(self._label, self._source, "%d parts %s*.tar.zst" % (len(found), start))
                with whole.open(found[0]) as part, zstd.ZstdFile(part) as stream:
                    self.read_tar(stream)

    def read_tar(self, stream: t.Any) -> None:
        bounded = t.cast("t.IO[bytes]", _Bounded(stream, self))
        with tarfile.open(fileobj=bounded, mode="r|", bufsize=_BLOCK, tarinfo=_Header, errors="strict") as tar:
            for header in tar:
                self._take(tar, header)
                # tarfile keeps every header.
                tar.members = []  # type: ignore[attr-defined]

    def _take(self, tar: tarfile.TarFile, header: tarfile.TarInfo) -> None:
        path = header.name[2:] if header.name.startswith("./") else header.name
        if header.isdir():
            path = path.rstrip("/") if path != "/" else path
            if path in ("", "."):
                return
        reason = bad_path(path)
        if reason:
            raise self._hostile("a member %.200r, %s" % (header.name, reason))
        if path.casefold() == CHECKED:
            raise self._hostile("a member %s" % path)
        known = self.members.get(path)
        if known is not None and not (known.kind == FOLDER and header.isdir()):
            raise self._hostile("two members named %.200r" % path)
        if len(self.members) >= MOST_MEMBERS:
            raise self._hostile("more than %d members" % MOST_MEMBERS)
        self._make_parents(path)
        if header.isdir():
            self._make_folder(path)
        elif header.issym():
            self._link(path, header)
        elif header.islnk():
            self._link_hard(path, header)
        elif header.isreg() and not header.issparse():
            self._write(path, header, tar)
        else:
            raise self._hostile("a member %.200r that is neither a file, a folder nor a link" % path)

    def _make_parents(self, path: str) -> None:
        folder = posixpath.dirname(path)
        known = self.members.get(folder)
        if not folder or (known and known.kind == FOLDER):
            return
        if known:
            raise self._hostile("a member %.200r in the %s %.200r" % (path, known.kind, folder))
        self._make_parents(folder)
        self._make_folder(folder)

    def _make_folder(self, path: str) -> None:
        if path in self.members:
            return
        self.members[path] = Member(FOLDER)
        if self._into is not None:
            os.mkdir(os.path.join(self._into, path), 0o755)
            # Whatever the umask is: the folder above is private until all is checked.
            os.chmod(os.path.join(self._into, path), 0o755)

    def _link(self, path: str, header: tarfile.TarInfo) -> None:
        self.members[path] = Member(LINK, target=header.linkname)
        if self._into is not None and header.linkname and "\0" not in header.linkname:
            os.symlink(header.linkname, os.path.join(self._into, path))

    def _link_hard(self, path: str, header: tarfile.TarInfo) -> None:
        target = header.linkname[2:] if header.linkname.startswith("./") else header.linkname
        known = self.members.get(target)
        if known is None or known.kind != FILE:
            raise self._hostile("a hard link %.200r to %.200r, which is no file of the package" % (path, target))
        self.members[path] = known
        if target in self.info:
            raise self._hostile("a hard link %.200r to %.200r" % (path, target))
        if self._into is not None:
            os.link(os.path.join(self._into, target), os.path.join(self._into, path))

    def _write(self, path: str, header: tarfile.TarInfo, tar: tarfile.TarFile) -> None:
        source = t.cast("t.IO[bytes]", tar.extractfile(header))
        digest = hashlib.sha256()
        kept: list[bytes] | None = [] if path in READ else None
        if kept is not None and header.size > _LARGEST_RECORD:
            raise self._hostile("%d MB of %s" % (header.size >> 20, path))
        handle = -1
        if self._into is not None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            handle = os.open(os.path.join(self._into, path), flags, 0o600)
        try:
            left = header.size
            while left:
                block = source.read(min(_BLOCK, left))
                if not block:
                    raise tarfile.ReadError("unexpected end of %s" % path)
                left -= len(block)
                digest.update(block)
                if kept is not None:
                    kept.append(block)
                if handle != -1:
                    _write_all(handle, block)
            if handle != -1:
                os.fchmod(handle, _mode(header.mode))
                # Python compares a module's time with the one in its .pyc file.
                time = header.mtime if 0 <= header.mtime < 1 << 33 else 0
                os.utime(handle, (time, time))
        finally:
            if handle != -1:
                os.close(handle)
        if kept is not None:
            self.info[path] = b"".join(kept)
        self.members[path] = Member(FILE, header.size, digest.hexdigest())


def _mode(mode: int) -> int:
    """All may read, only the owner may write, nothing is setuid."""
    return 0o444 | (mode & 0o200) | (0o111 if mode & 0o100 else 0)


def _write_all(handle: int, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(handle, view) :]


def _zstd() -> t.Any:
    try:
        from compression import zstd
    except ImportError:
        try:
            from backports import zstd
        except ImportError:
            raise UserError(
                "backports.zstd in the engine's Python, to unpack .conda archives",
                "none",
                "run role hpc.pytorch.conda (entry point engine) again, or install backports.zstd for that Python",
            ) from None
    return zstd
