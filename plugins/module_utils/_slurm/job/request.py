# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A script and the arguments to submit it with. Reads the script, writes nothing. Private to hpc.pytorch."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import typing as t

from ..._common.errors import UserError, shown
from ..._files.files import read_regular
from ..._files.trust import require_trusted
from ..sbatch.script_text import read
from .relied_on import require_trusted_job

# With these sbatch does something else than submit the script and print the job's number.
_NOT_OURS = ("wait", "test-only", "parsable", "wrap", "help", "usage", "version", "quiet", "comment")
_OPTION = re.compile(r"--([a-z][a-z0-9-]*)(=.*)?", re.DOTALL)


class Request(t.NamedTuple):
    """A script to be submitted.

    :arg path: of the script.
    :arg digest: of its content.
    :arg job_name: the job's name, from the arguments, the script or the file's name.
    :arg comment: the comment that the script sets; empty without one.
    :arg arguments: more options of sbatch.
    :arg text: the script's content.
    """

    path: str
    digest: str
    job_name: str
    comment: str
    arguments: tuple[str, ...]
    text: str = ""

    def option(self, name: str) -> str:
        """The value of an option of sbatch, from the arguments or the script; empty without one."""
        given = dict(argument[2:].split("=", 1) for argument in self.arguments if "=" in argument)
        return given.get(name) or read(self.text).value(name)


def request_of(path: str, arguments: t.Sequence[str], relied_on: t.Sequence[str] = ()) -> Request:
    """Read the script.

    :arg relied_on: more paths that the job enters or activates.

    :raises UserError: an argument or the script cannot be used, or root would submit what another user can write.
    """
    for argument in arguments:
        match = _OPTION.fullmatch(argument)
        if not match or not argument.isprintable():
            raise UserError(
                "arguments to be of the form --name or --name=value",
                shown(argument),
                "write each option of sbatch as one argument, with its long name",
            )
        if match.group(1) in _NOT_OURS:
            remedy = "leave it out, this module sets it; write a comment into the script"
            raise UserError("arguments to be options of the job", "--%s" % match.group(1), remedy)
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise UserError("a job script at %s" % path, "something that is not a file", "correct script")
        require_trusted(path, "job script")
        content = read_regular(path)
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(
            "a job script at %s" % path,
            "no file there",
            "write it first (hpc.pytorch.sbatch_script), or correct script",
        ) from None
    if not content.startswith(b"#!"):
        remedy = "give its first line an interpreter, such as #!/bin/bash"
        raise UserError("a job script that begins with #! at %s" % path, repr(content[:20])[1:], remedy)
    text = content.decode("utf-8", "surrogateescape")
    batch = read(text)
    given = dict(argument[2:].split("=", 1) for argument in arguments if "=" in argument)
    require_trusted_job(path, text, given.get("chdir") or batch.value("chdir"), relied_on)
    return Request(
        path,
        hashlib.sha256(content).hexdigest(),
        given.get("job-name") or batch.value("job-name") or os.path.basename(path),
        batch.value("comment"),
        tuple(arguments),
        text,
    )
