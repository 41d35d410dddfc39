# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the caller wants to know. Plain data. Private to hpc.pytorch."""

from __future__ import annotations

import re
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


def fits(expected: t.Iterable[str], name: str, capability: str | None) -> bool:
    """Whether a GPU is one of *expected*: ``7.0`` is a compute capability, all else words in its name.

    ``titan-v`` is TITAN V and not TITAN Xp, ``rtx6000`` is Quadro RTX 6000, ``h100`` is NVIDIA H100 80GB HBM3.
    """
    words = words_of(name)
    runs = {"".join(words[begin:end]) for begin in range(len(words)) for end in range(begin + 1, len(words) + 1)}
    return any(
        item == capability if re.fullmatch(r"\d+\.\d+", item) else "".join(words_of(item)) in runs
        for item in (item.strip() for item in expected)
    )


def words_of(text: str) -> list[str]:
    """The words in a name, whatever stands between them."""
    return re.findall(r"[a-z0-9]+", text.lower())
