# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""States in scontrol's words and in sinfo's."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.node_state import parse_state


@pytest.mark.parametrize(
    ("text", "state", "flags"),
    [
        ("IDLE", "idle", ()),
        ("IDLE+DRAIN", "idle", ("drain",)),
        ("DOWN*+DRAIN", "down", ("not_responding", "drain")),
        ("DOWN+DRAIN+NOT_RESPONDING", "down", ("drain", "not_responding")),
        ("DOWN+NOT_RESPONDING*", "down", ("not_responding",)),
        ("MIXED+CLOUD+POWERED_DOWN", "mixed", ("cloud", "powered_down")),
        ("IDLE+CLOUD+POWER", "idle", ("cloud", "powered_down")),
        ("ALLOCATED#", "allocated", ("powering_up",)),
        ("MIXED-", "mixed", ("planned",)),
        ("IDLE*~", "idle", ("not_responding", "powered_down")),
        ("IDLE+SOMETHING_NEW", "idle", ("something_new",)),
        ("FUTURE", "future", ()),
        ("", "unknown", ()),
        ("mix", "mixed", ()),
        ("alloc$", "allocated", ("maintenance",)),
        ("drained*", "idle", ("drain", "not_responding")),
        ("drng@", "allocated", ("drain", "reboot_requested")),
        ("idle~", "idle", ("powered_down",)),
        ("comp", "idle", ("completing",)),
        ("resv", "idle", ("reserved",)),
        ("inval", "down", ("invalid_reg",)),
        ("plnd", "idle", ("planned",)),
    ],
)
def test_a_state(text, state, flags):
    assert parse_state(text) == (state, flags)
