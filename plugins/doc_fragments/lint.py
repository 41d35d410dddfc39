# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation that the filters of the linters share."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  ignore:
    description: Codes of mistakes that are not reported.
    type: list
    elements: str
    default: []
"""
    TEXT = r"""
options:
  slurm_version:
    description:
      - The version of the cluster's Slurm, such as V("22.05"). By default it is not known, and a finding that
        depends on it names the versions.
    type: str
"""
    FILES = r"""
options:
  slurm_version:
    description:
      - The version of the cluster's Slurm, such as V("22.05"), or V(unknown). By default C(sbatch --version) is asked
        if sbatch is on E(PATH).
    type: str
"""
