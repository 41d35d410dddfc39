"""What is left to do when a probe broke, and the numbers of CUDA's errors."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.diagnose.evidence import error_number
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.plan import CHECKS, Plan, fewest, what_is_left
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.report import (
    DIED,
    TIMEOUT,
    Broken,
    Ending,
    Report,
    read_report,
)


def report(count: int, passed: t.Iterable[int], *tasks: str, how: str = TIMEOUT) -> Report:
    """Of *count* devices some passed, and the probes broke in *tasks*."""
    records: list[dict[str, t.Any]] = [{"kind": "cuda", "count": count}]
    records += [
        {"kind": "device_done", "index": index, "passed": True, "error": None, "seconds": 1.0} for index in passed
    ]
    ending = Ending(how)
    return read_report(records, ending, broken=[Broken(task, task + ": matmul", ending) for task in tasks])


@pytest.mark.parametrize("how", [TIMEOUT, DIED])
def test_the_other_devices_come_next_and_then_what_they_do_together(how: str) -> None:
    assert what_is_left(Plan(), report(4, [0], "device 1", how=how)) == Plan(devices=(2, 3), passed=(0,), trouble=True)
    last = report(4, [0, 2], "device 1", "device 3", how=how)
    assert what_is_left(Plan(devices=(2, 3)), last) == Plan(devices=(), passed=(0, 2), trouble=True)
    assert what_is_left(Plan(), report(2, [0], "device 1", how=how)) == Plan(torch=False, trouble=True)
    assert what_is_left(Plan(), report(2, [0, 1], "all-reduce", how=how)) == Plan(torch=False, trouble=True)


def test_each_look_that_breaks_is_left_out_until_none_is_left() -> None:
    plan: Plan | None = Plan()
    for task in CHECKS:
        assert plan is not None
        plan = what_is_left(plan, report(0, [], task))
    assert plan is None


def test_there_is_always_an_end() -> None:
    plan: Plan | None = Plan()
    tasks: list[str] = []
    while plan is not None:
        todo = range(8) if plan.devices is None else plan.devices
        tasks.append(
            "device %d" % todo[0] if plan.torch and todo else [look for look in CHECKS if look not in plan.skip][0]
        )
        plan = what_is_left(plan, report(8, [], *tasks))
    assert len(tasks) == 8 + len(CHECKS)


@pytest.mark.parametrize(
    "text, number",
    [
        ("Unexpected error from cudaGetDeviceCount(). Did you run ...? Error 802: system not yet initialized", 802),
        ("cuda runtime error (100) : no CUDA-capable device is detected at ../aten/src/THC/THCGeneral.cpp:50", 100),
        ("The NVIDIA driver on your system is too old (found version 9010). Please update", 35),
        ("No CUDA GPUs are available", 100),
        ("CUDA unknown error - this may be due to an incorrectly set up environment", 999),
        ("CUDA driver initialization failed, you might not have a CUDA gpu.", 3),
        ("gremlins", None),
    ],
)
def test_the_number_of_an_error(text: str, number: int | None) -> None:
    assert error_number(text) == number


@pytest.mark.parametrize(
    "culprits", [{"a"}, {"c"}, {"e"}, {"g"}, {"b", "c"}, {"a", "g"}, {"a", "d", "f"}, set("abcdefg")]
)
def test_the_fewest_names_that_help(culprits: set[str]) -> None:
    """Several that each break it are all found, and no other one is named with them."""
    asked: list[tuple[str, ...]] = []

    def helps(names: tuple[str, ...]) -> bool:
        asked.append(names)
        return culprits <= set(names)

    names = tuple("abcdefg")
    assert fewest(names, helps) == tuple(sorted(culprits))
    assert len(asked) <= 2 + len(culprits) * (1 + len(names).bit_length())


def test_no_name_helps() -> None:
    assert fewest(tuple("abc"), lambda names: False) == ()


@pytest.mark.parametrize("again", [True, None])
@pytest.mark.parametrize("names", [("a",), ("a", "b", "c")])
def test_what_does_not_fail_again_is_no_names_fault(names: tuple[str, ...], again: bool | None) -> None:
    """A GPU was busy, or is not tried again as the time is over: without *names* it works, and perhaps with them."""
    assert fewest(names, lambda without: True if without else again) == ()


def test_at_the_end_of_the_time_all_that_may_be_meant_are_named() -> None:
    answers = iter([True, False, True, None])
    assert fewest(tuple("abcdefgh"), lambda names: next(answers, None)) == tuple("abcd")
