# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks a script at a path, with the files, the bash and the Slurm of this machine. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..._common.errors import UserError
from ..._slurm.bash.syntax import messages
from ..._slurm.lint.finding import Finding
from ..._slurm.lint.script import lint
from ..._slurm.sbatch.version import parse
from .scripts import read_script
from .slurm_version import installed_version

# Instead of a version: nothing is asked.
UNKNOWN = "unknown"


class Checked(t.NamedTuple):
    """A script and its findings.

    :arg error: why it could not be read.
    """

    path: str
    findings: t.Sequence[Finding] = ()
    error: UserError | None = None


def check(path: str, ignored: t.Collection[str], slurm: t.Sequence[int] | None) -> Checked:
    """The findings in the script at *path*.

    :arg path: ``-`` for the standard input.
    :arg ignored: codes to leave out.
    :arg slurm: the version of the cluster's Slurm, None for an unknown one.
    :raises UserError: it cannot be read, or is not a text.
    """
    found = lint(read_script(path), slurm, syntax=messages)
    return Checked(path, [each for each in found if each.code not in ignored])


def version_of(given: str | None) -> tuple[int, ...] | None:
    """The version of Slurm that *given* names; for None that of sbatch on PATH; None for ``unknown``.

    :raises UserError: *given* is not a version.
    """
    if given == UNKNOWN:
        return None
    if given is None:
        return installed_version()
    try:
        return parse(given)
    except UserError as error:
        raise UserError("a version of Slurm such as 23.11, or unknown", error.found, error.remedy) from error
