"""From a report to a verdict: a table of cases."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.asked import Asked
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.diagnose.kernels import version_of_cudnn
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.diagnose.verdict import require_sense, result
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.report import (
    DIED,
    FINISHED,
    TIMEOUT,
    Ending,
    read_report,
)

PYTHON = {
    "kind": "python",
    "version": "3.8.20",
    "executable": "/e/bin/python",
    "prefix": "/e",
    "user_site": None,
}
CPU_BUILD = {"kind": "torch", "version": "2.13.0+cpu", "cuda": None, "hip": None, "git": "abc", "path": "/e/torch"}
CUDA_BUILD = dict(CPU_BUILD, version="1.8.1", cuda="10.1")
ROCM_BUILD = dict(CPU_BUILD, version="2.5.1+rocm6.2", hip="6.2")
COMPUTES = {"kind": "cpu", "passed": True, "error": None}
WRONG = {"kind": "cpu", "passed": False, "error": {"type": "ArithmeticError", "text": "wrong", "name": None}}
NO_LIBRARY = {"type": "OSError", "text": "libcuda.so.1: cannot open shared object file", "name": None}
NO_DRIVER = {"kind": "driver", "library": False, "library_error": NO_LIBRARY, "path": None, "cuda": None, "init": None}
DRIVER = dict(NO_DRIVER, library=True, library_error=None, path="/usr/lib/libcuda.so.580.65.06", cuda=13000)
MISSING = {"kind": "torch_missing", "leftover": None}
RAISED = {"kind": "import_failed", "error": {"type": "ImportError", "text": "libx.so.1: cannot open", "name": None}}
IMPORTING = {"kind": "step", "step": "import torch"}
STARTING = {"kind": "step", "step": "start CUDA"}
END = Ending(FINISHED, 0, 1.5, "")
HUNG = Ending(TIMEOUT, -9, 120.0, "")
CRASHED = Ending(DIED, -11, 1.0, "")

Records = t.List[t.Dict[str, t.Any]]


def cuda(count: int, error: str | None = None) -> dict[str, t.Any]:
    described = {"type": "RuntimeError", "text": error, "name": None} if error else None
    return {"kind": "cuda", "available": count > 0, "count": count, "error": described, "warnings": [], "archs": []}


def node(module: bool, **variables: str) -> dict[str, t.Any]:
    files = ["nvidia0", "nvidiactl"] if module else []
    parts = {"hostname": "n1", "kernel_module": module, "kernel_version": None, "uvm_module": module, "gpus": None}
    return {"kind": "node", "files": files, "variables": variables, **parts}


def device(index: int, error: str | None = None) -> Records:
    described = {"type": "RuntimeError", "text": error, "name": None, "kernel": "matmul"} if error else None
    return [
        {"kind": "device", "index": index, "name": "H100", "compute_capability": "9.0", "memory": 80 << 30},
        {"kind": "device_done", "index": index, "passed": not error, "error": described, "seconds": 0.1},
    ]


ON_LOGIN: Records = [node(False), CPU_BUILD, COMPUTES, cuda(0), NO_DRIVER]
CUDA_ON_LOGIN: Records = [node(False), CUDA_BUILD, COMPUTES, cuda(0, "Found no NVIDIA driver"), NO_DRIVER]
TWO: Records = [CUDA_BUILD, COMPUTES, cuda(2), *device(0), *device(1), DRIVER]
ONE_BAD: Records = [CUDA_BUILD, COMPUTES, cuda(2), *device(0), *device(1, "an illegal memory access"), DRIVER]
ONE_OLD: Records = [CUDA_BUILD, COMPUTES, cuda(2), *device(0), *device(1, "no kernel image is available"), DRIVER]

# what it is, records, ending, expect_cuda, expect_devices, verdict, codes
CASES: list[tuple[str, Records, Ending, bool | None, int | None, str, list[str]]] = [
    ("login, nothing expected", ON_LOGIN, END, None, None, "cpu_only", ["cpu_only_build", "no_driver"]),
    ("login, no GPU expected", ON_LOGIN, END, False, None, "cpu_only", ["cpu_only_build", "no_driver"]),
    ("login, 0 devices expected", ON_LOGIN, END, None, 0, "cpu_only", ["cpu_only_build", "no_driver"]),
    ("login, GPU expected", ON_LOGIN, END, True, None, "failed", ["cpu_only_build", "no_driver"]),
    ("login, 4 devices expected", ON_LOGIN, END, None, 4, "failed", ["cpu_only_build", "no_driver"]),
    ("CUDA build on login", CUDA_ON_LOGIN, END, None, None, "cpu_only", ["no_driver"]),
    ("CUDA build, GPU expected", CUDA_ON_LOGIN, END, True, None, "failed", ["no_driver"]),
    (
        "container without --nv",
        [node(True), CUDA_BUILD, COMPUTES, cuda(0), NO_DRIVER],
        END,
        None,
        None,
        "cpu_only",
        ["no_driver"],
    ),
    (
        "CPU build on a GPU node",
        [CPU_BUILD, COMPUTES, cuda(0), DRIVER, node(True)],
        END,
        True,
        None,
        "failed",
        ["cpu_only_build"],
    ),
    (
        "no devices in the job",
        [CUDA_BUILD, COMPUTES, cuda(0), DRIVER, node(True)],
        END,
        True,
        None,
        "failed",
        ["cuda_unavailable"],
    ),
    (
        "the same, none wanted",
        [CUDA_BUILD, COMPUTES, cuda(0), DRIVER, node(True)],
        END,
        None,
        None,
        "cpu_only",
        ["cuda_unavailable"],
    ),
    ("two devices", TWO, END, None, None, "ok", []),
    ("two devices, GPU expected", TWO, END, True, None, "ok", []),
    ("two devices expected", TWO, END, None, 2, "ok", []),
    ("two devices of four", TWO, END, None, 4, "failed", ["device_count_mismatch"]),
    ("two devices of one", TWO, END, None, 1, "failed", ["device_count_mismatch"]),
    ("two devices of none", TWO, END, None, 0, "failed", ["device_count_mismatch"]),
    ("two devices, no GPU expected", TWO, END, False, None, "failed", ["device_count_mismatch"]),
    ("one of two is dead", ONE_BAD, END, None, None, "failed", ["device_failed"]),
    ("one of two is dead, two expected", ONE_BAD, END, None, 2, "failed", ["device_failed"]),
    ("one of two is too old", ONE_OLD, END, None, 2, "failed", ["arch_mismatch"]),
    ("no torch", [MISSING], END, None, None, "failed", ["torch_missing"]),
    ("no torch, no GPU expected", [MISSING], END, False, None, "failed", ["torch_missing"]),
    ("import raises", [IMPORTING, RAISED], END, None, None, "failed", ["import_failed"]),
    ("import crashes", [IMPORTING], CRASHED, None, None, "failed", ["import_failed"]),
    ("import hangs", [IMPORTING], HUNG, None, None, "failed", ["probe_timeout"]),
    (
        "python does not start",
        [],
        Ending(DIED, 127, 0.1, "x: lib.so.1: cannot"),
        None,
        None,
        "failed",
        ["import_failed"],
    ),
    ("wrong sums", [CUDA_BUILD, WRONG], END, None, None, "failed", ["compute_failed"]),
    ("sums crash", [CUDA_BUILD], CRASHED, None, None, "failed", ["compute_failed"]),
    ("CUDA start hangs", [CUDA_BUILD, COMPUTES, STARTING], HUNG, None, None, "failed", ["probe_timeout"]),
    ("CUDA start crashes", [CUDA_BUILD, COMPUTES, STARTING], CRASHED, None, None, "failed", ["device_failed"]),
    ("ROCm with a device", [ROCM_BUILD, COMPUTES, cuda(1), *device(0), DRIVER], END, True, None, "ok", []),
]


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_verdict(case: tuple[str, Records, Ending, bool | None, int | None, str, list[str]]) -> None:
    _name, records, ending, expect_cuda, expect_devices, verdict, codes = case
    asked = Asked(prefix="/e", expect_cuda=expect_cuda, expect_devices=expect_devices)
    require_sense(asked)
    found = result(read_report([PYTHON, *records], ending), asked)
    assert (found["verdict"], [reason["code"] for reason in found["reasons"]]) == (verdict, codes)
    assert found["summary"].startswith(verdict + ": ")
    assert "\n" not in found["summary"]
    for reason in found["reasons"]:
        assert reason["message"] and reason["remedy"]
        assert reason["code"] + " - " + reason["message"] in found["summary"]


@pytest.mark.parametrize("number, said", [(7603, "7.6.3"), (8902, "8.9.2"), (91002, "9.10.2"), (0, None), (None, None)])
def test_the_version_of_cudnn(number: int | None, said: str | None) -> None:
    assert version_of_cudnn(number) == said


@pytest.mark.parametrize("expect_cuda, expect_devices", [(True, 0), (False, 1), (None, -1)])
def test_expectations_that_nothing_meets_are_refused(expect_cuda: bool | None, expect_devices: int) -> None:
    with pytest.raises(UserError):
        require_sense(Asked(prefix="/e", expect_cuda=expect_cuda, expect_devices=expect_devices))


def test_devices_after_a_hang_are_not_called_tested() -> None:
    records = [CUDA_BUILD, COMPUTES, cuda(3), *device(0), {"kind": "step", "step": "device 1: matmul"}]
    found = result(read_report([PYTHON, *records], HUNG), Asked(prefix="/e"))
    assert [item["passed"] for item in found["devices"]] == [True, False, False]
    assert found["devices"][1]["error"] == "matmul: did not come back within 120 s"
    assert found["devices"][2]["error"] == "not tested: the probe ended before"


def test_every_value_is_there_even_without_torch() -> None:
    found = result(read_report([], HUNG, "check the environment"), Asked(python="/x/python"))
    assert found["torch"] == {
        "version": None,
        "cuda": None,
        "hip": None,
        "git": None,
        "path": None,
        "cudnn": None,
        "archs": [],
    }
    assert found["python"] == {"version": None, "executable": None, "prefix": None, "user_site": None}
    assert (found["devices"], found["cuda_available"]) == ([], False)
    assert "check the environment" in found["reasons"][0]["message"]
