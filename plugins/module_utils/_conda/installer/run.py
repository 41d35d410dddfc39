# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a checked installer, and the conda that it installed. Private to hpc.pytorch."""

from __future__ import annotations

import os

from ..._common.errors import UserError, one_line
from ..._common.process import follow
from ..._files.progress import Progress

_TAIL = 30


def shell_of(script: str) -> str:
    """The shell in an installer's first line: ``/bin/bash`` for ``#!/usr/bin/env bash``.

    :raises UserError: it is not a shell script.
    """
    with open(script, "rb") as stream:
        first = stream.readline(200).decode("ascii", "replace").strip()
    name = os.path.basename(first[2:].split()[-1]) if first.startswith("#!") and first[2:].split() else ""
    if name not in ("sh", "bash"):
        raise UserError(
            "a shell script with an archive behind it, as constructor makes them (Miniforge, Miniconda, Anaconda)",
            "a file that begins with %r" % one_line(first[:40]),
            "give the installer for Linux that ends in .sh",
        )
    return "/bin/" + name


def install(script: str, base: str, work: str, lock: int, progress: Progress) -> None:
    """Run *script* to make *base*, which must not exist. No home directory is touched.

    :arg work: an empty folder, used as ``$HOME`` and ``$TMPDIR``.
    :arg lock: a descriptor that the installer inherits.
    :raises UserError: with the last lines of its output.
    """
    # Started through a shell, the file needs no execute bit. All users read the base, so the caller's umask does not
    # count.
    argv = ["/bin/sh", "-c", 'umask 022; exec "$0" "$@"', shell_of(script), script, "-b", "-p", base]
    output: list[str] = []

    def note(text: str) -> None:
        line = one_line(text)
        if line:
            output[:] = output[1 - _TAIL :] + [line]
            progress.report("install", line[:80])

    status = follow(argv, _environment(work), note, folder=work, descriptors=(lock,))
    if status:
        raise UserError(
            "an installer that makes %s" % base,
            "exit status %d: %s" % (status, output[-1] if output else "no output"),
            "see installer_output; check free space, quota, and that the installer is for this machine's architecture",
            installer_output=output,
        )


def conda_version(base: str, work: str) -> str:
    """The output of ``conda --version`` of *base*.

    :raises UserError: it does not run.
    """
    printed: list[str] = []
    status = follow([os.path.join(base, "bin", "conda"), "--version"], _environment(work), printed.append, folder=work)
    output = [one_line(line) for line in printed if line.strip()]
    if status or not output:
        raise UserError(
            "a conda in %s that prints its version" % base,
            "exit status %d: %s" % (status, output[-1] if output else "no output"),
            "use an installer for this machine's architecture and C library",
            installer_output=output[-_TAIL:],
        )
    return output[-1]


def _environment(work: str) -> dict[str, str]:
    # No variable of the caller: its conda, Python and shell settings would change the base.
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"PATH": path, "HOME": work, "TMPDIR": work, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
