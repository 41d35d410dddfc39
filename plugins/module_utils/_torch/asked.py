# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the caller wants to know. Plain data. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t


class Asked(t.NamedTuple):
    """What the caller wants to know.

    :arg expect_cuda: whether there has to be a usable GPU; None for no opinion.
    :arg expect_devices: how many usable GPUs there have to be; None for no opinion.
    :arg expect_gpu: types or compute capabilities, one of which every GPU has to be; empty for no opinion.
    """

    prefix: str | None = None
    python: str | None = None
    expect_cuda: bool | None = None
    expect_devices: int | None = None
    expect_gpu: t.Sequence[str] = ()

    @property
    def place(self) -> str:
        """What was looked at, for a sentence."""
        return str(self.prefix if self.prefix is not None else self.python)
