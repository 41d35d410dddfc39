# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the job that has a number is still the one that a record is about. No I/O. Private to hpc.pytorch.

A controller that lost its state, or passed MaxJobId, starts its numbers anew.
"""

from __future__ import annotations

import typing as t

from ..model.job.shown import Shown
from ..model.times import moment
from .record import TOKEN, Record

# Seconds by which the clocks of a login node and of the controller, and a slow sbatch, may differ.
_SLACK = 600.0


def is_another(record: Record, shown: Shown, owner: int | None) -> bool:
    """Whether *shown* is a later job under the number of the record's job.

    A site may write a comment of its own over the mark, so a missing mark alone proves nothing.

    :arg owner: the number of the user who owns the record's job; None if it is not known.
    """
    if not shown.parts or not record.token or record.token in shown.text:
        return False
    if TOKEN in shown.text:
        return True
    known = shown.submitted != "" or " Comment=" in shown.text
    if known and owner is not None and shown.owners and owner not in shown.owners:
        return True
    submitted = moment(shown.submitted)
    restarted = any(part.restarts for part in shown.parts)
    return submitted is not None and not restarted and abs(submitted - record.submitted) > _SLACK


def of_record(record: Record, owner: int | None) -> t.Callable[[Shown], bool]:
    """is_another for one record."""
    return lambda shown: is_another(record, shown, owner)
