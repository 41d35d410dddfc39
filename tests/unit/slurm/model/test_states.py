# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every state of a job is one of four things to who waits for it."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model import states
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.states import (
    FAILED,
    RUNS,
    STATES,
    SUCCEEDED,
    WAITING,
)

# https://slurm.schedmd.com/job_state_codes.html of 25.11, and what older versions' squeue names in addition.
BASE = {
    "BOOT_FAIL": FAILED,
    "CANCELLED": FAILED,
    "COMPLETED": SUCCEEDED,
    "DEADLINE": FAILED,
    "FAILED": FAILED,
    "NODE_FAIL": FAILED,
    "OUT_OF_MEMORY": FAILED,
    "PENDING": WAITING,
    "PREEMPTED": FAILED,
    "RUNNING": RUNS,
    "SUSPENDED": RUNS,
    "TIMEOUT": FAILED,
}
FLAGS = {
    "COMPLETING": RUNS,
    "CONFIGURING": WAITING,
    "EXPEDITING": WAITING,
    "LAUNCH_FAILED": FAILED,
    "POWER_UP_NODE": WAITING,
    "RECONFIG_FAIL": WAITING,
    "REQUEUED": WAITING,
    "REQUEUE_FED": WAITING,
    "REQUEUE_HOLD": WAITING,
    "RESIZING": RUNS,
    "RESV_DEL_HOLD": WAITING,
    "REVOKED": FAILED,
    "SIGNALING": RUNS,
    "SPECIAL_EXIT": WAITING,
    "STAGE_OUT": RUNS,
    "STOPPED": RUNS,
    "UPDATE_DB": RUNS,
}


def test_the_map_is_slurms():
    assert {name: state.phase for name, state in STATES.items()} == dict(BASE, **FLAGS, VANISHED=FAILED)


@pytest.mark.parametrize("name", [name for name, state in STATES.items() if state.phase == FAILED])
def test_a_state_that_is_a_failure_says_what_helps(name):
    assert STATES[name].remedy and STATES[name].meaning


def test_a_state_that_a_later_slurm_brings_does_not_end_the_wait():
    assert not states.is_final("BRAND_NEW") and states.state_of("BRAND_NEW").phase == RUNS


@pytest.mark.parametrize(
    "written, state", [("CANCELLED by 2000", "CANCELLED"), ("COMPLETED+", "COMPLETED"), (" TIMEOUT ", "TIMEOUT")]
)
def test_as_sacct_writes_it(written, state):
    assert states.plain(written) == state and states.is_final(written)


@pytest.mark.parametrize(
    "state, reason, never",
    [
        ("PENDING", "Priority", False),
        ("PENDING", "JobHeldUser", True),
        ("PENDING", "DependencyNeverSatisfied", True),
        ("PENDING", "BadConstraints", True),
        ("SPECIAL_EXIT", "", True),
        ("REQUEUE_HOLD", "", True),
        ("RUNNING", "JobHeldUser", False),
    ],
)
def test_what_stays_until_a_person_does_something(state, reason, never):
    assert states.will_never_start(state, reason) is never
