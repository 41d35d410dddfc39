# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a package's own records: ``info/paths.json``, ``info/files``, ``info/link.json`` and so on. No I/O.

Private to hpc.pytorch. Sources: conda's CEP 34 (contents of conda packages) and conda-build's documentation of them.
"""

from __future__ import annotations

import json
import re
import typing as t

from ..._common.errors import UserError
from ..._common.lines import lines_of
from .judge import FILE, FOLDER, LINK, Entry, Package, hostile, malformed
from .names import bad_command, bad_path

INDEX, PATHS, FILES, LINK_JSON, HAS_PREFIX = (
    "info/index.json",
    "info/paths.json",
    "info/files",
    "info/link.json",
    "info/has_prefix",
)
READ = (INDEX, PATHS, FILES, LINK_JSON, HAS_PREFIX)
# Ours, in a package cache: this package was checked. No package may bring it.
CHECKED = "info/hpc_pytorch.checked"

_KINDS = {"hardlink": FILE, "softlink": LINK, "directory": FOLDER}
_MODULE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_PYTHON = re.compile(r"\d+\.\d+")


class Member(t.NamedTuple):
    """A file, folder or symlink in an unpacked package. *target* is a symlink's; *sha256* of a file, if it is known."""

    kind: str
    size: int = 0
    sha256: str = ""
    target: str = ""


class Unpacked(t.NamedTuple):
    """A package's members by path, and the content of those in :data:`READ`."""

    members: t.Mapping[str, Member]
    info: t.Mapping[str, bytes]


class Identity(t.NamedTuple):
    """What a channel's index calls a package. *site_packages* is where the environment's Python has its modules."""

    name: str
    version: str
    build: str
    source: str
    site_packages: str | None = None

    @property
    def label(self) -> str:
        """``numpy-2.3.0-py312_0``, the name of the package's folder in a cache."""
        return "%s-%s-%s" % (self.name, self.version, self.build)


def site_packages_of(python_version: str | None, own: str | None) -> str | None:
    """Where a Python has its modules: ``lib/python3.12/site-packages``, or *own*, as its record says.

    :raises UserError: that would be outside the environment.
    """
    if own is not None and bad_path(own):
        raise hostile("python", "", "python_site_packages_path %.200r" % own)
    if own or python_version is None:
        return own
    match = _PYTHON.match(python_version)
    return "lib/python%s/site-packages" % match.group() if match else None


class Contents(t.NamedTuple):
    """What a package's records say that it puts into an environment.

    :arg entries: the paths as in the package. A noarch Python package (*is_python*) has its modules elsewhere.
    :arg commands: names of commands to make in ``bin``.
    """

    entries: t.Sequence[Entry]
    is_python: bool
    commands: t.Sequence[str]

    def as_json(self) -> dict[str, t.Any]:
        """As the value of a JSON file, for :meth:`of_json`."""
        return dict(self._asdict(), entries=[list(each) for each in self.entries])

    @classmethod
    def of_json(cls, value: t.Mapping[str, t.Any]) -> Contents:
        """
        :raises KeyError, TypeError: it is not from :meth:`as_json`.
        """
        return cls([Entry(*each) for each in value["entries"]], bool(value["is_python"]), list(value["commands"]))

    def placed(self, identity: Identity) -> Package:
        """The package with the paths that its files have in an environment."""
        entries = [_placed(each, identity) for each in self.entries] if self.is_python else list(self.entries)
        entries += [Entry("bin/" + name, FILE) for name in self.commands]
        return Package(identity.label, identity.source, entries)


def contents_of(identity: Identity, unpacked: Unpacked) -> Contents:
    """What the package's records say.

    :raises UserError: they are not valid, or do not describe its members.
    """
    return _Reader(identity, unpacked).contents()


def _placed(entry: Entry, identity: Identity) -> Entry:
    first, slash, rest = entry.path.partition("/")
    if slash and first == "site-packages":
        return entry._replace(path="%s/%s" % (identity.site_packages or "lib/python/site-packages", rest))
    if slash and first == "python-scripts":
        return entry._replace(path="bin/" + rest)
    return entry


