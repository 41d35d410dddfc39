# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unpacks a wheel into the tree of a conda package. Private to hpc.pytorch. Runs in the engine's venv."""

from __future__ import annotations

import base64
import configparser
import csv
import errno
import hashlib
import io
import lzma
import os
import posixpath
import re
import struct
import typing as t
import zipfile
import zlib

from ..._common.errors import UserError
from ..._common.process import check
from ..._conda.package.judge import FILE, Entry, Package, require_inside
from ..._conda.package.unpack import MOST_MEMBERS, most_bytes
from ..archive import PLACEHOLDER
from ..python.interpreter import Interpreter, compile_tree
from .names import entry_point_script, entry_point_scripts

_DATA = re.compile(r"^[^/]+\.data/([^/]+)/(.+)$")
_DIST_INFO = re.compile(r"^([^/]+\.dist-info)/")
# Signatures of the RECORD, which is rewritten.
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")
# Of METADATA and entry_points.txt, which are read into memory.
_LARGEST_TEXT = 16 << 20
_LONGEST_FIRST_LINE = 4096
# What zipfile and its decompressors raise for damage. An encrypted member is a RuntimeError.
_DAMAGE = (
    configparser.Error,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    KeyError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    struct.error,
    OverflowError,
)


class Unpacked(t.NamedTuple):
    """What :func:`unpack_wheel` wrote."""

    placeholders: frozenset[str]
    digests: dict[str, str]
    summary: str
    license: str


def unpack_wheel(wheel: str, root: str, interpreter: Interpreter, compile_files: bool = True) -> Unpacked:
    """Write the wheel's files to their places below *root*, with commands, .pyc files and a new RECORD.

    :raises UserError: the file is not a wheel, or one of its files would be written elsewhere.
    """
    shown = os.path.basename(wheel)
    try:
        return _unpack(wheel, shown, root, interpreter, compile_files)
    except OSError as error:
        # zipfile reports damage without a number; the others are two files in one place, or a name that is too long.
        if error.errno in (None, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG):
            place = os.path.relpath(str(error.filename), root) if error.filename else "it"
            raise _bad_wheel(shown, "%s (%s)" % (error.strerror or error, place)) from None
        raise
    except _DAMAGE as error:
        raise _bad_wheel(shown, str(error) or type(error).__name__) from None


def _unpack(wheel: str, shown: str, root: str, interpreter: Interpreter, compile_files: bool) -> Unpacked:
    placeholders: set[str] = set()
    written: dict[str, str] = {}
    dist_info = ""
    with zipfile.ZipFile(wheel) as archive:
        _require_bounded(archive, os.path.getsize(wheel), shown)
        for item in archive.infolist():
            check()
            if item.is_dir():
                continue
            match = _DIST_INFO.match(item.filename)
            dist_info = dist_info or (match.group(1) if match else "")
            if item.filename in [dist_info + "/RECORD"] + [dist_info + "/" + name for name in _SIGNATURES]:
                continue
            target, script = _target(item.filename, shown, interpreter)
            if (item.external_attr >> 16) & 0o170000 == 0o120000:
                raise _bad_wheel(shown, "a symlink named %s" % item.filename)
            path = os.path.join(root, target)
            if os.path.lexists(path):
                raise _bad_wheel(shown, "two files for %s" % target)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            executable = script or bool((item.external_attr >> 16) & 0o111)
            with archive.open(item) as source, open(path, "wb") as stream:
                first = _first_line(source, interpreter) if script else b""
                if first.startswith(b"#!" + PLACEHOLDER.encode()):
                    placeholders.add(target)
                written[target] = _copy(first, source, stream)
            os.chmod(path, 0o755 if executable else 0o644)
        if not dist_info:
            raise _bad_wheel(shown, "no .dist-info folder")
        metadata = _read_text(archive, dist_info + "/METADATA", shown, "replace")
        names = set(archive.namelist())
        points = dist_info + "/entry_points.txt"
        scripts = entry_point_scripts(_read_text(archive, points, shown, "strict")) if points in names else {}
    for name, (module, attribute) in sorted(scripts.items()):
        target = "bin/" + name
        # As pip does, this replaces a script of the same name in the wheel.
        text = entry_point_script(_shebang(interpreter), module, attribute)
        written[target] = _write(root, target, text.encode(), 0o755)
        placeholders.add(target)
    folder = posixpath.join(interpreter.site_packages, dist_info)
    written[folder + "/INSTALLER"] = _write(root, folder + "/INSTALLER", b"conda\n")
    sources = [name for name in written if name.endswith(".py") and name.startswith(interpreter.site_packages + "/")]
    compiled = compile_tree(interpreter, root, sources) if compile_files else []
    for name in compiled:
        # The wheel may have brought it, compiled from another path.
        written.pop(name, None)
    record = folder + "/RECORD"
    require_inside([Package(shown, "", [Entry(name, FILE) for name in (*written, *compiled, record)])])
    digests = dict(written, **{record: _write(root, record, _record(root, written, compiled, record, interpreter))})
    return Unpacked(frozenset(placeholders), digests, _field(metadata, "Summary"), _license(metadata))


