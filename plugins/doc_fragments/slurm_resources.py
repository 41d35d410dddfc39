# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the options in _torch/fleet/resources.py."""

from __future__ import annotations


class ModuleDocFragment:
    # What stands between the marks comes from that list (make generate).
    DOCUMENTATION = r"""
options:
  # >>> generated: resources
  account:
    description: >-
      The account that the job is charged to, C(--account).
    type: str
  qos:
    description: >-
      The quality of service of the job, C(--qos).
    type: str
  reservation:
    description: >-
      The reservation that the job runs in, C(--reservation).
    type: str
  cpus_per_task:
    description: >-
      The number of CPUs of the job, C(--cpus-per-task).
    type: int
  mem:
    description: >-
      The memory on the node such as V(8G), C(--mem). If it is not set, Slurm's default.
    type: str
  # <<< generated: resources
"""
