# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a node, as scontrol and sinfo of every release write it. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

# https://slurm.schedmd.com/sinfo.html, "NODE STATE CODES"; newer releases of scontrol write them out.
_SIGNS = {
    "*": "not_responding",
    "~": "powered_down",
    "#": "powering_up",
    "!": "power_down",
    "%": "powering_down",
    "$": "maintenance",
    "@": "reboot_requested",
    "^": "reboot_issued",
    "-": "planned",
}

# sinfo writes a base state and a flag as one word.
_WORDS: t.Mapping[str, tuple[str, tuple[str, ...]]] = {
    "alloc": ("allocated", ()),
    "mix": ("mixed", ()),
    "futr": ("future", ()),
    "unk": ("unknown", ()),
    "err": ("error", ()),
    "drained": ("idle", ("drain",)),
    "drain": ("idle", ("drain",)),
    "draining": ("allocated", ("drain",)),
    "drng": ("allocated", ("drain",)),
    "completing": ("idle", ("completing",)),
    "comp": ("idle", ("completing",)),
    "fail": ("idle", ("fail",)),
    "failing": ("allocated", ("fail",)),
    "failg": ("allocated", ("fail",)),
    "maint": ("idle", ("maintenance",)),
    "planned": ("idle", ("planned",)),
    "plnd": ("idle", ("planned",)),
    "reserved": ("idle", ("reserved",)),
    "resv": ("idle", ("reserved",)),
    "inval": ("down", ("invalid_reg",)),
    "blocked": ("idle", ("blocked",)),
    "perfctrs": ("idle", ("perfctrs",)),
    "npc": ("idle", ("perfctrs",)),
    "power_down": ("idle", ("power_down",)),
    "pow_dn": ("idle", ("power_down",)),
    "powering_down": ("idle", ("powering_down",)),
    "powered_down": ("idle", ("powered_down",)),
    "power_up": ("idle", ("power_up",)),
    "pow_up": ("idle", ("power_up",)),
    "powering_up": ("idle", ("powering_up",)),
    "reboot": ("idle", ("reboot_requested",)),
    "reboot_requested": ("idle", ("reboot_requested",)),
    "reboot_issued": ("idle", ("reboot_issued",)),
    "boot": ("idle", ("reboot_issued",)),
}

# Older names of flags.
_FLAGS = {"power": "powered_down", "maint": "maintenance", "no_respond": "not_responding"}


def parse_state(text: str) -> tuple[str, tuple[str, ...]]:
    """Base state and flags: ``"DOWN*+DRAIN"`` gives ``("down", ("not_responding", "drain"))``.

    Other forms are ``IDLE+DRAIN``, ``ALLOCATED#`` and ``drng@``. An empty text is ``unknown``.
    """
    parts = text.strip().lower().split("+")
    signs = [part[len(part.rstrip("".join(_SIGNS))) :] for part in parts]
    words = [part[: len(part) - len(sign)] for part, sign in zip(parts, signs)]
    state, flags = _WORDS.get(words[0], (words[0] or "unknown", ()))
    found = [
        *flags,
        *(_SIGNS[sign] for sign in "".join(signs)),
        *(_FLAGS.get(word, word) for word in words[1:] if word),
    ]
    return state, tuple(dict.fromkeys(found))
