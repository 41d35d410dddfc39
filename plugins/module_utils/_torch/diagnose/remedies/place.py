# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a process runs, and what that changes about a remedy. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ...report import Report


class Place(t.NamedTuple):
    """Where the probe ran, as surroundings.py of the probe describes it.

    :arg container: what runs the container; None outside of one.
    :arg slurm: whether the process is in a cgroup of Slurm's.
    :arg job: whether it is in a job.
    :arg wsl: whether this is Windows' Linux (WSL).
    :arg jetson: whether this is one of NVIDIA's Jetsons.
    :arg kfd: the error of opening AMD's device file, empty if it opens; None without one.
    :arg pci: how many of NVIDIA's GPUs are on the PCI bus; None if unknown.
    """

    container: str | None = None
    slurm: bool = False
    job: bool = False
    wsl: bool = False
    jetson: bool = False
    kfd: str | None = None
    pci: int | None = None

    @property
    def pass_in_gpus(self) -> str:
        """How to start this container with GPUs."""
        by_name = {
            "apptainer": "apptainer exec --nv",
            "kubernetes": "request nvidia.com/gpu in the pod's limits",
            "kubepods": "request nvidia.com/gpu in the pod's limits",
            "docker": "docker run --gpus all, or --device nvidia.com/gpu=all",
            "podman": "podman run --device nvidia.com/gpu=all",
            "libpod": "podman run --device nvidia.com/gpu=all",
        }
        default = "--nv, --gpus all or --device nvidia.com/gpu=all"
        return "start the container with its GPUs (%s)" % by_name.get(self.container or "", default)


def place_of(report: Report) -> Place:
    """Return where the probe ran; nothing is known if it did not report that."""
    if report.node is None:
        return Place()
    known = report.node.get("place") or {}
    return Place(job="SLURM_JOB_ID" in report.node["variables"], **known)
