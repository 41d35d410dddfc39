# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the filters job_result and job_results."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  _input:
    description: What the task registered.
    type: dict
    required: true
  script:
    description: The path of the script.
    type: str
    required: true
  seconds:
    description: How long the job might wait and run.
    type: int
    required: true
  tail:
    description: How many last lines of its output the result has.
    type: int
    required: true
  ping:
    description: The exit code of C(scontrol ping). With V(0) the script ran through sbatch, else with bash.
    type: int
    required: true
  patience:
    description: How many seconds C(scontrol ping) had.
    type: int
    required: true
"""