class _Reader:
    def __init__(self, identity: Identity, unpacked: Unpacked) -> None:
        self._identity = identity
        self._members = unpacked.members
        self._info = unpacked.info

    def _hostile(self, found: str) -> UserError:
        return hostile(self._identity.label, self._identity.source, found)

    def _malformed(self, found: str) -> UserError:
        return malformed(self._identity.label, self._identity.source, found)

    def contents(self) -> Contents:
        self._require_index()
        is_python, commands = self._noarch()
        # Both lists: tools differ in which one they read.
        return Contents(self._paths_json(self._listed_files()), is_python, commands)

    def _require_index(self) -> None:
        index = self._json(INDEX)
        if index is None:
            raise self._malformed("no %s" % INDEX)
        found = tuple(str(index.get(key)) for key in ("name", "version", "build"))
        if (found[0].lower(), *found[1:]) != (self._identity.name.lower(), *self._identity[1:3]):
            raise self._malformed("%s of %.200s" % (INDEX, "-".join(found)))

    def _noarch(self) -> tuple[bool, list[str]]:
        """Whether the package is a noarch Python package, and the names of its commands."""
        link, index = self._json(LINK_JSON), self._json(INDEX) or {}
        noarch = (link or {}).get("noarch") or {}
        if not isinstance(noarch, dict):
            raise self._malformed("%s whose noarch is no mapping" % LINK_JSON)
        points = noarch.get("entry_points") or []
        if not isinstance(points, list):
            raise self._malformed("%s whose entry_points are no list" % LINK_JSON)
        commands = []
        for point in points:
            name, equals, function = str(point).partition("=")
            name, (module, colon, attribute) = name.strip(), function.strip().partition(":")
            reason = bad_command(name)
            if reason:
                raise self._hostile("%s in %s" % (reason, LINK_JSON))
            # It becomes a line of a Python program. An extra, as in "a = b:c [d]", is allowed.
            attribute = attribute.split("[")[0].strip()
            if not (equals and colon and _MODULE.match(module.strip()) and _MODULE.match(attribute)):
                raise self._malformed("the entry point %.200r in %s" % (str(point), LINK_JSON))
            commands.append(name)
        return noarch.get("type") == "python" or index.get("noarch") == "python", commands

    def _paths_json(self, listed: list[str]) -> list[Entry]:
        """The entries of ``info/paths.json``, or for an old package without one those of ``info/files``."""
        paths = self._json(PATHS)
        if paths is None:
            if FILES not in self._info:
                raise self._malformed("neither %s nor %s" % (PATHS, FILES))
            return [self._member_entry(path) for path in listed]
        entries = paths.get("paths")
        if not isinstance(entries, list):
            raise self._malformed("%s without a list of paths" % PATHS)
        return [self._recorded_entry(each) for each in entries]

    def _recorded_entry(self, record: t.Any) -> Entry:
        if not isinstance(record, dict) or "_path" not in record:
            raise self._malformed("%s with the entry %.200r" % (PATHS, record))
        path, kind = record["_path"], record.get("path_type")
        entry = self._member_entry(path)
        if not isinstance(kind, str) or kind not in _KINDS:
            raise self._malformed("%s with path_type %.80r for %s" % (PATHS, kind, path))
        if _KINDS[kind] != entry.kind and not (
            kind == "hardlink" and entry.kind == LINK and self._leads_to_file(entry)
        ):
            raise self._malformed("%s with path_type %s for the %s %s" % (PATHS, kind, entry.kind, path))
        placeholder, mode = record.get("prefix_placeholder"), record.get("file_mode")
        if placeholder is not None and (not isinstance(placeholder, str) or not placeholder.startswith("/")):
            raise self._malformed("%s with prefix_placeholder %.80r for %s" % (PATHS, placeholder, path))
        if mode is not None and mode not in ("text", "binary"):
            raise self._malformed("%s with file_mode %.80r for %s" % (PATHS, mode, path))
        self._require_content(path, record)
        return entry

    def _require_content(self, path: str, record: t.Mapping[str, t.Any]) -> None:
        """Compare a file with its size and sha256 in ``paths.json``."""
        member = self._members[path]
        size, sha256 = record.get("size_in_bytes"), record.get("sha256")
        if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 0):
            raise self._malformed("%s with size_in_bytes %.80r for %s" % (PATHS, size, path))
        if sha256 is not None and (not isinstance(sha256, str) or not (_SHA256.match(sha256) or sha256 == "")):
            raise self._malformed("%s with sha256 %.80r for %s" % (PATHS, sha256, path))
        if member.kind != FILE or not member.sha256:
            return
        if (size is not None and size != member.size) or (sha256 and sha256 != member.sha256):
            raise self._malformed("a file %s that is not the one in its %s" % (path, PATHS))

    def _member_entry(self, path: t.Any) -> Entry:
        reason = bad_path(path)
        if reason:
            raise self._hostile("a file %.200r, %s" % (path, reason))
        member = self._members.get(path)
        if member is None:
            raise self._malformed("no file %.200s, which its records name" % path)
        return Entry(path, member.kind, member.target)

    def _leads_to_file(self, entry: Entry) -> bool:
        """Whether a symlink leads to a file next to it: then a tool may copy what it leads to."""
        folder = entry.path.rpartition("/")[0]
        member = self._members.get((folder + "/" if folder else "") + entry.target)
        return member is not None and member.kind == FILE

    def _listed_files(self) -> list[str]:
        text = self._text(FILES)
        paths = [line.strip() for line in lines_of(text) if line.strip()] if text else []
        for line in lines_of(self._text(HAS_PREFIX) or ""):
            # PLACEHOLDER MODE PATH, or PATH alone; each may be quoted.
            if line.strip():
                words = [first or second for first, second in re.findall(r'"([^"]*)"|(\S+)', line)]
                paths.append(words[-1] if words else "")
        for path in paths:
            reason = bad_path(path)
            if reason:
                raise self._hostile("a file %.200r, %s" % (path, reason))
        return paths

    def _text(self, name: str) -> str | None:
        content = self._info.get(name)
        try:
            return None if content is None else content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise self._malformed("%s that is not UTF-8 (%s)" % (name, error)) from None

    def _json(self, name: str) -> dict[str, t.Any] | None:
        text = self._text(name)
        if text is None:
            return None
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise self._malformed("%s that is not JSON (%s)" % (name, error)) from None
        if not isinstance(found, dict):
            raise self._malformed("%s that is not a mapping" % name)
        return found
