# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The expectations of a caller of torch_info. Plain data. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

# Whose word the expectations are: those of a person, or of Slurm's configuration.
SITE, SLURM = "site", "slurm"


class Asked(t.NamedTuple):
    """The environment to test, and what the caller expects of it.

    :arg expect_cuda: whether there must be a usable GPU; None for no expectation.
    :arg expect_devices: how many usable GPUs there must be; None for no expectation.
    :arg expect_gpu: models or compute capabilities, one of which every GPU must be; empty for no expectation.
    :arg expect_from: whose word the number and the models are. What Slurm says wrongly fails no GPU that computes.
    """

    prefix: str | None = None
    python: str | None = None
    expect_cuda: bool | None = None
    expect_devices: int | None = None
    expect_gpu: t.Sequence[str] = ()
    expect_from: str = SITE

    @property
    def place(self) -> str:
        """The environment or interpreter, for a sentence."""
        return str(self.prefix if self.prefix is not None else self.python)
