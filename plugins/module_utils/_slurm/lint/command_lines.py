# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds other mistakes in the commands of a job script. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ..calls.calls import Call
from .finding import Found
from .view import Script

# A GPU for each task, the devices that Slurm gave, or no GPU on purpose.
_OWN_DEVICES = re.compile(r"LOCALID|LOCAL_RANK|PROCID|CUDA_VISIBLE_DEVICES|^(?:-1|NoDevFiles)$")
_SECRETS = (
    re.compile(
        r"(?i)\b(\w*(?:api_?key|password|passwd|secret|secret_key|access_key))[= ]\s*[\"']?(?![$/~<\"'])[^\s\"']{8,}"
    ),
    re.compile(r"(?i)\b(\w*token)[= ]\s*[\"']?(?![$/~<\"'])(?=[^\s\"']*\d)(?=[^\s\"']*[a-z])[^\s\"']{12,}"),
    re.compile(r"\b(wandb login)\s+(?:--\S+\s+)*[0-9a-f]{32,}"),
    re.compile(r"\b(hf_)[A-Za-z0-9]{20,}|\b(gh[pousr]_)[A-Za-z0-9]{20,}|\b(AKIA)[0-9A-Z]{16}"),
)
# Modules that bring no conda.
_NO_CONDA = re.compile(
    r"(?:cuda|cudnn|nccl|gcc|g\+\+|intel|openmpi|mpi|cmake|git|slurm|singularity|apptainer|ninja|ffmpeg|nvhpc|rocm|java)"
    r"(?:[-/_\d.]\S*)?\Z",
    re.IGNORECASE,
)
# What defines the functions of these programs.
_ACTIVATORS = {
    "conda": "source PREFIX/etc/profile.d/conda.sh first",
    "mamba": "source PREFIX/etc/profile.d/conda.sh and mamba.sh first",
    "micromamba": 'run eval "$(micromamba shell hook --shell bash)" first',
}


def check(script: Script) -> t.Iterator[Found]:
    """Find mistakes in commands."""
    yield from _conda(script)
    yield from _end(script)
    yield from _visible_devices(script)
    for call in script.calls:
        if call.words and call.program in ("source", ".") and call.arguments and call.arguments[0].endswith(".bashrc"):
            yield (
                script.number(call),
                "bashrc",
                "~/.bashrc is for interactive shells: in a script many return at once, or fail with set -u",
                "load modules and activate the environment in the script",
            )
    for command in script.batch.commands:
        secrets = [match for secret in _SECRETS for match in secret.finditer(command.text)]
        names = [group for match in secrets for group in match.groups() if group]
        if names:
            yield (
                script.batch.line_at(command, secrets[0].start()),
                "secret",
                "the script contains a secret (%s): every user who can read the script, or ask Slurm for it, gets it"
                % names[0],
                "read it from a file that only you can read",
            )


def _visible_devices(script: Script) -> t.Iterator[Found]:
    found: list[tuple[int, bool]] = []
    for call in script.calls:
        for word in call.assignments:
            name, _equals, value = word.text.partition("=")
            if name == "CUDA_VISIBLE_DEVICES" and value and not _OWN_DEVICES.search(value):
                found.append((script.number(call, word.at), bool(call.words) and call.background))
    if any(background for _number, background in found):
        # Each of several processes gets a GPU of its own.
        return
    for number, _background in found:
        yield (
            number,
            "cuda-visible-devices",
            "CUDA_VISIBLE_DEVICES is set by hand: Slurm sets it to the GPUs of the job",
            "take the assignment out, and leave the rest of the line as it is",
        )


def _conda(script: Script) -> t.Iterator[Found]:
    if re.search(r"\s(?:-\w*[il]|--login)\b", script.batch.shebang):
        # A login shell has read the profile, which may contain the hook.
        return
    for call in script.calls:
        if not call.words:
            if re.search(r"shell(?:\.\w+)? hook|shell\.\w+", " ".join(word.text for word in call.assignments)):
                return
        elif _may_bring_conda(call):
            return
        elif call.program in _ACTIVATORS and call.arguments[:1] == ["activate"]:
            yield (
                script.number(call),
                "conda-hook",
                "%s activate is a function that a batch shell does not have" % call.program,
                _ACTIVATORS[call.program],
            )
            return


def _may_bring_conda(call: Call) -> bool:
    """Whether a command may define the function conda: a file that is sourced, a module, or the hook itself."""
    words = call.arguments
    if call.program in ("source", ".", "eval"):
        return True
    if call.program in ("module", "ml"):
        names = [word for word in words if not word.startswith("-")]
        if call.program == "module":
            names = names[1:] if names[:1] in (["load"], ["add"], ["restore"], ["swap"], ["switch"]) else []
        return any(not _NO_CONDA.match(name) for name in names)
    return call.program in _ACTIVATORS and any("hook" in word for word in words)


def _end(script: Script) -> t.Iterator[Found]:
    commands = script.batch.commands
    if any(call.words and call.program == "wait" for call in script.calls):
        return
    for number, text in reversed(commands):
        command = _without_ends(text)
        if re.search(r"(?:^|[^&>|])&$", command):
            yield (
                number,
                "no-wait",
                "the last command runs in the background: the script ends, and Slurm ends the command with it",
                "put wait on the last line",
            )
        if command:
            return


def _without_ends(text: str) -> str:
    """A line without the ends of loops, conditions and groups, which are not commands: ``"a & done)"`` is ``"a &"``."""
    # A loop, because a pattern for it takes the square of the line's length.
    while True:
        text = text.rstrip(" \t;})")
        word = re.search(r"(?:^|[^\w-])(done|fi)$", text[-5:])
        if not word:
            return text
        text = text[: -len(word[1])]
