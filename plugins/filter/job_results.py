# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter job_results: the entry point of plugin_utils/_job_run.py."""

from __future__ import annotations

DOCUMENTATION = r"""
name: job_results
short_description: Tell how each user's job script has ended
version_added: 1.0.0
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - For what M(hpc.pytorch.each_user) returned. Role C(job_script) makes the facts C(job_script_users_results) and
    C(job_script_users_failed) with it.
positional: _input
extends_documentation_fragment:
  - hpc.pytorch.job_run
"""

EXAMPLES = r"""
- name: Keep the results
  ansible.builtin.set_fact:
    ended: >-
      {{ ran | hpc.pytorch.job_results(script='~/test.sh', seconds=600, tail=20, ping=0, patience=5) }}
"""

RETURN = r"""
_value:
  description:
    - In C(jobs), by the user's name, what the filter P(hpc.pytorch.job_result#filter) returns.
    - In C(shown), lines for a person about each user's job.
    - In C(failed), an entry as P(hpc.pytorch.user_failures#filter) makes it for each user whose script did not run, or
      failed.
  type: dict
"""

import typing as t

from ansible_collections.hpc.pytorch.plugins.plugin_utils import _job_run


def job_results(registered: _job_run.Ran, **asked: t.Any) -> dict[str, t.Any]:
    """See DOCUMENTATION."""
    jobs, failed = _job_run.results_of_users(registered, _job_run.Asked.of(asked))
    return {"jobs": jobs, "failed": failed, "shown": _job_run.shown(jobs)}


class FilterModule:
    """The filters of this file, for Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"job_results": job_results}
