# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job that another cluster of the federation has taken."""

from __future__ import annotations

REVOKED = {"state": "REVOKED", "end": " FedOrigin=campus FedViableSiblings=campus,fed2 FedActiveSiblings=fed2"}
RUN = {"state": "RUNNING", "nodes": "m1"}


def asked(scene):
    return [arguments[0] for arguments in scene.asked("scontrol") if "job" in arguments]


def test_a_revoked_job_is_followed_to_the_cluster_that_has_it(scene, call):
    scene.play(polls=[[REVOKED]], siblings={"fed2": [[RUN], [RUN], [{"state": "COMPLETED", "nodes": "m1"}]]})
    returned = call(state="completed")
    assert (returned["job_state"], returned["nodes"]) == ("COMPLETED", ["m1"])
    assert asked(scene)[0] == "--oneliner" and set(asked(scene)[1:]) == {"--clusters=fed2"}


def test_a_later_run_asks_there_and_cancels_there(scene, call):
    scene.play(polls=[[REVOKED]], siblings={"fed2": [[RUN]]})
    assert call()["job_state"] == "RUNNING"
    before = len(asked(scene))
    assert call()["job_state"] == "RUNNING"
    assert set(asked(scene)[before:]) == {"--clusters=fed2"}
    assert call(state="cancelled")["job_state"] == "CANCELLED"
    assert scene.asked("scancel")[0][0] == "--clusters=fed2"


def test_a_job_that_nobody_has_is_revoked(scene, call):
    for end in ("", " FedActiveSiblings=(null)", " FedActiveSiblings=fed2"):
        scene.play(polls=[[dict(REVOKED, end=end)]], siblings={"fed2": [[REVOKED]]})
        assert call(state="completed", force=True)["job_state"] == "REVOKED"


def test_of_both_lines_the_one_that_is_not_revoked_counts(scene, call):
    for shown in ([RUN, REVOKED], [REVOKED, RUN]):
        scene.play(polls=[shown])
        assert call(force=True)["job_state"] == "RUNNING"
