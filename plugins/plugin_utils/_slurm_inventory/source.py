# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the output of scontrol from this machine, a login host or a file. Private to hpc.pytorch."""

from __future__ import annotations

import codecs
import itertools
import os
import pathlib
import re
import shlex
import shutil
import stat
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError, shown
from ansible_collections.hpc.pytorch.plugins.module_utils._common.process import OutOfTime
from ansible_collections.hpc.pytorch.plugins.module_utils._files.trust import require_trusted
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.command import (
    failure,
    run_command,
    slurm_environment,
)

from .texts import ASKED, BY_HAND, split

# A host, or user@host, for ssh: no option, and one word only.
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@%-]*")
# The largest file to read; 100,000 nodes print less.
_MOST = 2**28


class Source(t.NamedTuple):
    """Where to ask: a file, a login host, or with neither of them this machine.

    :arg saved: a file that was written on a login host, or a folder of such files (``*.txt``).
    :arg login_host: as an argument of ssh.
    :arg bin_dir: the folder of scontrol on the machine that is asked.
    :arg seconds: how long the answer may take.
    """

    saved: pathlib.Path | None
    login_host: str | None
    bin_dir: str | None
    seconds: int

    @property
    def name(self) -> str:
        """The source as messages name it."""
        return str(self.saved or self.login_host or "scontrol on this machine")


def fetch(source: Source) -> str:
    """The output of scontrol.

    :raises UserError: there is none.
    """
    if source.saved is not None:
        return read_saved(source.saved)
    if source.login_host is not None:
        command = ssh_command(source.login_host, source.bin_dir, source.seconds)
        return _run(command, source.seconds, "log in there yourself: ssh %s" % source.login_host)
    program = shutil.which("scontrol", path=source.bin_dir)
    if program is None:
        raise UserError(
            "scontrol%s" % (" in %s" % source.bin_dir if source.bin_dir else " on PATH"),
            "none",
            "run this on a login host, name one with login_host, name the folder of Slurm's commands with bin_dir, or "
            "use saved_output",
        )
    require_trusted(os.path.abspath(program), "Slurm's command")
    return "\n".join(
        _run([program, *words[1:]], source.seconds, "check that the controller runs: scontrol ping") for words in ASKED
    )


def read_saved(path: pathlib.Path) -> str:
    """The text of a file, or of a folder's files one after the other."""
    try:
        files = sorted(path.glob("*.txt")) if path.is_dir() else [path]
        texts = [_read(file) for file in files]
        if not texts:
            raise UserError(
                "files whose names end with .txt in the folder %s" % path,
                "none",
                "write the output of scontrol there: %s" % BY_HAND,
            )
    except OSError as error:
        raise UserError(
            "the output of scontrol in %s" % (error.filename or path),
            error.strerror or str(error),
            "correct saved_output, which is relative to the inventory file",
        ) from error
    # Each file for itself, and nodes last: what follows them may be a line of a node's comment, see texts.py.
    return "\n".join(itertools.chain.from_iterable(zip(*map(split, texts))))


def _read(file: pathlib.Path) -> str:
    """The text of a regular file. No pipe is waited for, and no device is read without an end."""
    handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode) or status.st_size >= _MOST:
        os.close(handle)
        raise UserError(
            "a file with the output of scontrol at %s" % file,
            "something that is not a file of less than %d bytes" % _MOST,
            "correct saved_output, which is relative to the inventory file",
        )
    with os.fdopen(handle, "rb") as stream:
        data = stream.read(_MOST)
    # PowerShell writes UTF-16; before the first line a mark of either would hide what it begins with.
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if wide else "utf-8-sig", "replace").replace("\r\n", "\n")


def ssh_command(host: str, bin_dir: str | None, seconds: int) -> list[str]:
    """One ssh for all three commands. Every word for the other side's shell is quoted here."""
    if not _HOST.fullmatch(host):
        raise UserError(
            "login_host to be a host, or user@host", shown(host), "correct it; set ports and keys in ~/.ssh/config"
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
        done = run_command(command, seconds, slurm_environment(os.environ), folder="/")
    except OutOfTime:
        raise UserError(
            "an answer from %s within %d s" % (shown, seconds), "no end", "%s; or raise timeout" % remedy
        ) from None
    except OSError as error:
        raise UserError(
            "an executable %s" % command[0], error.strerror or str(error), "install it, or use saved_output"
        ) from error
    if done.returncode:
        raise UserError("an answer from %s" % shown, failure(shown, done.returncode, done.stderr), remedy)
    return done.stdout
