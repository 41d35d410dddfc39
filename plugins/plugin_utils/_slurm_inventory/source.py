# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the words of scontrol come from: this machine, a login host, or a file. I/O and nothing else. Private to hpc.pytorch."""

from __future__ import annotations

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.command import (
    failure,
    run_command,
    slurm_environment,
)

from .texts import ASKED

# A host of ssh's, or one of a user: what could be taken for an option, or for more than one word, is not in it.
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@%-]*")
# More would not be a cluster: 100,000 nodes print a tenth of it.
_MOST = 2**30


class Source(t.NamedTuple):
    """Where to ask; of the first two at most one is set, and none of them is this machine.

    :arg saved: a file that was written on a login host, or a folder of such files (``*.txt``).
    :arg login_host: as ssh takes it.
    :arg bin_dir: the folder of scontrol, there.
    :arg seconds: how long the answer may take.
    """

    saved: pathlib.Path | None
    login_host: str | None
    bin_dir: str | None
    seconds: int

    @property
    def name(self) -> str:
        """For a person."""
        return str(self.saved or self.login_host or "scontrol on this machine")


def fetch(source: Source) -> str:
    """What scontrol printed.

    :raises UserError: it did not.
    """
    if source.saved is not None:
        return read_saved(source.saved)
    if source.login_host is not None:
        command = ssh_command(source.login_host, source.bin_dir, source.seconds)
        return _run(command, source.seconds, "log in there by hand: ssh %s" % source.login_host)
    program = shutil.which("scontrol", path=source.bin_dir)
    if program is None:
        raise UserError(
            "scontrol%s" % (" in %s" % source.bin_dir if source.bin_dir else " on PATH"),
            "none",
            "run this on a login host, name one with login_host, name the folder of Slurm's commands with bin_dir, or use saved_output",
        )
    return "\n".join(
        _run([program, *words[1:]], source.seconds, "see whether the controller runs: scontrol ping") for words in ASKED
    )


def read_saved(path: pathlib.Path) -> str:
    """A file, or a folder's files one after the other."""
    try:
        files = sorted(path.glob("*.txt")) if path.is_dir() else [path]
        texts = [file.read_text(encoding="utf-8", errors="replace") for file in files if file.stat().st_size < _MOST]
    except OSError as error:
        raise UserError(
            "scontrol's words in %s" % (error.filename or path),
            error.strerror or str(error),
            "correct saved_output, which is relative to the inventory file",
        ) from error
    return "\n".join(texts)


def ssh_command(host: str, bin_dir: str | None, seconds: int) -> list[str]:
    """One connection for all three; what arrives at the other side's shell is made of words that were quoted here."""
    if not _HOST.fullmatch(host):
        raise UserError(
            "login_host to be a host, or user@host", repr(host), "correct it; ports and keys belong into ~/.ssh/config"
        )
    words = ([os.path.join(bin_dir, asked[0]) if bin_dir else asked[0], *asked[1:]] for asked in ASKED)
    remote = " && ".join(shlex.join(command) for command in words)
    return ["ssh", "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=%d" % min(seconds, 10), "--", host, remote]


def _run(command: t.Sequence[str], seconds: int, remedy: str) -> str:
    """The output of *command*.

    :raises UserError: it cannot be started, fails, or takes too long.
    """
    shown = command[0] if command[0] != "ssh" else "ssh %s" % command[-2]
    try:
        done = run_command(command, seconds, slurm_environment(os.environ))
    except subprocess.TimeoutExpired:
        raise UserError(
            "an answer of %s within %d s" % (shown, seconds), "no end", "%s; or raise timeout" % remedy
        ) from None
    except OSError as error:
        raise UserError(
            "an executable %s" % command[0], error.strerror or str(error), "install it, or use saved_output"
        ) from error
    if done.returncode:
        raise UserError("an answer of %s" % shown, failure(shown, done.returncode, done.stderr), remedy)
    return done.stdout
