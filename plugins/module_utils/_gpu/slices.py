# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of slices of a GPU (MIG), such as 3g.20gb, in the forms of NVIDIA and of sites. No I/O.
Private to hpc.pytorch.

https://docs.nvidia.com/datacenter/tesla/mig-user-guide/mig-device-names.html has NVIDIA's form.
"""

from __future__ import annotations

import re
import typing as t

# A GPU has at most seven parts, of which a slice has 1, 2, 3, 4 or all:
# 1c.3g.20gb, 1g.5gb+me.all, mig1g5gb, 2g_10gb, 3g.
_PROFILE = re.compile(
    r"(?:(?<![a-z0-9])|(?<=mig))(?:[1-7]c[._ -]?)?(?P<compute>[12347])g"
    r"(?:[._ -]?(?P<memory>\d{1,3})(?:gi?b?)?)?(?:[._+-]?(?:me|gfx|all))*(?![a-z0-9])"
)


class Slice(t.NamedTuple):
    """A slice of a GPU; None for what its name does not state.

    :arg compute: how many of the GPU's parts (sevenths, for some models fourths) compute.
    :arg memory: GB.
    """

    compute: int | None = None
    memory: int | None = None


def find(text: str) -> tuple[Slice, str] | None:
    """Return the slice in a name in lower case, and the name without it; None without a slice.

    ``find("a100_3g.20gb")`` is ``(Slice(3, 20), "a100_ ")``.
    """
    match = _PROFILE.search(text)
    if not match:
        return None
    memory = match.group("memory")
    rest = text[: match.start()] + " " + text[match.end() :]
    return Slice(int(match.group("compute")), int(memory) if memory else None), rest
