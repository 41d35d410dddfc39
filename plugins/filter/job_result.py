# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter job_result: the entry point of plugin_utils/_job_run.py."""

from __future__ import annotations

DOCUMENTATION = r"""
name: job_result
short_description: Tell how a job script has ended
version_added: 1.0.0
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Role C(job_script) makes the fact C(job_script_result) with it, of what ran the script.
positional: _input
extends_documentation_fragment:
  - hpc.pytorch.job_run
"""

EXAMPLES = r"""
- name: Keep the result
  ansible.builtin.set_fact:
    job_script_result: >-
      {{ ran | hpc.pytorch.job_result(script='/home/alice/test.sh', seconds=600, tail=20, ping=0, patience=5) }}
"""

RETURN = r"""
_value:
  description:
    - C(runner) (V(sbatch) or V(bash)), C(rc), C(job_id), C(output_file), C(tail), C(summary) and C(complaint), which is
      empty if the exit code is 0. V(null) if nothing ran.
  type: dict
"""

import typing as t

from ansible_collections.hpc.pytorch.plugins.plugin_utils import _job_run


def job_result(ran: _job_run.Ran, **asked: t.Any) -> _job_run.JobResult | None:
    """See DOCUMENTATION."""
    return _job_run.job_result(ran, _job_run.Asked.of(asked))


class FilterModule:
    """The filters of this file, for Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"job_result": job_result}
