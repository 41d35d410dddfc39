# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The call of slurm_job: its options, checked. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ..._common.errors import UserError, shown
from ..._files.paths import require_absolute


class Options(t.NamedTuple):
    """The module's options.

    :arg state: checked, submitted, completed or cancelled.
    :arg tail: how many of the last lines of the output to return.
    :arg lint: what to do about mistakes in a script that is about to be submitted: off, warn or refuse.
    :arg relies_on: paths that the job enters or activates, besides those in the script.
    """

    script: str | None
    job_id: str | None
    state: str
    arguments: tuple[str, ...]
    timeout: int | None
    on_timeout: str
    force: bool
    tail: int
    record: str | None
    bin_dir: str | None
    lint: str
    relies_on: tuple[str, ...] = ()

    @classmethod
    def from_params(cls, params: t.Mapping[str, t.Any]) -> Options:
        """Read and check the module's parameters.

        :raises UserError: they make no sense.
        """
        values = {name: params[name] for name in cls._fields}
        options = cls(**dict(values, arguments=tuple(params["arguments"]), relies_on=tuple(params["relies_on"])))
        options.check()
        return options

    def check(self) -> None:
        """Refuse what makes no sense."""
        for name, path in (("script", self.script), ("record", self.record), ("bin_dir", self.bin_dir)):
            require_absolute(name, path)
            if path is not None and path.endswith("/") and name != "bin_dir":
                raise UserError("%s to be the path of a file" % name, shown(path), "remove the / at its end")
        if self.job_id is not None:
            if not re.fullmatch(r"[0-9]+([_+][0-9]+)?", self.job_id):
                raise UserError(
                    "job_id to be a number, or a task such as 123_4",
                    shown(self.job_id),
                    "write it as sbatch printed it",
                )
            if self.state in ("checked", "submitted") or self.force or self.arguments:
                raise UserError(
                    "the option script, to submit a job",
                    "job_id",
                    "give script, or state: completed or cancelled without force and arguments",
                )
        for path in self.relies_on:
            require_absolute("relies_on", path)
        for name, value, least in (("timeout", self.timeout, 1), ("tail", self.tail, 0)):
            if value is not None and value < least:
                raise UserError("%s to be at least %d" % (name, least), str(value), "correct it, or leave it out")

    def diff(self, changed: bool) -> dict[str, str]:
        """What is submitted or cancelled, for ``--diff``."""
        what = self.script or "job %s" % self.job_id
        action = "cancelled" if self.state == "cancelled" else " ".join(["sbatch", *self.arguments])
        after = "%s: %s\n" % (what, action)
        return {
            "before": "" if changed else after,
            "after": after,
            "before_header": what,
            "after_header": what,
        }
