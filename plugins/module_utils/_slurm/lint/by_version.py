# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which versions of Slurm have a trap that the linter reports. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

Version = t.Optional[t.Sequence[int]]


class Trap(t.NamedTuple):
    """What some versions of Slurm do.

    :arg since: the first release that has it.
    :arg before: the first release after that.
    :arg which: these releases, for a message about a Slurm of unknown version.
    :arg source: a file in the repository SchedMD/slurm.
    """

    since: tuple[int, int]
    before: tuple[int, int]
    which: str
    source: str

    def of(self, version: Version) -> str:
        """Who has it: ``Slurm 22.05`` for that version, all releases for an unknown one; empty if it has not."""
        if not version:
            return self.which
        release = tuple(version[:2])
        return "Slurm %d.%02d" % release if self.since <= release < self.before else ""


# It makes the folders of --output and --error; their paths may have %j and the like.
NO_FOLDER = Trap((0, 0), (23, 2), "Slurm before 23.02", "CHANGELOG/slurm-23.02.md, 23.02.0rc1; slurmstepd's io.c")
# srun reads SRUN_CPUS_PER_TASK alone.
SRUN_CPUS = Trap(
    (22, 5), (23, 11), "Slurm 22.05 to 23.02", "CHANGELOG/slurm-22.05.md, 22.05.0rc1; slurm-23.11.md, 23.11.0rc1"
)
# Earlier ones add up the events of all --mail-type.
LAST_MAIL_TYPE = Trap((25, 5), (999, 0), "Slurm since 25.05", "CHANGELOG/slurm-25.05.md, 25.05.0rc1")

# The codes of findings that are others for another version.
DEPENDENT = frozenset(("output-folder", "srun-cpus", "repeated-directive"))
