# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one reader of GPU names and of Slurm's GRES types. No I/O. Private to hpc.pytorch.

The filter torch_build, the verdict of torch_info (expect_gpu) and the inventory slurm all read names here. The models
and their compute capabilities are data: plugin_utils/_torch_build/data/gpus.yml.
"""

from __future__ import annotations

import re
import typing as t

from .capabilities import is_capability

# A slice of a GPU (MIG), such as 1g.5gb, is one word.
_WORD = re.compile(r"\d+g\.\d+gb|[a-z0-9]+")
_SLICE = re.compile(r"\d+g\.\d+gb")
_MEMORY = re.compile(r"(\d+)gb?")
# Words that tell boards of one model apart.
_BOARD = re.compile(
    r"sxm\d?|pcie|nvl|hbm\d?e?|\d+gb?|\d+g\.\d+gb|mig|workstation|server|edition|max|q|generation|nvlink"
)
_MAKER = re.compile(r"nvidia|geforce|tesla|gpu")
_BRAND = re.compile(r"%s|quadro" % _MAKER.pattern)
# The name of a superchip states the memory of its CPU: "NVIDIA GH200 480GB".
_SUPERCHIP = re.compile(r"g[hb]\d+")


def words_of(name: str) -> list[str]:
    """Return the words of a name in lower case: ``A100-SXM4-80GB`` is ``["a100", "sxm4", "80gb"]``."""
    return _WORD.findall(name.lower())


def model_of(name: str) -> str:
    """Return the model without brand and board: ``Tesla V100-SXM2-32GB`` and ``v100-32gb`` are both ``v100``.

    A name without a model, such as ``tesla``, is returned as it is.
    """
    words = words_of(name)
    return "".join([word for word in words if not _BRAND.fullmatch(word) and not _BOARD.fullmatch(word)] or words)


def slice_of(name: str) -> str | None:
    """Return the slice of a GPU (MIG) in a name: ``nvidia_a100_3g.20gb`` has ``3g.20gb``, ``a100-80gb`` has none."""
    return next((word for word in words_of(name) if _SLICE.fullmatch(word)), None)


def memory_of(name: str) -> int | None:
    """Return the gigabytes of memory in a name: ``A100-SXM4-80GB`` has 80, ``H100 PCIe`` states none."""
    words = words_of(name)
    if any(_SUPERCHIP.fullmatch(word) for word in words):
        return None
    return next((int(match.group(1)) for match in map(_MEMORY.fullmatch, words) if match), None)


def fits(expected: t.Iterable[str], name: str, capability: str | None) -> bool:
    """Return whether a GPU is one of *expected*, each of which is a compute capability or a spelling of a model.

    A spelling fits if its model does and the device's name does not contradict it. ``a100-80gb`` and ``tesla-a100`` are
    NVIDIA A100-SXM4-80GB, and ``a100-40gb`` is not; ``titan-v`` is TITAN V, and not TITAN Xp; ``7.0`` is a capability.
    The form factor (``pcie``, ``sxm``) decides nothing: names often omit it, and a healthy node would fail.

    :arg name: the device's name, as the driver reports it.
    :arg capability: the device's compute capability, or None if it is unknown.
    """
    items = [item.strip() for item in expected]
    return any(item == capability if is_capability(item) else _is_called(name, item) for item in items)


def _is_called(name: str, item: str) -> bool:
    words, wanted = words_of(name), words_of(item)
    if _is_run(wanted, words):
        return True
    if _contradict(memory_of(item), memory_of(name)) or _contradict(slice_of(item), slice_of(name)):
        return False
    # Quadro RTX 6000 and RTX 6000 Ada are two models, so Quadro is part of what has to be found.
    model = [word for word in wanted if not _BOARD.fullmatch(word) and not _MAKER.fullmatch(word)]
    return model_of(item) == model_of(name) or bool(model) and _is_run(model, words)


def _is_run(wanted: t.Sequence[str], words: t.Sequence[str]) -> bool:
    """Return whether *words* hold *wanted* side by side, however each is divided.

    ``rtx6000`` is in Quadro RTX 6000, and ``1g_5gb`` in A100 MIG 1g.5gb.
    """
    starts = range(len(words))
    runs = {_joined(words[begin:end]) for begin in starts for end in range(begin + 1, len(words) + 1)}
    return _joined(wanted) in runs


def _joined(words: t.Sequence[str]) -> str:
    return "".join(words).replace(".", "")


def _contradict(one: object, other: object) -> bool:
    return one is not None and other is not None and one != other
