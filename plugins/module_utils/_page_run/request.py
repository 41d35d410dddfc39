# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The call of user_guide_run: its options, checked. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from .._common.errors import UserError, shown
from .._files.paths import require_absolute

_PAGE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")


class Block(t.NamedTuple):
    """A block of the page.

    :arg kind: run (commands of bash) or file.
    :arg on: login, compute or jupyter.
    :arg expect: the exit status that is right.
    :arg wait: whether the jobs that it submits are waited for.
    :arg name: of a file, relative to the home directory.
    """

    id: str
    kind: str
    text: str
    on: str
    expect: int
    wait: bool
    name: str


class Options(t.NamedTuple):
    """The module's options.

    :arg page: the page's name; also that of its folder.
    :arg seconds: how long each block, and each job that is waited for, may take.
    :arg links: paths relative to the home directory that the commands see as in the user's own.
    :arg srun: options of srun for the blocks that run on a compute node.
    """

    page: str
    blocks: tuple[Block, ...]
    seconds: int
    links: tuple[str, ...]
    srun: tuple[str, ...]

    @classmethod
    def of(cls, params: t.Mapping[str, t.Any]) -> Options:
        """Read and check the module's parameters.

        :raises UserError: they make no sense.
        """
        blocks = tuple(Block(**{name: each[name] for name in Block._fields}) for each in params["blocks"])
        options = cls(params["page"], blocks, params["timeout"], tuple(params["links"]), tuple(params["srun"]))
        options.check()
        return options

    def check(self) -> None:
        """Refuse what makes no sense."""
        if not _PAGE.match(self.page):
            raise UserError("page to be the name of a file", shown(self.page), "give the page's name, without folders")
        if self.seconds < 1:
            raise UserError("timeout to be at least 1 second", str(self.seconds), "correct it, or leave it out")
        for path in self.links:
            _require_inside("links", path)
        for block in self.blocks:
            if block.kind == "file":
                _require_inside("the name of %s" % block.id, block.name)


def _require_inside(what: str, path: str) -> None:
    """Refuse a path that leads out of the home directory."""
    require_absolute(what, "/" + path)
    parts = path.split("/")
    if path.startswith(("/", "~")) or ".." in parts or not all(part not in ("", ".") for part in parts):
        raise UserError("%s to be a path below the home directory" % what, shown(path), "write it without ~, / and ..")
