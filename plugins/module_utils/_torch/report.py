# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the probe said, put in order. Plain data, no I/O. Private to hpc.pytorch."""

from __future__ import annotations

import json
import signal
import typing as t

FINISHED = "finished"
DIED = "died"
TIMEOUT = "timeout"


class Ending(t.NamedTuple):
    """How the probe's process ended.

    :arg how: ``finished``, ``died`` (exit status or signal before the end) or ``timeout``.
    :arg status: exit status, or the negative number of a signal, as subprocess has it.
    :arg seconds: how long it ran.
    :arg output: the end of what it printed.
    :arg stuck: the process outlived being killed.
    """

    how: str
    status: t.Optional[int] = None
    seconds: float = 0.0
    output: str = ""
    stuck: bool = False


class Report(t.NamedTuple):
    """Everything known about one torch. Each part is what the record of the same name in probe.py carries, or None."""

    step: str
    ending: Ending
    python: t.Optional[dict[str, t.Any]]
    torch: t.Optional[dict[str, t.Any]]
    torch_path: t.Optional[str]
    missing: t.Optional[dict[str, t.Any]]
    import_failed: t.Optional[dict[str, t.Any]]
    cpu: t.Optional[dict[str, t.Any]]
    cuda: t.Optional[dict[str, t.Any]]
    driver: t.Optional[dict[str, t.Any]]
    devices: list[dict[str, t.Any]]
    refused: t.Optional[dict[str, str]]
    exec_failed: t.Optional[dict[str, str]]


def parse_records(data: bytes) -> list[dict[str, t.Any]]:
    """The records in *data*. A line that is none (cut off by a crash, or written by somebody else) is left out."""
    records = []
    for line in data.splitlines():
        try:
            record = json.loads(line.decode("ascii"))
        except ValueError:
            continue
        if isinstance(record, dict) and isinstance(record.get("kind"), str):
            # A path that is no UTF-8 arrives as lone surrogates, which no output can take.
            plain = json.dumps(record, ensure_ascii=False).encode("utf-8", "replace")
            records.append(json.loads(plain.decode("utf-8")))
    return records


def read_report(records: t.Iterable[dict[str, t.Any]], ending: Ending, first_step: str = "start python") -> Report:
    """Fold the probe's records into one report."""
    step = first_step
    by_kind: dict[str, dict[str, t.Any]] = {}
    devices: dict[int, dict[str, t.Any]] = {}
    for record in records:
        kind = record["kind"]
        if kind == "step":
            step = record["step"]
        elif kind in ("device", "device_done"):
            devices.setdefault(record["index"], {}).update(record)
        else:
            by_kind[kind] = record
    cuda = by_kind.get("cuda")
    for index in range(cuda["count"] if cuda else 0):
        devices.setdefault(index, {})
    return Report(
        step=step,
        ending=ending,
        python=by_kind.get("python"),
        torch=by_kind.get("torch"),
        torch_path=(by_kind.get("torch_found") or {}).get("path"),
        missing=by_kind.get("torch_missing"),
        import_failed=by_kind.get("import_failed"),
        cpu=by_kind.get("cpu"),
        cuda=cuda,
        driver=by_kind.get("driver"),
        devices=[_device(index, devices[index], step, ending) for index in sorted(devices)],
        refused=by_kind.get("refused"),
        exec_failed=by_kind.get("exec_failed"),
    )


def _device(index: int, seen: t.Mapping[str, t.Any], step: str, ending: Ending) -> dict[str, t.Any]:
    error = seen.get("error")
    if "passed" in seen:
        text = "%s: %s" % (error["kernel"], error["text"] or error["type"]) if error else None
    elif step.startswith("device %d:" % index):
        text = "%s: %s" % (step.split(": ", 1)[1], describe_ending(ending))
    else:
        text = "not tested: the probe ended before"
    return {
        "index": index,
        "name": seen.get("name"),
        "compute_capability": seen.get("compute_capability"),
        "memory": seen.get("memory"),
        "passed": bool(seen.get("passed")),
        "error": text,
        "seconds": seen.get("seconds"),
    }


def describe_ending(ending: Ending) -> str:
    """How the probe ended, for a sentence."""
    if ending.how == TIMEOUT:
        text = "did not come back within %s" % _seconds(ending.seconds)
        return text + " and could not be killed" if ending.stuck else text
    if ending.status is not None and ending.status < 0:
        return "died by %s" % signal_name(-ending.status)
    return "ended early with exit status %s" % ending.status


def signal_name(number: int) -> str:
    """``SIGSEGV`` for 11."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return "signal %d" % number


def _seconds(value: float) -> str:
    return "%d s" % round(value) if value >= 10 else "%.1f s" % value
