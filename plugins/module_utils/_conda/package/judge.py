# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges where the files of packages would go, before one is linked into an environment. No I/O.

Private to hpc.pytorch. py-rattler 0.28.0, conda and mamba put files where a package's own records tell them. A path
counts by where it ends on the file system, through the symlinks that this or another package brings, not by how it is
spelled.
"""

from __future__ import annotations

import typing as t

from ..._common.errors import UserError
from .names import Parts, bad_path, is_record

FILE, FOLDER, LINK = "file", "folder", "link"
# Copies of a system have a symlink to these; nobody can write there.
HARMLESS_TARGETS = ("/proc/mounts", "/proc/self/mounts")
_MOST_LINKS = 40

# From the path of a symlink that an environment holds already to its target; None for anything else.
ReadLink = t.Callable[[str], t.Optional[str]]


class Entry(t.NamedTuple):
    """A file, folder or symlink that a package puts at *path* in an environment. *target* is a symlink's."""

    path: str
    kind: str
    target: str = ""


class Package(t.NamedTuple):
    """What a package would put into an environment. *label* is ``numpy-2.3.0-py312_0``, *source* its address."""

    label: str
    source: str
    entries: t.Sequence[Entry]


def require_inside(
    packages: t.Sequence[Package],
    prefix: str = "",
    read_link: ReadLink = lambda path: None,
    consistent: bool = False,
) -> None:
    """Refuse packages with a file that would end outside the environment, or on a record of conda's or of ours.

    :arg packages: all packages that are linked together.
    :arg prefix: the environment; symlinks that it holds already may lead to absolute paths in it.
    :arg read_link: reads those symlinks.
    :arg consistent: whether each package was judged before, alone.
    :raises UserError: naming the package and the path.
    """
    links = {each.path: each.target for package in packages for each in package.entries if each.kind == LINK}
    views = [_View(links, prefix, read_link)]
    if any(path != path.casefold() for path in links):
        # A file system may ignore case.
        folded = {path.casefold(): target.casefold() for path, target in links.items()}
        views.append(_View(folded, prefix, lambda path: None, ignores_case=True))
    for package in packages:
        if not consistent:
            _require_consistent(package)
        for each in package.entries:
            for number, view in enumerate(views):
                found = _problem(each, view, bool(number))
                if found:
                    raise hostile(package.label, package.source, found)


def hostile(label: str, source: str, found: str) -> UserError:
    """The error about a package that must not be installed."""
    return UserError(
        "a package %s whose files all stay inside the environment" % label,
        "%s%s" % (found, " (from %s)" % source if source else ""),
        "choose another build of it or another channel, and tell the owner of this channel",
    )


def malformed(label: str, source: str, found: str) -> UserError:
    """The error about a package that cannot be read."""
    return UserError(
        "a package %s with valid content" % label,
        "%s%s" % (found, " (from %s)" % source if source else ""),
        "have the package repaired or published again by its channel, or choose another build",
    )


def _require_consistent(package: Package) -> None:
    """Refuse paths that are not plain, and one path as two kinds of thing."""
    kinds: dict[str, str] = {}
    for each in package.entries:
        reason = bad_path(each.path)
        if reason:
            raise hostile(package.label, package.source, "a file %.200r, %s" % (each.path, reason))
        if kinds.setdefault(each.path, each.kind) != each.kind:
            raise hostile(
                package.label, package.source, "%.200r as a %s and a %s" % (each.path, kinds[each.path], each.kind)
            )


class _View:
    """The symlinks of an environment as it would be, with what was found out about its folders."""

    def __init__(
        self, links: t.Mapping[str, str], prefix: str, read_link: ReadLink, ignores_case: bool = False
    ) -> None:
        self._links, self._prefix, self._read_link, self._ignores_case = links, prefix, read_link, ignores_case
        self._folders: dict[str, Parts | None] = {"": ()}

    def folder(self, path: str) -> Parts | None:
        """Where the folder *path* really is, or None: outside."""
        if path not in self._folders:
            above, unused, name = path.rpartition("/")
            start = self.folder(above)
            self._folders[path] = None if start is None else self.end_of(start, (name,))
        return self._folders[path]

    def end_of(self, start: Parts, parts: Parts) -> Parts | None:
        """Where *parts* end if they are followed from *start*, or None: outside the environment."""
        current = list(start)
        pending = list(reversed(parts))
        followed = 0
        while pending:
            part = pending.pop()
            if part in ("", "."):
                continue
            if part == "..":
                if not current:
                    return None
                current.pop()
                continue
            current.append(part)
            path = "/".join(current)
            target = self._links[path] if path in self._links else self._read_link(path)
            if target is None:
                continue
            followed += 1
            if followed > _MOST_LINKS:
                # Without case `Lib -> lib` leads to itself: such a file system has only one of them.
                return () if self._ignores_case else None
            current.pop()
            if target.startswith("/"):
                if not self._prefix or not (target + "/").startswith(self._prefix + "/"):
                    return None
                current, target = [], target[len(self._prefix) :]
            pending += reversed(target.split("/"))
        return tuple(current)


def _problem(each: Entry, view: _View, folded: bool) -> str | None:
    """What is wrong with where *each* would end, or None."""
    path = each.path.casefold() if folded else each.path
    target = each.target.casefold() if folded else each.target
    above, unused, name = path.rpartition("/")
    folder = view.folder(above)
    if folder is None:
        return "a file %.200r, whose folder is a symlink that leads outside" % each.path
    if is_record((*folder[:2], name)) and not (each.kind == FOLDER and len(folder) == 0):
        return "a file %.200r, which would be a record in conda-meta" % each.path
    if each.kind != LINK or target in HARMLESS_TARGETS:
        return None
    if not target or "\0" in target:
        return "a symlink %.200r without a valid target" % each.path
    end = None if target.startswith("/") else view.end_of(folder, tuple(target.split("/")))
    if end is None:
        return "a symlink %.200r to %.200r, which leads outside" % (each.path, each.target)
    if is_record(end):
        return "a symlink %.200r to %.200r, a record in conda-meta" % (each.path, each.target)
    return None
