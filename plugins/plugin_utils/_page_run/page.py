# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is run of a page, and the error for a block that failed. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError, shown
from ansible_collections.hpc.pytorch.plugins.module_utils._common.lines import lines_of, visible

from .blocks import Block, commands, read_page
from .outputs import Reader, shown_output

# Lines of a failed command's output, and characters of one.
_LAST, _COLUMNS = 8, 300


class Page(t.NamedTuple):
    """A page in one of its languages.

    :arg name: the name of its file.
    """

    name: str
    blocks: list[Block]

    @property
    def ids(self) -> list[str]:
        """The IDs of the blocks that are run."""
        return [block.id for block in self.blocks if block.kind == "run"]

    @property
    def reasons(self) -> dict[str, str]:
        """Why the other commands are not run."""
        return {block.id: block.marker.reason for block in self.blocks if block.kind == "not run"}

    @property
    def text(self) -> str:
        """All commands and files."""
        return "".join(block.text for block in self.blocks if block.kind in ("run", "file"))

    def steps(self, on: t.Container[str]) -> list[dict[str, t.Any]]:
        """The blocks for the module, in their order; none if there is no command for these machines."""
        found = [block for block in self.blocks if block.kind in ("run", "file") and block.marker.on in on]
        return [_step(block) for block in found] if any(block.kind == "run" for block in found) else []


def one_page(texts: t.Mapping[str, str]) -> Page:
    """The page whose languages are given by the names of their files; its commands are those of the first.

    :raises UserError: a page has a mistake, or the languages do not have the same commands.
    """
    pages = [Page(name, read_page(name, text)) for name, text in texts.items()]
    first = pages[0]
    for other in pages[1:]:
        _require_same(first, other)
    return first


def failure(page: Page, block: Block, end: t.Mapping[str, t.Any], answer: t.Mapping[str, t.Any]) -> UserError:
    """The error for a block that failed.

    :arg end: how it ended, of the module's answer.
    """
    index = _failed_line(block, end)
    command = [line for line in lines_of(block.text) if line.strip()]
    lines = lines_of(block.text)
    line = lines[index].strip() if index is not None else " ; ".join(each.strip() for each in command[:3])
    where = "%s, line %d (%s)" % (page.name, block.line + (index or 0), block.id)
    output = shown_output(end["output"], Reader("", ()), "")
    last = [visible(each, _COLUMNS) for each in lines_of(output)[-_LAST:] if each.strip()]
    return UserError(
        "exit status %d from `%s` in %s" % (block.marker.expect, visible(line, _COLUMNS), where),
        "%s; %s" % (_how(block, end), "its output ends with: " + " | ".join(last) if last else "no output"),
        "log in to %s as %s, try it after `cd %s && HOME=$PWD bash -l`, and correct the page or the site"
        % (answer.get("host"), answer.get("user"), answer.get("home")),
        folder=answer.get("folder"),
    )


def _how(block: Block, end: t.Mapping[str, t.Any]) -> str:
    if end["problem"]:
        return str(end["problem"])
    if end["status"] != block.marker.expect:
        return "exit status %s" % end["status"]
    return "a command that failed, though the last one of the block did not"


def _failed_line(block: Block, end: t.Mapping[str, t.Any]) -> int | None:
    """The index of the first line that failed; None if that is not known, as in a block with one line."""
    count = len(lines_of(block.text))
    failed = [number for number in end["failed"] if 1 <= number <= count]
    return failed[0] - 1 if failed and not end["problem"] else None


def _step(block: Block) -> dict[str, t.Any]:
    marker = block.marker
    return {
        "id": block.id,
        "kind": block.kind,
        "text": block.text,
        "on": marker.on,
        "expect": marker.expect,
        "wait": marker.wait,
        "name": marker.name,
    }


def _require_same(first: Page, other: Page) -> None:
    one, two = commands(first.blocks), commands(other.blocks)
    if one == two:
        return
    missing = [each[1] for each in one if each[1] not in {name for _kind, name, *_rest in two}]
    more = [each[1] for each in two if each[1] not in {name for _kind, name, *_rest in one}]
    if missing or more:
        found = "no %s" % missing[0] if missing else "%s as well" % more[0]
    else:
        number = next(index for index, (a, b) in enumerate(zip(one, two)) if a != b)
        a, b = one[number], two[number]
        found = "%s where the other has %s" % (b[1], a[1]) if a[1] != b[1] else "another %s: %s" % (b[1], shown(b[-1]))
    raise UserError(
        "the same commands in %s as in %s, in the same order" % (other.name, first.name),
        found,
        "render the pages again, or make the same change in each language",
    )
