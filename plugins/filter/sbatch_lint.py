# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter sbatch_lint: the entry point of module_utils/_slurm/lint."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sbatch_lint
short_description: Find the mistakes in a Slurm job script
version_added: 1.0.0
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Reads a job script as sbatch does and reports its mistakes line by line. It runs nothing of the script. If bash is
    on the controller, C(bash -n) checks the syntax.
  - >-
    A comment such as C(# sbatch-lint: ignore=no-mem) in the script says what is intended.
  - C(docs/job-lint.md) explains each code and these comments.
extends_documentation_fragment:
  - hpc.pytorch.lint
  - hpc.pytorch.lint.text
positional: _input
options:
  _input:
    description: The text of the script.
    type: str
    required: true
seealso:
  - module: hpc.pytorch.sbatch_script
"""

EXAMPLES = r"""
- name: Every mistake
  ansible.builtin.debug:
    msg: "{{ lookup('ansible.builtin.file', 'job.sh', rstrip=false) | hpc.pytorch.sbatch_lint }}"

- name: What concerns the Slurm of this cluster
  ansible.builtin.debug:
    msg: "{{ lookup('ansible.builtin.file', 'job.sh', rstrip=false) | hpc.pytorch.sbatch_lint(slurm_version='23.11') }}"

- name: Refuse a script that sbatch would refuse
  ansible.builtin.assert:
    that: errors | length == 0
    fail_msg: "{{ errors | map(attribute='message') | join('; ') }}"
  vars:
    errors: >-
      {{ lookup('ansible.builtin.file', 'job.sh', rstrip=false) | hpc.pytorch.sbatch_lint(ignore=['no-mem'])
         | selectattr('severity', 'eq', 'error') }}
"""

RETURN = r"""
_value:
  description: The findings, by line.
  type: list
  elements: dict
  contains:
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


def sbatch_lint(text: t.Any, ignore: t.Sequence[str] = (), slurm_version: t.Any = None) -> list[dict[str, t.Any]]:
    """Find the mistakes in a job script; see DOCUMENTATION."""
    # Not before: Ansible loads all filters of a collection with the first one.
    from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.bash.syntax import messages
    from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.lint.finding import known_codes
    from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.lint.script import lint
    from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch.version import parse

    if not isinstance(text, str):
        raise AnsibleFilterError(
            "sbatch_lint: expected the input to be the text of a script; found %s; remedy: read the file first"
            % type(text).__name__
        )
    try:
        ignored = known_codes(ignore)
        slurm = parse(None if slurm_version is None else str(slurm_version))
    except UserError as error:
        raise AnsibleFilterError("sbatch_lint: %s" % error) from error
    return [finding._asdict() for finding in lint(text, slurm, syntax=messages) if finding.code not in ignored]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"sbatch_lint": sbatch_lint}
