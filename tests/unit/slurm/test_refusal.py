# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user reads when sbatch refuses a script."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.command import failure
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch.answer import remedy_of_refusal

# In the form of a site's job_submit.lua, whose message is several lines.
PLUGIN = """sbatch: error: ================================
sbatch: error: Your project has no hours left on this machine.
sbatch: error: Move the work to the partition for the rest of the month, or ask for more hours.
sbatch: error: https://docs.example.org/hours
sbatch: error: mail: help@example.org
sbatch: error: ================================
sbatch: error: Batch job submission failed: Unspecified error
"""
VERDICT = "sbatch: Batch job submission failed: "


def test_all_that_a_plugin_says_is_shown_without_its_frame():
    assert failure("sbatch", 1, PLUGIN) == (
        "Your project has no hours left on this machine.; Move the work to the partition for the rest of the month, or"
        " ask for more hours.; https://docs.example.org/hours; mail: help@example.org; Batch job submission failed:"
        " Unspecified error"
    )


def test_a_long_message_of_another_command_keeps_its_first_line():
    text = "\n".join("squeue: error: line %d" % number for number in range(9))
    assert failure("squeue", 1, text) == "line 0; line 7; line 8"
    assert failure("squeue", 1, "squeue: error: one\ntwo\n") == "one; two"
    assert failure("sbatch", 7, "", "====\n") == "exit status 7"


@pytest.mark.parametrize(
    "message",
    [
        VERDICT + "Invalid account or account/partition combination specified",
        VERDICT + "Requested node configuration is not available",
        VERDICT + "Task count specification invalid",
        "sbatch: unrecognized option '--nmae'; Try \"sbatch --help\" for more information",
        "sbatch: Please name your project with -A; Batch job submission failed: Unspecified error",
    ],
)
def test_an_option_that_is_named_is_to_be_corrected(message):
    assert remedy_of_refusal(message, "/j.sh") == "correct the option that it names"


@pytest.mark.parametrize(
    "message",
    ["sbatch: " + failure("sbatch", 1, PLUGIN), VERDICT + "Access/permission denied", "sbatch cannot be started: No"],
)
def test_no_option_is_blamed_that_nobody_named(message):
    assert "option" not in remedy_of_refusal(message, "/j.sh")


def test_a_full_queue_is_not_the_scripts_mistake():
    for text in ("QOSMaxSubmitJobPerUserLimit; Batch job submission failed: Job violates accounting/QOS policy (...)",):
        assert "wait until other jobs" in remedy_of_refusal("sbatch: " + text, "/j.sh")
