# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a command of Slurm's ends with when it does not do what it was asked. Private to hpc.pytorch."""

from __future__ import annotations

from .._common.errors import UserError


class SlurmError(Exception):
    """A command of Slurm's failed; the message is Slurm's own."""


class SlurmSilent(SlurmError):
    """A command did not answer, or its answer was lost. Slurm may have done what it was asked all the same.

    :arg sent: whether the command can have reached the controller.
    """

    def __init__(self, message: str, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


def is_denied(error: SlurmError) -> bool:
    """Whether Slurm answers, but not to this user: its PrivateData hides what was asked."""
    return "access/permission denied" in str(error).lower()


def no_answer(error: SlurmError) -> UserError:
    """The error that a user reads when Slurm does not answer."""
    if is_denied(error):
        return UserError(
            "an answer from Slurm",
            "%s (PrivateData in slurm.conf hides this from ordinary users)" % error,
            "ask the administrators of the cluster for access, or run this as a user who has it",
        )
    return UserError("an answer from Slurm", str(error), "check that the controller runs: scontrol ping")
