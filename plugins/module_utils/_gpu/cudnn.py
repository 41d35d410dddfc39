# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cuDNN has kernels for which GPU. No I/O. Private to hpc.pytorch.

torch needs cuDNN for convolutions and recurrent layers, not to multiply matrices. So a GPU that cuDNN has left behind
computes, and fails at the first convolution.

The rule is here. The numbers are data: cudnn_table.py is generated from plugin_utils/_torch_build/data/cudnn.yml.
"""

from __future__ import annotations

import typing as t

from .._common.versions import key
from . import cudnn_table


def first_without(capability: str, table: t.Mapping[str, str] = cudnn_table.FIRST_WITHOUT) -> str | None:
    """Return the first cuDNN without kernels for *capability*; None if every known cuDNN has some.

    ``first_without("7.0")`` is ``"9.11"``, so a V100 needs ``nvidia-cudnn-cu12<9.11``.
    """
    return table.get(capability)


def has_kernels(version: str, capability: str, table: t.Mapping[str, str] = cudnn_table.FIRST_WITHOUT) -> bool:
    """Return whether cuDNN *version* (``"9.10.2"``, ``"9.10.2.21"``) still has kernels for *capability*.

    True for a GPU that is not in the data. Whether a cuDNN is too old for a new GPU is not known here.
    """
    end = first_without(capability, table)
    return end is None or key(version) < key(end)
