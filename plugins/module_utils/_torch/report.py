# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report on a torch, made of the records of all probes. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import json
import signal
import typing as t

from .._common.lines import lines_of
from .probe import kernels

FINISHED = "finished"
DIED = "died"
TIMEOUT = "timeout"
# The names of the tests of a device.
KERNELS = tuple(name for name, dummy in kernels.KERNELS)


class Ending(t.NamedTuple):
    """How the probe's process ended.

    :arg how: ``finished``, ``died`` (exit status or signal before the end) or ``timeout``.
    :arg status: exit status, or the negative number of a signal, as in subprocess.
    :arg seconds: how long it ran.
    :arg output: the end of its output.
    :arg stuck: the process survived SIGKILL.
    :arg odd: why its answer was not understood; such a probe is stopped, and counts as one that died.
    """

    how: str
    status: int | None = None
    seconds: float = 0.0
    output: str = ""
    stuck: bool = False
    odd: str = ""


class Broken(t.NamedTuple):
    """A probe that hung or died in a task, so that another one went on.

    :arg task: e.g. ``device 1``; :arg step: e.g. ``device 1: matmul``.
    """

    task: str
    step: str
    ending: Ending


class Report(t.NamedTuple):
    """Everything known about one torch. Each part is the probe's record of that kind, or None.

    :arg library_path: the CUDA libraries that variables put first: name of the variable, path.
    :arg shadowed: the libraries in use that are not the environment's although it has them.
    :arg broken: the probes that hung or died in a task, in order.
    :arg without: whether torch gets further without the libraries of library_path; None if that was not tried.
    :arg alone: whether torch gets further with the environment's own packages alone; None if that was not tried.
    :arg unset: the fewest variables of settings that were found without which torch gets further; empty for none.
    :arg variables: the variables that change what is imported or loaded.
    :arg settings: the variables that set how torch, CUDA and their libraries work.
    :arg doubled: the packages that bring the same CUDA library as another one of the environment.
    :arg outside: the packages that were imported from elsewhere: name, path, and the environment's own or None.
    """

    step: str
    ending: Ending
    python: dict[str, t.Any] | None
    torch: dict[str, t.Any] | None
    torch_path: str | None
    own_torch: str | None
    missing: dict[str, t.Any] | None
    import_failed: dict[str, t.Any] | None
    cpu: dict[str, t.Any] | None
    cuda: dict[str, t.Any] | None
    cudnn: dict[str, t.Any] | None
    node: dict[str, t.Any] | None
    driver: dict[str, t.Any] | None
    files: dict[str, str | None]
    nvml: dict[str, t.Any] | None
    kernel_log: list[str] | None
    library_path: list[list[str]]
    shadowed: list[dict[str, str]]
    nccl: dict[str, t.Any] | None
    all_reduce: dict[str, t.Any] | None
    devices: list[dict[str, t.Any]]
    broken: tuple[Broken, ...]
    without: bool | None
    alone: bool | None
    unset: tuple[str, ...]
    variables: dict[str, str]
    settings: dict[str, str]
    outside: list[dict[str, t.Any]]
    numpy: dict[str, t.Any] | None
    doubled: list[dict[str, t.Any]]
    refused: dict[str, str] | None
    exec_failed: dict[str, str] | None

    @property
    def python_variables(self) -> dict[str, str]:
        """The variables that change what Python imports."""
        return {name: value for name, value in self.variables.items() if name.startswith("PYTHON")}

    @property
    def library_variables(self) -> dict[str, str]:
        """The variables that put libraries before those of the environment."""
        return {name: value for name, value in self.variables.items() if name.startswith("LD_")}

    def has_bad_numpy(self) -> bool:
        """Return whether torch cannot hand numbers to the numpy that is there."""
        return self.broke_at("numpy") is not None or self.numpy is not None and self.numpy["error"] is not None

    def broke_at(self, task: str) -> Broken | None:
        """Return how the probe broke in *task*, or None."""
        return next((item for item in self.broken if item.task == task), None)


def parse_records(data: bytes) -> list[dict[str, t.Any]]:
    """Return the records in *data*, without other lines (cut off by a crash, or written by another program).

    ``b'{"kind": "step", "step": "end"}\\n'`` is ``[{"kind": "step", "step": "end"}]``.
    """
    records = []
    for line in data.split(b"\n"):
        try:
            record = json.loads(line.decode("ascii"), parse_int=_whole, parse_constant=_refuse)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict) and isinstance(record.get("kind"), str):
            # A path that is not UTF-8 arrives as lone surrogates, which cannot be printed.
            plain = json.dumps(record, ensure_ascii=False).encode("utf-8", "replace")
            records.append(json.loads(plain.decode("utf-8")))
    return records


def _whole(digits: str) -> int:
    # Python before 3.11 takes minutes for a million digits.
    if len(digits) > 30:
        raise ValueError("too many digits")
    return int(digits)


def _refuse(name: str) -> t.Any:
    raise ValueError("JSON has no %s" % name)


