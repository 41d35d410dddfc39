# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the report takes from results as the collection itself makes them, not from made-up ones."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._torch import node_result
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.asked import Asked
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.diagnose.verdict import CPU_ONLY, FAILED, OK, result
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.report import DIED, FINISHED, Ending, read_report

RECORDS = [
    {"kind": "python", "version": "3.12.4", "executable": "/e/bin/python", "prefix": "/e", "user_site": None},
    {
        "kind": "node",
        "hostname": "n1",
        "kernel_module": True,
        "kernel_version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul 27 07:13:21 UTC 2025",
        "uvm_module": True,
        "gpus": None,
        "files": ["nvidia0", "nvidiactl"],
        "variables": {},
    },
    {"kind": "torch", "version": "2.13.0", "cuda": "12.6", "hip": None, "git": "abc", "path": "/e/torch"},
    {"kind": "cpu", "passed": True, "error": None},
    {"kind": "cuda", "available": True, "count": 1, "error": None, "warnings": [], "archs": []},
    {"kind": "device", "index": 0, "name": "H100", "compute_capability": "9.0", "memory": 80 << 30},
    {"kind": "device_done", "index": 0, "passed": True, "error": None, "seconds": 0.1},
]


def node_of(make, found):
    return make({"n1": {"groups": ["titan"], "torch_check_result": found}})["nodes"][0]


def test_every_field_of_a_node_is_taken_from_where_torch_info_returns_it(make):
    found = result(read_report(RECORDS, Ending(FINISHED, 0, 1.5, "")), Asked("/e", None, None, None, []))
    assert node_of(make, found) == {
        "name": "n1",
        "slurm_node": "n1",
        "partitions": ["titan"],
        "expectation": {"cuda": None, "devices": None, "gpu": []},
        "verdict": "ok",
        "summary": found["summary"],
        "checked": "2026-11-24T08:00:00Z",
        "since": "2026-11-24T08:00:00Z",
        "before": None,
        "failed_since": None,
        "environment": "/e",
        "torch": {"version": "2.13.0", "cuda": "12.6", "hip": None},
        "python": "3.12.4",
        "driver": "580.65.06",
        "devices": [
            {
                "index": 0,
                "name": "H100",
                "compute_capability": "9.0",
                "memory": 80 << 30,
                "passed": True,
                "error": None,
                "seconds": 0.1,
            }
        ],
        "reasons": [],
        "seconds": 1.5,
        "output": [],
        "kernel_log": [],
    }


def test_the_last_lines_are_those_that_torch_info_returns(make):
    records = [*RECORDS[:2], {"kind": "kernel_log", "lines": ["NVRM: Xid 79, GPU has fallen off the bus."]}]
    ending = Ending(DIED, -11, 1.5, 'import torch\n  File "a.py"\nSegmentation fault')
    node = node_of(make, result(read_report(records, ending), Asked("/e", None, None, None, [])))
    assert node["verdict"] == "failed"
    assert node["output"] == ["import torch", '  File "a.py"', "Segmentation fault"]
    assert node["kernel_log"] == ["NVRM: Xid 79, GPU has fallen off the bus."]


WITHOUT_TORCH = [
    node_result.unreachable("n1", "Connection\ntimed out", "log in"),
    node_result.refused("an environment at /e", "nothing", "make it"),
    node_result.no_result(),
    node_result.not_checked("check mode submits no job to n1"),
]


@pytest.mark.parametrize("found", WITHOUT_TORCH)
def test_a_result_without_torch_is_taken_as_it_is(make, found):
    node = node_of(make, found)
    assert {key: node[key] for key in found} == found
    assert "\n" not in node["summary"]


def test_every_verdict_has_its_place():
    assert {found["verdict"] for found in WITHOUT_TORCH} | {OK, CPU_ONLY, FAILED} == set(node_result.VERDICTS)
    assert set(node_result.FAILURES) | set(node_result.UNKNOWN) < set(node_result.VERDICTS)
