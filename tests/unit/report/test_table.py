# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table that a terminal shows."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.table import make_table

from .generate import KINDS, make_cluster, make_result

SMALL = """\
torch on campus: 6 nodes: 3 failed, 1 cpu_only, 2 ok
partition    nodes  failed  unreachable  not_checked  cpu_only      ok
titan            5       3            -            -         -       2
login            1       -            -            -         1       -

failed: no_driver, 2 nodes
  titan[01-02]
  this node has no NVIDIA driver: no kernel module and no libcuda.so.1
  remedy: install the NVIDIA driver
failed: missing_uvm, 1 node (also mig)
  titan03
  there is no /dev/nvidia-uvm
  remedy: as root: nvidia-modprobe -u -c=0, after boot and before slurmd

changed since 2026-11-24T08:00:00Z:
  verdict ok -> failed: titan[02-03]
  devices 4 x NVIDIA TITAN V (7.0, 12 GiB) -> none: titan[02-03]
  new, ok: titan05"""


def lines(report, width=80):
    return [line.text for line in make_table(report, width)]


def test_a_small_cluster(make):
    def node(verdict, cause=0, group="titan"):
        return {
            "groups": [group],
            "torch_check_result": make_result(verdict, KINDS[0] if group == "titan" else None, 1, cause),
        }

    hosts = {"titan01": node("failed", 1), "titan02": node("ok"), "titan03": node("ok"), "titan04": node("ok")}
    hosts["login"] = node("cpu_only", group="login")
    first = make(hosts)
    hosts = copy.deepcopy(hosts)
    hosts.update({"titan02": node("failed", 1), "titan03": node("failed", 7), "titan05": node("ok")})
    hosts["titan03"]["torch_check_result"]["reasons"].append({"code": "mig", "message": "on", "remedy": "off"})
    assert "\n".join(lines(make(hosts, first, "2026-11-25T08:00:00Z"))) == SMALL


@pytest.mark.parametrize("count", [1, 40, 2000])
def test_no_line_is_wider_than_a_terminal(make, count):
    hosts = make_cluster(count)
    # A third of a partition, with no two neighbours among them.
    for name in list(hosts)[: count // 2 : 3]:
        hosts[name]["torch_check_result"] = make_result("failed", KINDS[0], 1, 1)
    found = lines(make(hosts))
    assert max(len(line) for line in found) <= 80, max(found, key=len)
    assert len(found) < 160
    if count == 2000:
        assert any(line.startswith("  ... the report has all 3") for line in found)


def test_long_names_and_words_do_not_break_the_columns(make):
    hosts = {
        "n1": {
            "groups": ["a-partition-with-a-very-long-name-indeed"],
            "torch_check_result": make_result("ok", KINDS[0], 1),
        }
    }
    head, row = lines(make(hosts))[1:3]
    assert len(head) == len(row) <= 80 and "…" in row


def test_a_line_says_which_verdict_it_is_about(make):
    report = make({"n1": {"groups": ["titan"], "torch_check_result": make_result("failed", None, 1)}})
    assert [line.verdict for line in make_table(report)][:5] == [None, None, "failed", None, "failed"]


def test_nodes_of_an_earlier_run_are_told_from_those_of_this_one(make, cluster):
    first = make(cluster)
    second = make(cluster, first, "2026-11-25T08:00:00Z", limit=["titan-0001"])
    # One more was not checked at all.
    assert "of an earlier run: 58 nodes" in lines(second)
    assert not any("earlier" in line for line in lines(make(cluster, first, "2026-11-25T08:00:00Z")))
