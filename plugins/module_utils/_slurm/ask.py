# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cluster says of itself, where its Slurm answers on this machine, and soon. Private to hpc.pytorch."""

from __future__ import annotations

import os
import shutil
import subprocess
import typing as t

from .._host.errors import UserError
from .cluster import Cluster, parse_cluster
from .commands import slurm_environment

_SECONDS = 5
_QUESTIONS = (["show", "config"], ["--oneliner", "show", "partition"], ["--oneliner", "show", "node"])


def cluster(required: bool) -> t.Optional[Cluster]:
    """The cluster, or None where no Slurm answers.

    :arg required: whether that is an error.
    :raises UserError: it is, and none answers.
    """
    program = shutil.which("scontrol")
    if program is None:
        return _silent(required, "no scontrol on PATH")
    texts: t.List[str] = []
    for question in _QUESTIONS:
        try:
            done = subprocess.run(
                [program, *question],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd="/",
                env=slurm_environment(os.environ),
                encoding="utf-8",
                errors="replace",
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return _silent(required, "scontrol did not answer within %d seconds" % _SECONDS)
        except OSError as error:
            return _silent(required, "scontrol cannot be started: %s" % error.strerror)
        if done.returncode:
            return _silent(required, done.stderr.strip() or "scontrol failed with exit code %d" % done.returncode)
        texts.append(done.stdout)
    return parse_cluster(*texts)


def _silent(required: bool, why: str) -> None:
    if required:
        raise UserError("Slurm to answer here, as check_cluster is true", why, "run this on a login node, or leave check_cluster out")
