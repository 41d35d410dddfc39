# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds other mistakes in the commands of a job script. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import itertools
import re
import typing as t

from ..calls.calls import SHELLS, Call
from .finding import Found
from .view import Script

# A GPU for each task, the devices that Slurm gave, or no GPU on purpose.
_OWN_DEVICES = re.compile(r"LOCALID|LOCAL_RANK|PROCID|CUDA_VISIBLE_DEVICES|^(?:-1|NoDevFiles)$")
_SECRET = r"(?:api[_-]?key|password|passwd|secret|(?:secret|access)[_-]key|token)"
# A secret: NAME=VALUE, or an option with its value. A name alone is not one: docker run -e API_KEY --gpus=all.
_ASSIGNED = re.compile(
    r"(?i)(?<![\w-])(?:(\w*%s)=|--?([\w-]*%s)[= ]\s*)[\"']?(?![$/~<`{\"'])([^\s\"'`]{8,})" % (_SECRET, _SECRET)
)
_SECRETS = (
    re.compile(r"\b(wandb login)\s+(?:--\S+\s+)*([0-9a-f]{32,})"),
    re.compile(r"\b(hf_|gh[pousr]_)([A-Za-z0-9]{20,})"),
    re.compile(r"\b(AKIA)([0-9A-Z]{16})"),
    re.compile(r"\b(aws configure set \S*aws_secret_access_key)\s+[\"']?([A-Za-z0-9/+]{40})\b"),
)
# Of a text that a model reads, such as --pad_token.
_OF_A_TEXT = re.compile(
    r"(?i)(?:pad|[eb]os|unk|sep|cls|mask|special|sto?p|start|begin|end|image|img|video|audio|think|trigger|placeholder"
    r"|initializer|modifier|class|instance|prompt)[_-]?token\Z"
)
_RANDOM = re.compile(r"(?=.*\d)(?=.*[A-Za-z]).{12}")
# What a page tells its reader to replace, "no key", or a file.
_PLACEHOLDER = re.compile(
    r"(?i)(?:\b|_)(?:your?|yours|here|insert|replace|change_?me|example|placeholder|dummy|fake|none|empty|null|todo"
    r"|redacted|undefined|not?[_-]\w+)(?:\b|_)|^my[_-]|EXAMPLE(?:KEY)?$|(.)\1{5}|xxxx"
    r"|\.(?:key|txt|json|ya?ml|toml|env|pem|token|secret|cfg|conf|ini)$"
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
        secret = min(_secrets(command.text), default=None)
        if secret:
            yield (
                script.batch.line_at(command, secret[0]),
                "secret",
                "the script contains a secret (%s): every user who can read the script, or ask Slurm for it, gets it"
                % secret[1],
                "read it from a file that only you can read",
            )


def _secrets(text: str) -> t.Iterator[tuple[int, str]]:
    """Where the secrets in a command are, and what each is called."""
    for found in _ASSIGNED.finditer(text):
        name, value = found[1] or found[2], found[3]
        if name.lower().endswith("token") and (_OF_A_TEXT.search(name) or not _RANDOM.match(value)):
            continue
        if not _PLACEHOLDER.search(value):
            yield found.start(), name
    for pattern in _SECRETS:
        yield from ((found.start(), found[1]) for found in pattern.finditer(text) if not _PLACEHOLDER.search(found[2]))


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
    if _reads_profile([word for word in script.batch.shebang.split()[1:] if word.startswith("-")]):
        return
    shell: Call | None = None
    for call in script.calls:
        if shell and call.line is shell.line and call.within[: len(shell.within) + 1] == (*shell.within, shell.program):
            continue
        if not call.words:
            if re.search(r"shell(?:\.\w+)? hook|shell\.\w+", " ".join(word.text for word in call.assignments)):
                return
        elif call.program in SHELLS and _reads_profile(call.arguments):
            shell = call
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


def _reads_profile(options: t.Sequence[str]) -> bool:
    """Whether a shell is a login shell or an interactive one: its profile may contain the hook."""
    given = itertools.takewhile(lambda word: word.startswith("-"), options)
    return any(re.fullmatch(r"-\w*[il]\w*|--login", word) for word in given)


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
