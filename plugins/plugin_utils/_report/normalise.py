# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a node of the report from the result of its check. Plain data, no I/O. Private to hpc.pytorch.

Results come from other machines and are not trusted. A value of the wrong type is dropped. Text becomes one line of
limited length, with control characters and lone surrogates shown as escapes.
"""

from __future__ import annotations

import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import one_line
from ansible_collections.hpc.pytorch.plugins.module_utils._common.lines import lines_of, visible
from ansible_collections.hpc.pytorch.plugins.module_utils._gpu.expected import unknown
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.node_result import (
    UNKNOWN,
    VERDICTS,
    Reason,
    driver_of,
    no_result,
    not_checked,
)
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_check.expectation import expectation, whole

from .schema import Device, Expectation, Node, Torch

LONGEST = 2000
# More than any node has.
MOST_DEVICES = 1024
MOST_REASONS = 100
_LARGEST = 2**63
# Of what a node's programs and kernel printed, the end.
MOST_LINES = 20
LONGEST_LINE = 300

NOT_PART = not_checked("not part of a run yet")


def make_node(
    name: str,
    partitions: t.Sequence[str],
    expectation: Expectation,
    result: object,
    checked: str | None,
    slurm_node: object = None,
) -> Node:
    """Make one node of the report.

    :arg result: the variable torch_check_result of the node, or None if it has none.
    :arg checked: the time of the check; None for a node that was not part of the run.
    :arg slurm_node: its name in Slurm, or None.
    """
    found = result if isinstance(result, t.Mapping) else {}
    reasons = [_reason(item) for item in _mappings(found.get("reasons"))[:MOST_REASONS]]
    if found.get("verdict") not in VERDICTS:
        instead = NOT_PART if checked is None else no_result()
        found = dict(found, verdict=instead["verdict"], summary=instead["summary"])
        reasons = [*instead["reasons"], *reasons]
    verdict = found["verdict"]
    torch = _mapping(found.get("torch"))
    python = _mapping(found.get("python"))
    driver = driver_of(found) or found.get("driver")
    return Node(
        name=text(name) or "",
        slurm_node=text(slurm_node),
        partitions=[text(item) or "" for item in partitions],
        expectation=expectation,
        verdict=verdict,
        summary=text(found.get("summary")) or "",
        checked=checked if verdict != "not_checked" else None,
        # What is known from the last report is added by history.py.
        since=None,
        before=None,
        failed_since=None,
        environment=text(python.get("prefix")),
        torch=Torch(version=text(torch.get("version")), cuda=text(torch.get("cuda")), hip=text(torch.get("hip"))),
        python=text(python.get("version")),
        driver=text(driver.get("version") if isinstance(driver, t.Mapping) else driver),
        devices=[]
        if verdict in UNKNOWN
        else [_device(item, index) for index, item in enumerate(_mappings(found.get("devices"))[:MOST_DEVICES])],
        reasons=reasons,
        seconds=_number(found.get("seconds")),
        output=_lines(found.get("output")),
        kernel_log=_lines(_mapping(found.get("node")).get("kernel_log")),
    )


def make_expectation(variables: t.Mapping[str, t.Any], is_login_only: bool) -> Expectation:
    """The expectation of the role torch_check, from the inventory's variables for a node."""
    found = expectation(variables, is_login_only)
    devices, cuda = whole(variables.get("torch_check_expect_devices")), variables.get("torch_check_expect_cuda")
    devices = found.devices if devices is None else devices
    cuda = cuda if isinstance(cuda, bool) else found.cuda
    if devices is not None:
        cuda = devices > 0
    # With a name that nobody can know, any GPU is accepted.
    names = [] if cuda is False or unknown(found.gpu) else [text(item) or "" for item in found.gpu]
    return Expectation(cuda=cuda, devices=devices, gpu=[name for name in names if name])


def text(value: object) -> str | None:
    """*value* as one line, or None if it is neither text nor a number."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    if not isinstance(value, str) and not -_LARGEST < value < _LARGEST:
        # Of a number with thousands of digits Python makes no text.
        return None
    line = one_line(str(value))
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _reason(found: t.Mapping[str, t.Any]) -> Reason:
    return Reason(
        code=text(found.get("code")) or "unknown",
        message=text(found.get("message")) or "",
        remedy=text(found.get("remedy")) or "",
    )


def _device(found: t.Mapping[str, t.Any], place: int) -> Device:
    index = whole(found.get("index"))
    return Device(
        index=place if index is None else index,
        name=text(found.get("name")),
        compute_capability=text(found.get("compute_capability")),
        memory=whole(found.get("memory")),
        passed=found.get("passed") is True,
        error=text(found.get("error")),
        seconds=_number(found.get("seconds")),
    )


def _lines(value: object) -> list[str]:
    """The last lines of a text, or of a list of lines; each stays as it is, as in a traceback the indents say much."""
    found = lines_of(value) if isinstance(value, str) else value if isinstance(value, (list, tuple)) else []
    lines = [visible(line, LONGEST_LINE).rstrip() for line in found[-MOST_LINES:] if isinstance(line, str)]
    return [line for line in lines if line]


def _mapping(value: object) -> t.Mapping[str, t.Any]:
    return value if isinstance(value, t.Mapping) else {}


def _mappings(value: object) -> list[t.Mapping[str, t.Any]]:
    return [item for item in value if isinstance(item, t.Mapping)] if isinstance(value, (list, tuple)) else []


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < _LARGEST:
        return None
    return round(float(value), 3)
