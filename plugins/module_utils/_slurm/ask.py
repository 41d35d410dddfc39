# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cluster says of itself, where its Slurm answers on this machine, and soon. Private to hpc.pytorch."""

from __future__ import annotations

from .._common.errors import UserError
from .client import Slurm, SlurmError
from .model.cluster import Cluster

_SECONDS = 5


def cluster(required: bool) -> Cluster | None:
    """The cluster, or None where no Slurm answers.

    :arg required: whether that is an error.
    :raises UserError: it is, and none answers.
    """
    try:
        return Slurm(seconds=_SECONDS).cluster()
    except UserError as error:
        why = error.found
    except SlurmError as error:
        why = str(error)
    if required:
        raise UserError(
            "Slurm to answer here, as check_cluster is true",
            why,
            "run this on a login node, or leave check_cluster out",
        )
    return None