def _require_bounded(archive: zipfile.ZipFile, size: int, wheel: str) -> None:
    """Refuse a wheel that would fill the disk. zipfile itself reads no more of a member than its header says."""
    items = archive.infolist()
    if len(items) > MOST_MEMBERS:
        raise _bad_wheel(wheel, "%d files" % len(items))
    total = sum(item.file_size for item in items)
    if total > most_bytes(size):
        raise _bad_wheel(wheel, "%d MB in a file of %d MB, which is too much for its size" % (total >> 20, size >> 20))


def _read_text(archive: zipfile.ZipFile, name: str, wheel: str, errors: str) -> str:
    if archive.getinfo(name).file_size > _LARGEST_TEXT:
        raise _bad_wheel(wheel, "%d MB of %s" % (archive.getinfo(name).file_size >> 20, name))
    return archive.read(name).decode("utf-8", errors)


def _target(name: str, wheel: str, interpreter: Interpreter) -> tuple[str, bool]:
    """The path of a wheel's member below the environment's prefix, and whether it is a command."""
    match = _DATA.match(name)
    script = False
    base, rest = interpreter.site_packages, name
    if match:
        scheme, rest = match.groups()
        script = scheme == "scripts"
        project = name.split("-")[0]
        bases = {
            "purelib": interpreter.site_packages,
            "platlib": interpreter.site_packages,
            "scripts": "bin",
            "data": "",
            "headers": "include/python%s/%s" % (interpreter.major_minor, project),
        }
        if scheme not in bases:
            raise _bad_wheel(wheel, "files of the unknown kind %s" % scheme)
        base = bases[scheme]
    parts = rest.split("/")
    hostile = any(part in ("", ".", "..") for part in parts) or "\\" in rest
    if hostile or not rest.isprintable() or (not base and parts[0].casefold() in ("info", "conda-meta")):
        raise _bad_wheel(wheel, "a file named %s" % name)
    return posixpath.join(base, rest), script


def _first_line(source: t.IO[bytes], interpreter: Interpreter) -> bytes:
    """The first line of a command in the wheel: ``#!python`` becomes the environment's interpreter."""
    first = source.readline(_LONGEST_FIRST_LINE)
    return ("#!%s\n" % _shebang(interpreter)).encode() if first.startswith(b"#!python") else first


def _copy(first: bytes, source: t.IO[bytes], stream: t.IO[bytes]) -> str:
    """Write *first* and the rest of *source*. Returns the digest."""
    digest = hashlib.sha256(first)
    stream.write(first)
    for block in iter(lambda: source.read(1 << 20), b""):
        check()
        digest.update(block)
        stream.write(block)
    return digest.hexdigest()


def _shebang(interpreter: Interpreter) -> str:
    return "%s/bin/python%s" % (PLACEHOLDER, interpreter.major_minor)


def _record(
    root: str, written: t.Mapping[str, str], compiled: t.Iterable[str], record: str, interpreter: Interpreter
) -> bytes:
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    for name, digest in sorted(written.items()):
        encoded = base64.urlsafe_b64encode(bytes.fromhex(digest)).rstrip(b"=").decode()
        relative = posixpath.relpath(name, interpreter.site_packages)
        # The installer rewrites a command's first line, so its digest and size are not known.
        fixed = not name.startswith("bin/")
        size = os.path.getsize(os.path.join(root, name))
        writer.writerow([relative, "sha256=" + encoded if fixed else "", size if fixed else ""])
    for name in sorted(compiled) + [record]:
        writer.writerow([posixpath.relpath(name, interpreter.site_packages), "", ""])
    return lines.getvalue().encode()


def _write(root: str, name: str, content: bytes, mode: int = 0o644) -> str:
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as stream:
        stream.write(content)
    os.chmod(path, mode)
    return hashlib.sha256(content).hexdigest()


def _field(metadata: str, name: str) -> str:
    header = metadata.split("\n\n", 1)[0]
    match = re.search(r"^%s: *(.*)$" % re.escape(name), header, re.MULTILINE)
    return match.group(1).strip() if match else ""


def _license(metadata: str) -> str:
    text = _field(metadata, "License-Expression") or _field(metadata, "License")
    return text if len(text) < 80 else ""


def _bad_wheel(wheel: str, found: str) -> UserError:
    return UserError("a wheel with valid content in %s" % wheel, found, "leave this wheel out, or use another version")
