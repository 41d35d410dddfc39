# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each of Slurm's reasons either passes by itself or does not."""

from __future__ import annotations

import pathlib

import pytest
import yaml
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model import reasons, states

CLASSES = yaml.safe_load((pathlib.Path(__file__).parent / "reasons.yml").read_text(encoding="utf-8"))
KINDS = ("BB", "Billing", "Cpu", "Energy", "GRES", "License", "Mem", "Memory", "Node", "Unknown")
ALL = [
    (name.replace("*", kind), group)
    for group, names in CLASSES.items()
    for name in names
    for kind in (KINDS if "*" in name else ("",))
]


@pytest.mark.parametrize(("reason", "group"), ALL)
def test_a_reason_is_of_its_class(reason, group):
    assert states.will_never_start("PENDING", reason) is (group != "passes")
    assert reasons.is_held(reason) is (group == "held")
    assert not states.will_never_start("RUNNING", reason)


@pytest.mark.parametrize("reason", ["QOSMaxGRESPerJob", "PartitionTimeLimit", "AccountNotAllowed"])
def test_a_limit_in_one_of_several_partitions_may_not_hold_in_the_others(reason):
    assert not states.will_never_start("PENDING", reason, "gpu,long")
    assert states.will_never_start("PENDING", reason, "gpu")
    assert states.will_never_start("PENDING", "JobHeldUser", "gpu,long")


@pytest.mark.parametrize(
    "reason",
    [
        # As Slurm 22.05 showed it, by scontrol and by squeue.
        "Job's_account_not_known,_so_it_can't_use_this_partition_(closed_allows_nobody)",
        "Job's account not known, so it can't use this partition (closed allows nobody)",
        "Job's QOS not permitted to use this partition (a100 allows long not normal)",
        "Job's_account_not_permitted_to_use_this_partition_(gpu_denies_guests_including_guests)",
    ],
)
def test_what_a_partition_does_not_allow_does_not_pass(reason):
    assert states.will_never_start("PENDING", reason, "gpu")
    assert not states.will_never_start("PENDING", reason, "gpu,long")
    assert "go together" in reasons.remedy_of(reason, "7") and "scancel 7" in reasons.remedy_of(reason, "7")


@pytest.mark.parametrize(
    "reason",
    [
        "Nodes_required_for_job_are_DOWN,_DRAINED_or_reserved_for_jobs_in_higher_priority_partitions",
        "ReqNodeNotAvail, UnavailableNodes:n1",
        "Job's",
    ],
)
def test_another_text_passes(reason):
    assert not states.will_never_start("PENDING", reason, "gpu")


def test_what_may_be_about_another_task_of_the_array():
    assert not reasons.never_passes("BadConstraints", alone=False)
    assert reasons.never_passes("QOSMinGRES", alone=False)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("JobHoldMaxRequeue", "scontrol release 7"),
        ("AssocMaxWallDurationPerJobLimit", "ask for what the limit allows"),
        ("DependencyNeverSatisfied", "scontrol update"),
        ("QOSNotAllowed", "go together"),
    ],
)
def test_the_remedy_is_that_of_the_reason(reason, words):
    assert words in reasons.remedy_of(reason, "7") and "scancel 7" in reasons.remedy_of(reason, "7")
