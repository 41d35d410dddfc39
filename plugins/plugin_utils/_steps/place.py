# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""To which step of a run a task belongs. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ansible.playbook.block import Block
from ansible.playbook.role_include import IncludeRole
from ansible.playbook.task_include import TaskInclude


class Place(t.NamedTuple):
    """A part of a play that a person would call a step: a role, or a file of tasks.

    key: the same for all tasks of the part. label: its name.
    """

    key: str
    label: str


def place_of(task: t.Any) -> Place | None:
    """The outermost include, or role in the list of the play, that *task* is in; None for a task of the play itself.

    What is imported counts as written in the play: to import is a way to cut a long play.
    """
    found, top = None, task
    node = task
    while node is not None:
        if isinstance(node, TaskInclude):
            top = node
            # What an imported role includes is a part of that role.
            found = node if not node.statically_loaded else None if isinstance(node, IncludeRole) else found
        node = node._parent
    if top._role is not None:
        # A role that another one depends on is a part of that one.
        roles = (top._parent.get_dep_chain() if top._parent is not None else None) or [top._role]
        return Place("role %s" % roles[0].get_name(), roles[0].get_name())
    return Place(found._uuid, _label(found)) if found is not None else None


def _label(include: t.Any) -> str:
    if include.name:
        return str(include.name)
    return str(getattr(include, "_role_name", None) or include.args.get("_raw_params") or include.get_name())


def is_rescued(task: t.Any) -> bool:
    """Whether a rescue section takes over where *task* fails."""
    node = task
    while node is not None:
        parent = node._parent
        # A task of the sections rescue and always has the same parent as one of the block itself.
        if isinstance(parent, Block) and parent.rescue and any(node._uuid == each._uuid for each in parent.block):
            return True
        node = parent
    return False
