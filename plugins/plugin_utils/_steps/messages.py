# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person should read of the result of a task that is ok. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

# What assert says if nobody has written anything else.
_NOTHING = "All assertions passed"
# Next to a message they say nothing; a module that returns more has it shown as the default callback shows it.
_NO_NEWS = frozenset(("msg", "changed", "failed", "skipped", "invocation", "item"))


def is_for_people(result: t.Mapping[str, t.Any]) -> bool:
    """Whether the action wants its result shown although all is well, as debug and assert do."""
    wanted = result.get("_ansible_verbose_always", False) is True and not result.get("_ansible_verbose_override")
    return wanted and result.get("msg") != _NOTHING


def message_of(result: t.Mapping[str, t.Any]) -> str | None:
    """The text of ``msg``; None if the result has more than a text, or none."""
    msg = result.get("msg")
    more = [key for key in result if key not in _NO_NEWS and not key.startswith(("_ansible_", "ansible_"))]
    if more:
        return None
    if isinstance(msg, list) and msg and all(isinstance(line, str) for line in msg):
        return "\n".join(msg)
    return msg if isinstance(msg, str) and msg.strip() else None
