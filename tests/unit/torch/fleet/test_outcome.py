# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node without an answer: why, and what to do about it."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.fleet.outcome import NoAnswer, Outcome, result_of


@pytest.mark.parametrize("reason", NoAnswer)
def test_every_reason_has_its_own_code_and_a_remedy(reason):
    result = result_of("n1", Outcome(reason=reason, detail="DETAIL"))
    (found,) = result["reasons"]
    assert (result["verdict"], found["code"]) == ("unreachable", "node_unreachable")
    assert found["message"] == "no result from n1: DETAIL"
    assert found["remedy"] and "{" not in found["remedy"]
    assert [other.code for other in NoAnswer].count(reason.code) == 1


def test_the_output_of_a_job_never_chooses_the_reason():
    texts = "did not start; will never start; Slurm knows no node; could not be bound; Slurm does not answer"
    remedies = {
        reason: result_of("n1", Outcome(reason=reason, detail="x", output=texts))["reasons"][0]["remedy"]
        for reason in NoAnswer
    }
    assert remedies[NoAnswer.ENDED].startswith("fix what the job's output reports")
    for reason, remedy in remedies.items():
        if reason is not NoAnswer.ENDED:
            assert remedy == result_of("n1", Outcome(reason=reason, detail="x"))["reasons"][0]["remedy"]
