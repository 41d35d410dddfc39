# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds ports that the next job on the node needs too. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ..calls.calls import Call
from .finding import Found
from .view import Script

_PORT = re.compile(
    r"(?:(?i:(?:\b|_|\bm)port[= ]\s*[\"']?|rdzv[_-]endpoint[= ]\S+:)"
    r"|\b[A-Z]*(?<!EX)(?<!RE)(?<!IM)(?<!SUP)(?<!TRANS)PORT=[\"']?)"
    r"(?:\$\{\w+:?[-=])?(?P<number>\d{4,5})\b"
)
_NAME = re.compile(r"\b(\w+)=[\"']?(?:\$\{\w+:?[-=])?\Z")
_ARITHMETIC = re.compile(r"(?:\(\(|\bexpr\b|\blet\b)([^)\n]*)")
_FOR_TEXT = frozenset("awk echo gawk grep printf sed".split())
_CALCULATED = "$((20000 + SLURM_JOB_ID % 10000))"


class _Launcher(t.NamedTuple):
    """A launcher whose processes meet at a port.

    :arg given: how an option begins that gives the port, or makes the launcher choose one.
    :arg variables: the same in the environment.
    :arg remedy: an option that does not take the port from the next job.
    :arg which: which releases wait at the default port.
    """

    given: tuple[str, ...]
    variables: tuple[str, ...]
    remedy: str
    which: str


# torch/distributed/run.py: static rendezvous at 127.0.0.1:29500; tried with torch 2.13, which takes a free port for
# one node. MASTER_PORT has no effect, PET_MASTER_PORT has.
_TORCHRUN = _Launcher(
    ("--standalone", "--master_port", "--master-port", "--rdzv"),
    ("PET_",),
    "add --standalone, or for several nodes --rdzv-backend=c10d --rdzv-endpoint=HOST:PORT with a port of the job's own",
    "torchrun waits at port 29500 (torch 2.13 takes a free one)",
)
_LAUNCH = _TORCHRUN._replace(
    remedy="add --master_port=%s" % _CALCULATED,
    which="torch.distributed.launch waits at port 29500 (torch 2.13 takes a free one)",
)
# accelerate/commands/launch.py and utils/launch.py: a configuration may give it.
_ACCELERATE = _Launcher(
    ("--main_process_port", "--main-process-port", "--config", "--rdzv"),
    ("ACCELERATE_", "PET_"),
    "add --main_process_port=%s" % _CALCULATED,
    "accelerate waits at port 29500 (1.15 takes a free one if it is in use)",
)
# deepspeed/launcher/runner.py.
_DEEPSPEED = _Launcher(
    ("--master_port", "--master-port"),
    ("DLTS_MASTER_PORT",),
    "add --master_port=%s" % _CALCULATED,
    "deepspeed waits at port 29500",
)


def check(script: Script) -> t.Iterator[Found]:
    """Find fixed ports, where other jobs may be on the node."""
    if script.has_whole_nodes():
        return
    yield from _fixed(script)
    yield from _default(script)


def _fixed(script: Script) -> t.Iterator[Found]:
    calls: dict[int, list[Call]] = {}
    for call in script.calls:
        calls.setdefault(call.line.line, []).append(call)
    # Names from which another number is calculated.
    bases = {
        name
        for command in script.batch.commands
        for part in _ARITHMETIC.findall(command.text)
        for name in re.findall(r"[A-Za-z_]\w*", part)
    }
    for command in script.batch.commands:
        port = _PORT.search(command.text)
        if not port:
            continue
        name = _NAME.search(command.text, 0, port.start("number"))
        if (name and name[1] in bases) or _is_text(calls.get(command.line, ()), port.start("number")):
            continue
        yield (
            script.batch.line_at(command, port.start("number")),
            "fixed-port",
            "port %s is fixed: the next job on the node needs it too" % port["number"],
            "calculate one from the job's id, such as %s" % _CALCULATED,
        )


def _is_text(calls: t.Sequence[Call], at: int) -> bool:
    """Whether a place in a line is in the argument of a program that only handles text."""
    nearest = max((call for call in calls if call.at <= at), key=lambda call: call.at, default=None)
    return bool(nearest and nearest.words and nearest.program in _FOR_TEXT)


def _default(script: Script) -> t.Iterator[Found]:
    names = {word.text.partition("=")[0] for call in script.calls for word in call.assignments}
    for call in script.calls:
        launcher = _launcher(call) if call.words else None
        if not launcher or not _several(script, call) or any(name.startswith(launcher.variables) for name in names):
            continue
        # A variable that the script does not set may hold any option; one that stands for a value is no option.
        before = ""
        for word in _options(call):
            if word.startswith(launcher.given) or (word[:1] == "$" and not _waits(before)):
                break
            before = word
        else:
            yield (
                script.number(call),
                "default-port",
                "no port is given, and %s, which the next job on the node may need too" % launcher.which,
                launcher.remedy,
            )


def _launcher(call: Call) -> _Launcher | None:
    words = call.arguments
    if call.program == "torchrun":
        return _TORCHRUN
    if call.program.startswith("python") and "-m" in words[:6]:
        module = words[words.index("-m") + 1 :][:1]
        return {"torch.distributed.run": _TORCHRUN, "torch.distributed.launch": _LAUNCH}.get("".join(module))
    if call.program == "deepspeed" and any(word.endswith(".py") for word in words):
        return _DEEPSPEED
    return _ACCELERATE if call.program == "accelerate" and words[:1] == ["launch"] else None


def _several(script: Script, call: Call) -> bool:
    """Whether a launcher starts several processes on a node."""
    words = " ".join(_options(call))
    given = re.search(r"--(?:nproc|num)[_-](?:per[_-]node|processes|gpus)[= ](\S+)", words)
    if given:
        return given[1] != "1"
    if call.program == "deepspeed" or (call.program == "accelerate" and "--multi" not in words):
        # All GPUs of the job.
        return script.gpus_per_node() > 1
    return "--multi" in words


def _options(call: Call) -> t.Iterator[str]:
    """The words of a launcher before the program that it starts."""
    for word in call.arguments:
        if word.endswith(".py"):
            return
        yield word


def _waits(option: str) -> bool:
    """Whether an option takes the next word as its value."""
    return option.startswith("-") and "=" not in option and option not in ("--standalone", "--multi_gpu", "--no_python")
