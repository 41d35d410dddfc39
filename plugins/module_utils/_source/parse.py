# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where does it come from: the one parser of channels, package addresses and paths. No I/O. Private to hpc.pytorch.

The tools that get these texts differ in how they read them, so a text has every path that one of them may end at. What
no tool reads alike is *unknown*.
"""

from __future__ import annotations

import os
import re
import typing as t
import urllib.parse

from .._common.redact import Address

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.+-]*)*(?:\[[A-Za-z0-9_,-]+\])?\Z")
_FILE = ("file", "git+file", "hg+file", "bzr+file", "svn+file")
# What conda, rattler and pip can fetch from. The transport is the caller's own trust.
_WEB = (
    ("http", "https", "ftp", "s3", "gs", "gcs", "oci")
    + ("git+http", "git+https", "git+ssh", "git+git", "hg+http", "hg+https", "hg+ssh", "hg+static-http")
    + (
        "svn+http",
        "svn+https",
        "svn+ssh",
        "svn+svn",
        "bzr+http",
        "bzr+https",
        "bzr+ssh",
        "bzr+sftp",
        "bzr+ftp",
        "bzr+lp",
    )
)


class Source(t.NamedTuple):
    """Where something comes from.

    :arg kind: ``name``, ``web`` (an address on the network), ``path`` (of this machine), or ``unknown``.
    :arg address: the text.
    :arg paths: for a path: every absolute path that a reader of the text may end at, the usual reading first.
    :arg why: for an unknown form: what it has, for a message.
    """

    kind: str
    address: Address
    paths: tuple[str, ...] = ()
    why: str = ""

    @property
    def path(self) -> str | None:
        """The path of this machine, as most tools read it, or None."""
        return self.paths[0] if self.paths else None


def parse(text: str, folder: str | None = None, named: bool = True) -> Source:
    """What *text* names.

    ``file:///srv/my%20channel``, ``FILE:/srv/my%20channel`` and ``/srv/my channel`` are the same path.

    :arg folder: the folder that a relative path starts from. The current folder never counts.
    :arg named: whether a word, such as ``conda-forge``, is a name; otherwise it is a relative path.
    """
    address = Address(text)

    def unknown(why: str) -> Source:
        return Source("unknown", address, why=why)

    def local(*paths: str) -> Source:
        if any("\0" in path for path in map(urllib.parse.unquote, paths)):
            return unknown("a NUL in it")
        return Source("path", address, _readings(paths))

    if not text or text != text.strip() or not text.isprintable():
        return unknown("blanks around it or control characters in it")
    if "\\" in text:
        return unknown("a backslash in it")
    match = _SCHEME.match(text)
    if match:
        scheme, rest = match.group(1).lower(), text[match.end() :]
        if scheme in _WEB:
            return Source("web", address) if re.match(r"//[^/?#]", rest) else unknown("no // and host after its scheme")
        if scheme not in _FILE:
            return unknown("the unknown scheme %s:" % scheme)
        if rest.startswith("//"):
            host, slash, rest = rest[2:].partition("/")
            if host.lower() not in ("", "localhost"):
                return unknown("the host %s in an address of a file, which needs three slashes" % host)
            rest = slash + rest
        if not rest.startswith("/"):
            return unknown("a relative path after its scheme")
        # What follows ? and # belongs to the address, or to the name of a file for some tools.
        plain = re.split(r"[?#]", rest, maxsplit=1)[0]
        return local(*dict.fromkeys([urllib.parse.unquote(plain), rest]))
    if text.startswith("~"):
        expanded = os.path.expanduser(text)
        return local(expanded) if expanded.startswith("/") else unknown("an unknown home directory")
    if text.startswith("/"):
        return unknown("a variable in it") if _variable(text) else local(text)
    if named and _NAME.match(text) and ".." not in text.split("/"):
        return Source("name", address)
    if _variable(text):
        return unknown("a variable in it")
    if folder is None:
        return unknown("a relative path")
    return local(os.path.join(folder, text))


def local_path(url: str) -> str | None:
    """The path in a ``file:`` address, in any spelling, or None: ``file:///srv/a%20b`` is ``/srv/a b``."""
    return parse(url).path if url[:5].lower() == "file:" else None


def _variable(text: str) -> bool:
    return re.search(r"\$(?:\{|\w)", text) is not None


def _readings(paths: t.Iterable[str]) -> tuple[str, ...]:
    """*paths* as they are, with their escapes, and with ``..`` taken away before or after symlinks are followed."""
    found: dict[str, None] = {}
    for path in paths:
        for _time in range(3):
            single = "/" + path.lstrip("/")
            if ".." in single.split("/"):
                found[os.path.normpath(single)] = None
                found[single] = None
            else:
                found[single.rstrip("/") or "/"] = None
            if "%" not in path:
                break
            path = urllib.parse.unquote(path)
    return tuple(found)
