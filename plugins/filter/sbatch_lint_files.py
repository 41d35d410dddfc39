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
extends_documentation_fragment:
  - hpc.pytorch.lint
  - hpc.pytorch.lint.files
positional: _input
options:
  _input:
    description: Paths on the controller, absolute or relative to the current folder.
    type: list
    elements: path
    required: true
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


def sbatch_lint_files(
    paths: t.Sequence[str], ignore: t.Sequence[str] = (), slurm_version: t.Any = None
) -> list[dict[str, t.Any]]:
    """See the documentation above."""
    # Not before: Ansible loads all filters of a collection with the first one.
    from ansible_collections.hpc.pytorch.plugins.module_utils._user_tools.lint.sbatch_lint import LINTER
    from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_tools.lint_files import lint_files

    return lint_files("sbatch_lint_files", LINTER, paths, ignore, slurm_version)


class FilterModule:
    """The filters of this file, for Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"sbatch_lint_files": sbatch_lint_files}
