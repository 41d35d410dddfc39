# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tool torch-verdict: torch_info for a person at a shell. Private to hpc.pytorch."""

from __future__ import annotations

import json
import os
import sys
import typing as t

from .._common.errors import UserError
from .._torch.asked import SITE
from .._torch.diagnose.verdict import FAILED
from .._torch.info import Options, describe_torch
from .manual import Flag, Manual, parse
from .program import complain, run
from .remedies import for_a_shell
from .shell_python import shell_python
from .verdict_text import as_text

NAME = "torch-verdict"

MANUAL = Manual(
    name=NAME,
    summary="test whether torch computes here, on which GPUs, and if not, why",
    usage=("[OPTION...]", "--prefix DIR [OPTION...]"),
    description=(
        "Runs the Python of your shell, imports torch, and computes on the CPU and on every GPU that torch sees. It"
        " prints a verdict, and for each thing that is wrong the reason and what to do about it. It changes nothing.",
        "Without --prefix and --python it tests the first python3 on PATH: that of the active conda or virtual"
        " environment, if there is one.",
        "The verdict is ok (every GPU computes, and every expectation is met), cpu_only (torch computes, there is no"
        " GPU that it can use, and none was expected) or failed.",
        "A login node usually has no GPU, so the verdict there is cpu_only. To test the GPUs of a job, run it in the"
        " job, after the activation of the environment.",
    ),
    operand="",
    flags=(
        Flag("--prefix", "DIR", "Test this conda or virtual environment.", {}),
        Flag("--python", "PATH", "Test this Python.", {}),
        Flag("--expect-cuda", "", "Fail if there is no GPU that torch can use.", {"action": "store_true"}),
        Flag("--expect-gpus", "N", "Fail unless torch sees exactly N GPUs; 0 means none.", {"type": int}),
        Flag(
            "--expect-gpu",
            "TYPE,...",
            "Fail unless every GPU is one of these: models such as h100, or compute capabilities such as 7.0. May be"
            " given more than once.",
            {"action": "append"},
        ),
        Flag("--timeout", "SECONDS", "How long the test may take; 120 by default.", {"type": int, "default": 120}),
        Flag(
            "--device-timeout",
            "SECONDS",
            "How long each GPU may take; 30 by default.",
            {"type": int, "default": 30},
        ),
        Flag(
            "--json",
            "",
            "Print everything that was found in JSON, as the module hpc.pytorch.torch_info returns it.",
            {"action": "store_true"},
        ),
    ),
    status=(
        ("0", "ok or cpu_only."),
        ("1", "failed."),
        ("2", "The command line is wrong, or there is no such environment."),
    ),
    examples=(
        ("torch-verdict", "The active environment, on this machine."),
        ("srun --gres=gpu:1 torch-verdict --expect-cuda", "In a job of its own, with a GPU."),
        ("torch-verdict --expect-gpus 4 || exit 1", "In a job script, before the training."),
        ("torch-verdict --prefix ~/.conda/envs/torch --json", "An environment that is not active, for a program."),
    ),
)


def main(version: str) -> t.NoReturn:
    """Entry point.

    :arg version: of the collection.
    """
    run(NAME, lambda arguments: work(arguments, version))


def work(arguments: t.Sequence[str], version: str) -> int:
    """Test torch as the command line asks, print the result, and return the exit status.

    :arg version: of the collection, for ``--version``.
    :raises UserError: the command line is wrong, or there is no such environment.
    """
    options = parse(MANUAL, arguments, version)
    notes: list[str] = []
    try:
        result = describe_torch(_options(options, notes), notes.append)
    except UserError as error:
        raise UserError(*(for_a_shell(text) for text in (error.expected, error.found, error.remedy))) from error
    notes = [for_a_shell(note) for note in notes]
    del result["changed"]
    result["summary"] = for_a_shell(result["summary"])
    result["reasons"] = [{key: for_a_shell(text) for key, text in reason.items()} for reason in result["reasons"]]
    for note in notes:
        complain(NAME, "note: " + note)
    if options.json:
        sys.stdout.write(json.dumps(dict(result, warnings=notes), indent=2) + "\n")
    else:
        sys.stdout.write(as_text(result, os.environ.get("SLURM_JOB_ID", "")))
    return int(result["verdict"] == FAILED)


def _options(given: t.Any, notes: list[str]) -> Options:
    """The options of torch_info that the command line means."""
    if given.prefix is not None and given.python is not None:
        raise UserError("one of --prefix and --python", "both", "leave one out")
    for name in ("prefix", "python"):
        if getattr(given, name) == "":
            raise UserError("--%s with a path" % name, "an empty text", "give the path")
    python = given.python
    if given.prefix is None and python is None:
        python, note = shell_python(os.environ)
        notes.extend([note] if note else [])
    return Options.from_params(
        {
            "prefix": _absolute(given.prefix),
            "python": _absolute(python),
            "expect_cuda": True if given.expect_cuda else None,
            "expect_devices": given.expect_gpus,
            "expect_gpu": [item for each in given.expect_gpu or () for item in each.split(",")],
            "expect_from": SITE,
            "timeout": given.timeout,
            "device_timeout": given.device_timeout,
        }
    )


def _absolute(path: str | None) -> str | None:
    return None if path is None else os.path.abspath(os.path.expanduser(path))
