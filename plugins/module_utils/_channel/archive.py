# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes ``.conda`` archives. The same tree gives the same bytes. Private to hpc.pytorch. Runs in the engine's venv."""

from __future__ import annotations

import concurrent.futures
import io
import json
import os
import stat
import tarfile
import typing as t
import zipfile

from .._common.process import check
from .._files.files import sha256_of_file

# Text that the installer replaces with the environment's prefix. As long as conda-build's, which other tools expect.
PLACEHOLDER = ("/opt/anaconda1anaconda2anaconda3/" + "placehold_" * 30)[:255].rstrip("_")
# torch 2.13.0 (768 MB unpacked) on two cores: level 3 takes 1.9 s for 175 MB, 5 takes 3.7 s for 165 MB,
# 9 takes 13.6 s for 152 MB.
ZSTD_LEVEL = 3
# A fixed number, so that zstd's output does not depend on the number of cores.
ZSTD_WORKERS = 2
# One time for all files, so that archives are the same. Not 1980: west of Greenwich that is too early for a zip file.
EPOCH = 1577836800
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_ZIP64_FROM = 1 << 31


class Entry(t.NamedTuple):
    """One file of a package."""

    path: str
    size: int
    sha256: str
    executable: bool
    link: str | None


def list_tree(root: str, digests: t.Mapping[str, str] | None = None) -> list[Entry]:
    """Every file and symlink below *root*, sorted, with its digest.

    :arg digests: digests that are already known, to avoid reading large files again.
    """
    known = digests or {}
    names = []
    for folder, folders, files in os.walk(root):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        names += [os.path.relpath(os.path.join(folder, name), root) for name in files + links]
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(lambda name: _entry(root, name, known.get(name)), sorted(names)))


def write_conda(
    root: str,
    entries: t.Sequence[Entry],
    target: str,
    index: t.Mapping[str, t.Any],
    about: t.Mapping[str, t.Any],
    placeholders: t.Collection[str] = (),
) -> None:
    """Write the package *target* from the tree at *root*.

    :arg index: info/index.json; *about* likewise.
    :arg placeholders: files with :data:`PLACEHOLDER` in their text.
    """
    info = {
        "info/about.json": _json(about),
        "info/files": "".join(entry.path + "\n" for entry in entries).encode(),
        "info/index.json": _json(index),
        "info/paths.json": _json(
            {"paths": [_path_record(entry, entry.path in placeholders) for entry in entries], "paths_version": 1}
        ),
    }
    stem = os.path.basename(target)[: -len(".conda")]
    with open(target, "xb") as stream:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            with archive.open(_zip_info("metadata.json"), "w") as member:
                member.write(b'{"conda_pkg_format_version": 2}')
            size = sum(entry.size + 1024 for entry in entries)
            with _zstd_tar(archive, "pkg-%s.tar.zst" % stem, size) as tar:
                for entry in entries:
                    check()
                    _add(tar, root, entry)
            with _zstd_tar(archive, "info-%s.tar.zst" % stem, 0) as tar:
                for name, content in sorted(info.items()):
                    member_info = _tar_info(name, False)
                    member_info.size = len(content)
                    tar.addfile(member_info, io.BytesIO(content))
        stream.flush()
        os.fchmod(stream.fileno(), 0o644)
        os.fsync(stream.fileno())


class _zstd_tar:
    """A tar that is compressed into a member of a zip while it is written, without a copy on disk."""

    def __init__(self, archive: zipfile.ZipFile, name: str, size: int) -> None:
        try:
            from compression import zstd
        except ImportError:
            from backports import zstd
        options = {
            zstd.CompressionParameter.compression_level: ZSTD_LEVEL,
            zstd.CompressionParameter.nb_workers: ZSTD_WORKERS,
        }
        self._member = archive.open(_zip_info(name), "w", force_zip64=size >= _ZIP64_FROM)
        self._zstd = zstd.ZstdFile(self._member, "w", options=options)
        self._tar = tarfile.open(
            fileobj=self._zstd, mode="w|", format=tarfile.GNU_FORMAT, encoding="utf-8", bufsize=1 << 20
        )

    def __enter__(self) -> tarfile.TarFile:
        return self._tar

    def __exit__(self, kind: t.Any, *rest: t.Any) -> None:
        if kind is None:
            self._tar.close()
        self._zstd.close()
        self._member.close()


def _add(tar: tarfile.TarFile, root: str, entry: Entry) -> None:
    info = _tar_info(entry.path, entry.executable)
    if entry.link is not None:
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, entry.link, 0o777
        tar.addfile(info)
        return
    info.size = entry.size
    with open(os.path.join(root, entry.path), "rb") as stream:
        tar.addfile(info, t.cast("t.IO[bytes]", _Checked(stream)))


class _Checked:
    """Reads a file until the module is interrupted."""

    def __init__(self, stream: t.IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        check()
        return self._stream.read(size)


def _entry(root: str, name: str, known: str | None) -> Entry:
    path = os.path.join(root, name)
    status = os.lstat(path)
    if stat.S_ISLNK(status.st_mode):
        # The digest of the symlink's target, as conda-build records it.
        digest = sha256_of_file(path) if os.path.isfile(path) else ""
        return Entry(name, 0, digest, False, os.readlink(path))
    return Entry(name, status.st_size, known or sha256_of_file(path), bool(status.st_mode & stat.S_IXUSR), None)


def _path_record(entry: Entry, placeholder: bool) -> dict[str, t.Any]:
    record: dict[str, t.Any] = {
        "_path": entry.path,
        "path_type": "hardlink" if entry.link is None else "softlink",
        "sha256": entry.sha256,
        "size_in_bytes": entry.size,
    }
    if placeholder:
        record.update(file_mode="text", prefix_placeholder=PLACEHOLDER)
    return record


def _tar_info(name: str, executable: bool) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.mtime = EPOCH
    info.mode = 0o755 if executable else 0o644
    return info


def _zip_info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _ZIP_EPOCH)
    info.create_system = 3
    info.external_attr = 0o644 << 16
    return info


def _json(value: t.Mapping[str, t.Any]) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=True) + "\n").encode()
