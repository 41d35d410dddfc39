# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lints a script before it is submitted, together with its arguments. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..._common.errors import UserError
from ..bash.syntax import messages
from ..lint.by_version import DEPENDENT
from ..lint.finding import Finding
from ..lint.script import lint
from ..lint.view import CPUS, EXCLUSIVE
from .request import Request

# The arguments may give what a script lacks.
_GIVEN_BY: t.Mapping[str, frozenset[str]] = {
    "no-mem": frozenset(("mem", "mem-per-cpu", "mem-per-gpu", "exclusive")),
    "no-time": frozenset(("time",)),
    "no-cpus": frozenset(CPUS),
    "gpus-without-nodes": frozenset(("nodes", "ntasks", "ntasks-per-node")),
    "default-port": frozenset(EXCLUSIVE),
    "fixed-port": frozenset(EXCLUSIVE),
}


def findings(request: Request, version: t.Callable[[], t.Sequence[int]]) -> list[Finding]:
    """The mistakes in the script that the arguments do not correct. It asks bash whether it can read the script.

    :arg version: asks for the version of Slurm; empty if it is not known. It is asked only if a finding depends on it.
    """
    given = {argument[2:].partition("=")[0] for argument in request.arguments}
    printed = messages(request.text)
    found = lint(request.text, syntax=lambda _text: printed)
    if any(finding.code in DEPENDENT for finding in found):
        found = lint(request.text, version(), syntax=lambda _text: printed)
    return [finding for finding in found if not given & _GIVEN_BY.get(finding.code, frozenset())]


def refuse(request: Request, found: t.Sequence[Finding]) -> None:
    """Refuse a script with an error.

    :raises UserError: it names the first error; all of them are in its detail ``lint``.
    """
    errors = [finding for finding in found if finding.severity == "error"]
    if errors:
        raise UserError(
            "a job script without errors, as lint is refuse",
            "%s line %d: %s (%s)" % (request.path, errors[0].line, errors[0].message, errors[0].code),
            errors[0].remedy,
            lint=as_result(found),
        )


def as_result(found: t.Sequence[Finding]) -> list[dict[str, t.Any]]:
    """The findings as the module returns them."""
    return [finding._asdict() for finding in found]


def as_warning(request: Request, finding: Finding) -> str:
    """A finding as a warning."""
    return "%s line %d: %s (%s); remedy: %s" % (
        request.path,
        finding.line,
        finding.message,
        finding.code,
        finding.remedy,
    )
