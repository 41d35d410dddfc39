# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter sbatch_lint_files: what the command sbatch-lint finds, for a playbook."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sbatch_lint_files
short_description: Find the mistakes in Slurm job scripts on the controller
version_added: 1.0.0
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Reads job scripts as the command C(sbatch-lint) does, see P(hpc.pytorch.user_tools#role), and returns its findings.
  - C(docs/job-lint.md) explains each code.
positional: _input
options:
  _input:
    description: Paths on the controller, absolute or relative to the current folder.
    type: list
    elements: path
    required: true
  ignore:
    description: Codes of mistakes that are not reported.
    type: list
    elements: str
    default: []
  slurm_version:
    description:
      - The version of the cluster's Slurm, such as V("22.05"), or V(unknown). By default C(sbatch --version) is asked
        if sbatch is on E(PATH).
    type: str
seealso:
  - plugin: hpc.pytorch.sbatch_lint
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Check two scripts for an older cluster
  ansible.builtin.debug:
    msg: "{{ ['train.sh', 'eval.sh'] | hpc.pytorch.sbatch_lint_files(slurm_version='22.05') }}"
"""

RETURN = r"""
_value:
  description: The findings, by file and line.
  type: list
  elements: dict
  contains:
    file:
      description: The path as given.
      type: path
    line:
      description: Number of the line, from 1.
      type: int
    code:
      description: The kind of mistake.
      type: str
      sample: misspelt-option
    severity:
      description: V(error) if sbatch refuses the script, otherwise V(warning).
      type: str
    message:
      description: What is wrong.
      type: str
    remedy:
      description: How to correct it.
      type: str
"""

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError


def sbatch_lint_files(
    paths: t.Sequence[str], ignore: t.Sequence[str] = (), slurm_version: t.Any = None
) -> list[dict[str, t.Any]]:
    """See the documentation above."""
    # Not before: Ansible loads all filters of a collection with the first one.
    from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.lint.finding import known_codes
    from ansible_collections.hpc.pytorch.plugins.module_utils._user_tools.lint.findings import check, version_of

    try:
        ignored = known_codes(ignore)
        slurm = version_of(None if slurm_version is None else str(slurm_version))
        checked = [check(path, ignored, slurm) for path in paths]
        return [dict(file=each.path, **found._asdict()) for each in checked for found in each.findings]
    except UserError as error:
        raise AnsibleFilterError("sbatch_lint_files: %s" % error) from error


class FilterModule:
    """The filters of this file, for Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"sbatch_lint_files": sbatch_lint_files}
