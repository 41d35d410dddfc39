# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a task ran because of --tags: Ansible says nothing and ends with 0 if none did. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError

# These name no tag of a task.
_SPECIAL = frozenset(("all", "always", "never", "tagged", "untagged"))


class Tags:
    """The tags that a run asks for, and whether a task had one of them.

    :arg asked: the values of --tags; without the option Ansible has ``all``.
    """

    def __init__(self, asked: t.Iterable[str]) -> None:
        self._asked = frozenset(asked)
        self._met = bool(self._asked & _SPECIAL)

    def begin_task(self, tags: t.Iterable[str]) -> None:
        """A task starts that has these *tags*."""
        # One may have a variable in it; but a task without the tag "always" starts because of another one.
        self._met = self._met or "always" not in tags or not self._asked.isdisjoint(tags)

    @property
    def missed(self) -> UserError | None:
        """What to warn of at the end."""
        if self._met or not self._asked:
            return None
        return UserError(
            "a task with a tag of --tags %s" % ",".join(sorted(self._asked)),
            "none that ran",
            "correct it; --list-tags shows the tags",
        )
