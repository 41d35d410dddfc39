# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a GPU may be the one that a name means. No I/O. Private to hpc.pytorch.

Only certainty counts against a GPU. A name that nobody can know is no expectation, and where two names leave a doubt
the GPU is taken for the right one.
"""

from __future__ import annotations

import typing as t

from .names import KNOWN, Reading, is_amd, read


def unknown(expected: t.Iterable[str]) -> list[str]:
    """Return the names among *expected* that nobody can know: they state neither a model nor a slice."""
    return [item for item in expected if is_unknown(item)]


def is_unknown(name: str) -> bool:
    """Return whether nobody can know what *name* means: ``ampere``, ``fast``, the name of a queue."""
    reading = read(name)
    return not reading.is_known and reading.slice is None and not is_amd(name)


def is_slice(name: str) -> bool:
    """Return whether *name* is that of a slice of a GPU (MIG), of which a process sees one."""
    return read(name).slice is not None


def fits(expected: t.Iterable[str], name: str, capability: str | None) -> bool:
    """Return whether a GPU may be one of *expected*, each of which is a compute capability or a spelling of a model.

    ``a100-80gb`` and ``tesla-a100`` are NVIDIA A100-SXM4-80GB, and ``a100-40gb`` is not; ``titan-v`` is TITAN V, and
    not TITAN Xp; ``rtx-6000`` is not RTX 6000 Ada, whose capability is another; ``ampere`` may be anything. The form
    factor (``pcie``, ``sxm``) decides nothing: names often omit it, and a healthy node would fail.

    :arg name: the device's name, as the driver reports it.
    :arg capability: the device's compute capability, or None if it is unknown.
    """
    device = read(name)
    return any(_may_be(read(item), device, capability) for item in expected)


def _may_be(wanted: Reading, device: Reading, capability: str | None) -> bool:
    if wanted.capabilities and not wanted.models:
        return capability in wanted.capabilities
    if wanted.slice and _other_slice(wanted, device, capability):
        return False
    if not wanted.models:
        return True
    if capability is not None and capability not in wanted.capabilities:
        return False
    if device.likely and not any(_is_variant(one, other) for one in wanted.models for other in device.likely):
        return False
    return not _differ(wanted.memory, device.memory)


def _other_slice(wanted: Reading, device: Reading, capability: str | None) -> bool:
    """Whether a slice is certainly another one.

    Its memory decides nothing: a type that was written for GPUs of 40 GB stays when they are replaced by some of 80 GB.
    """
    if capability is not None and int(capability.split(".", maxsplit=1)[0]) < 8:
        # No GPU below 8.0 can be divided.
        return True
    one = wanted.slice.compute if wanted.slice else None
    other = device.slice.compute if device.slice else None
    return one is not None and other is not None and one != other


def _is_variant(model: str, device: str) -> bool:
    """Whether a device of one model may be called by another's name: a V100S is a v100, and an A100 is no a10."""
    rest = device[len(model) :]
    return device.startswith(model) and (not rest or rest.isalpha()) and _same(model, device)


def _same(model: str, device: str) -> bool:
    return KNOWN.capabilities.get(model) == KNOWN.capabilities.get(device)


def _differ(one: int | None, other: int | None) -> bool:
    """Whether two sizes of memory are those of two boards: 94 and 96 GB may be one."""
    return one is not None and other is not None and abs(one - other) * 10 > max(one, other)