def read_report(
    records: t.Iterable[dict[str, t.Any]],
    ending: Ending,
    first_step: str = "start python",
    broken: t.Sequence[Broken] = (),
    without: bool | None = None,
) -> Report:
    """Combine the records of all probes into one report.

    :arg ending: how the last probe ended.
    """
    step = first_step
    by_kind: dict[str, dict[str, t.Any]] = {}
    devices: dict[int, dict[str, t.Any]] = {}
    for record in records:
        kind = record["kind"]
        if kind == "step":
            step = record["step"]
        elif kind in ("device", "device_done"):
            devices.setdefault(record["index"], {}).update(record)
        elif kind == "kernel":
            device = devices.setdefault(record["index"], {})
            device.setdefault("kernels", {})[record["kernel"]] = record["seconds"]
        else:
            by_kind[kind] = record
    cuda = by_kind.get("cuda")
    for index in range(cuda["count"] if cuda else 0):
        devices.setdefault(index, {})
    broke = {item.task: item for item in broken}
    return Report(
        step=step,
        ending=ending,
        python=by_kind.get("python"),
        torch=by_kind.get("torch"),
        torch_path=(by_kind.get("torch_found") or {}).get("path"),
        own_torch=(by_kind.get("torch_found") or {}).get("own"),
        missing=by_kind.get("torch_missing"),
        import_failed=by_kind.get("import_failed"),
        cpu=by_kind.get("cpu"),
        cuda=cuda,
        cudnn=by_kind.get("cudnn"),
        node=by_kind.get("node"),
        driver=by_kind.get("driver"),
        files=(by_kind.get("files") or {}).get("opened") or {},
        nvml=by_kind.get("nvml"),
        kernel_log=(by_kind.get("kernel_log") or {}).get("lines"),
        library_path=(by_kind.get("library_path") or {}).get("found") or [],
        shadowed=(by_kind.get("shadowed") or {}).get("libraries") or [],
        nccl=by_kind.get("nccl"),
        all_reduce=by_kind.get("all_reduce"),
        devices=[_device(index, devices[index], step, ending, broke) for index in sorted(devices)],
        broken=tuple(broken),
        without=without,
        alone=None,
        unset=(),
        variables=(by_kind.get("variables") or {}).get("variables") or {},
        settings=(by_kind.get("settings") or {}).get("settings") or {},
        outside=(by_kind.get("outside") or {}).get("modules") or [],
        numpy=by_kind.get("numpy"),
        doubled=(by_kind.get("doubled") or {}).get("packages") or [],
        refused=by_kind.get("refused"),
        exec_failed=by_kind.get("exec_failed"),
    )


def _device(
    index: int, seen: t.Mapping[str, t.Any], step: str, ending: Ending, broke: t.Mapping[str, Broken]
) -> dict[str, t.Any]:
    """Return one device. Its state: passed, failed (an error), hung, died (crashed the probe) or untested."""
    error = seen.get("error")
    task = "device %d" % index
    here = broke.get(task)
    if here is None and step.startswith(task + ":"):
        here = Broken(task, step, ending)
    if "passed" in seen:
        state = "failed" if error else "passed"
        text = "%s: %s" % (error.get("kernel", "?"), _main_line(error)) if error else None
    elif here is not None:
        state = "hung" if here.ending.how == TIMEOUT else "died"
        text = "%s: %s" % (here.step.split(": ", 1)[1], describe_ending(here.ending))
    else:
        state, text = "untested", "not tested: the probe ended before"
    return {
        "index": index,
        "name": seen.get("name"),
        "compute_capability": seen.get("compute_capability"),
        "memory": seen.get("memory"),
        "passed": bool(seen.get("passed")),
        "state": state,
        "error": text,
        "error_type": error["type"] if error else None,
        "seconds": seen.get("seconds"),
        "kernels": {name: seen.get("kernels", {}).get(name) for name in KERNELS},
    }


def _main_line(error: t.Mapping[str, t.Any]) -> str:
    """Return the first line of an error: below it CUDA prints advice."""
    lines = [line.strip() for line in lines_of(error["text"]) if line.strip()]
    return str(lines[0][:1000] if lines else error["type"])


def is_library_of_torch(path: str) -> bool:
    """Return whether a library of the probe's library_path is one that torch brings; libcuda is the driver's."""
    return not path.rpartition("/")[2].startswith("libcuda.")


def describe_ending(ending: Ending) -> str:
    """Return how the probe ended, for a sentence: ``died by SIGSEGV``."""
    if ending.how == TIMEOUT:
        text = "did not come back within %s" % _seconds(ending.seconds)
        return text + " and could not be killed" if ending.stuck else text
    if ending.odd:
        return "gave an answer that is not understood (%s)" % ending.odd
    if ending.status is not None and ending.status < 0:
        return "died by %s" % signal_name(-ending.status)
    return "ended early with exit status %s" % ending.status


def signal_name(number: int) -> str:
    """Return the name of a signal: ``signal_name(11)`` is ``"SIGSEGV"``."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return "signal %d" % number


def _seconds(value: float) -> str:
    return "%d s" % round(value) if value >= 10 else "%.1f s" % value
