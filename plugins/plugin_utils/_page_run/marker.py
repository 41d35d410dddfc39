# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the comment that marks a block of a page. No I/O. Private to hpc.pytorch.

Examples are in ``blocks.py``. A sentence of the author, such as ``run it on Mondays``, is not a marker.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError, shown

_ID = re.compile(r"[a-z0-9-]+\Z")
_WORD = re.compile(r"([A-Za-z_-]+)=(.*)\Z")
_NOT_RUN = re.compile(r"not\s+run\s+([^\s:]+)\s*(?::(.*))?\Z", re.DOTALL)
_STATUS = re.compile(r"[0-9]{1,3}\Z")
_PLACES = ("login", "compute", "jupyter")
# A relative path of plain characters: the page must not write anywhere else.
_NAME = re.compile(r"(?:~/)?[A-Za-z0-9_.+-]+(?:/[A-Za-z0-9_.+-]+)*\Z")
# The words that each kind takes.
_TAKES = {"run": ("on", "as", "expect", "wait"), "file": ("on", "name"), "output": ()}


class Marker(t.NamedTuple):
    """What the comment in front of a fence says.

    :arg kind: run, not run, file or output.
    :arg on: the machine: login, compute or jupyter.
    :arg expect: the exit status that is right.
    :arg wait: whether the jobs that the block submits are waited for.
    :arg name: of a file, relative to the home directory.
    :arg reason: why the block is not run.
    """

    kind: str
    id: str
    on: str = "login"
    expect: int = 0
    wait: bool = False
    name: str = ""
    reason: str = ""

    def settings(self) -> tuple[str, ...]:
        """What decides how the block is run."""
        return (self.on, str(self.expect), str(self.wait), self.name)


def looks_like_one(comment: str) -> bool:
    """Whether a comment can be nothing else than a marker."""
    return any(word.startswith(("on=", "name=", "expect=", "wait=")) for word in comment.split())


def marker_of(comment: str, has_fence: bool) -> Marker | None:
    """The marker that a comment is; None for a sentence of the author.

    :arg has_fence: whether a fence is below the comment.
    :raises UserError: it is a marker with a mistake.
    """
    words = comment.split()
    if words[:2] == ["not", "run"] and len(words) > 2:
        return _not_run(comment, has_fence)
    if not words or words[0] not in _TAKES:
        if has_fence and looks_like_one(comment):
            raise UserError("a marker (run, not run, file or output)", shown(comment), "correct its first word")
        return None
    kind, rest = words[0], words[1:]
    settings = [_WORD.match(word) for word in rest[1:]]
    if not has_fence and not (rest and _ID.match(rest[0]) and all(settings)):
        return None
    if not rest or not _ID.match(rest[0]):
        raise UserError(
            "an ID of the characters a-z, 0-9 and - after %s" % kind, shown(" ".join(rest[:1])), "correct the marker"
        )
    given: dict[str, str] = {}
    for word, setting in zip(rest[1:], settings):
        name = setting.group(1) if setting else word
        if setting is None or name not in _TAKES[kind]:
            takes = ", ".join("%s=" % each for each in _TAKES[kind]) or "nothing"
            raise UserError("%s after the ID of %s" % (takes, kind), shown(word), "correct the marker")
        if name in given:
            raise UserError("%s= once" % name, "it twice", "remove one of them")
        given[name] = setting.group(2)
    return _made(kind, rest[0], given)


def _made(kind: str, name: str, given: t.Mapping[str, str]) -> Marker:
    if kind == "output":
        return Marker(kind, name)
    _one_of("on", given.get("on", "login"), _PLACES)
    if kind == "file":
        path = given.get("name", "")
        if not _NAME.match(path) or ".." in path.split("/"):
            raise UserError(
                "name= with a path relative to the home directory, of letters, digits and _.+-",
                shown(path),
                "correct it, such as name=test.sh",
            )
        return Marker(kind, name, on=given.get("on", "login"), name=path[2:] if path.startswith("~/") else path)
    _one_of("as", given.get("as", "user"), ("user",))
    _one_of("wait", given.get("wait", "job"), ("job",))
    status = given.get("expect", "0")
    if not _STATUS.match(status) or int(status) > 255:
        raise UserError("expect= with an exit status from 0 to 255", shown(status), "correct it")
    return Marker(kind, name, on=given.get("on", "login"), expect=int(status), wait="wait" in given)


def _one_of(name: str, value: str, values: t.Sequence[str]) -> None:
    if value not in values:
        raise UserError("%s= to be %s" % (name, " or ".join(values)), shown(value), "correct the marker")


def _not_run(comment: str, has_fence: bool) -> Marker | None:
    found = _NOT_RUN.match(comment)
    identifier, reason = (found.group(1), (found.group(2) or "").strip()) if found else ("", "")
    if not _ID.match(identifier) or not reason:
        if not has_fence:
            return None
        raise UserError(
            "not run ID: REASON, with an ID of the characters a-z, 0-9 and -", shown(comment), "name ID and reason"
        )
    return Marker("not run", identifier, reason=" ".join(reason.split()))
