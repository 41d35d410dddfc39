# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter ondemand_app_files: the entry point of plugin_utils/_ondemand."""

from __future__ import annotations

DOCUMENTATION = r"""
name: ondemand_app_files
short_description: Build the form of a JupyterLab session in Open OnDemand from what Slurm has
version_added: 1.0.0
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Returns the files of an app of Open OnDemand that depend on the cluster, C(manifest.yml), C(form.yml.erb) and
    C(submit.yml.erb), and C(choices.json), which has the same choices for another portal.
  - The form offers what Slurm accepts for a session on one node, and nothing else. C(docs/guide/ondemand.md) explains
    what it leaves out and why.
  - The role P(hpc.pytorch.ondemand_app#role) uses it.
positional: _input
options:
  _input:
    description: What M(hpc.pytorch.slurm_info) returned with O(hpc.pytorch.slurm_info#module:access=true).
    type: dict
    required: true
  title:
    description: The name of the app in Open OnDemand.
    type: str
    default: JupyterLab
  description:
    description: What the app is, a sentence for its users.
    type: str
    default: JupyterLab on a compute node
  cluster:
    description: The name of the cluster in Open OnDemand. By default its name in Slurm.
    type: str
    default: ""
  jupyter_prefix:
    description: Where JupyterLab is on the compute nodes, an absolute path.
    type: path
    default: /opt/conda
  max_hours:
    description: The longest session, in hours.
    type: int
    default: 24
  accounts:
    description: The accounts that a user may choose. By default there is no such field, and Slurm takes the user's own.
    type: list
    elements: str
    default: []
  qos:
    description: The qualities of service that a user may choose. By default there is no such field.
    type: list
    elements: str
    default: []
  submit_host:
    description: The name of the portal in Slurm, for partitions that accept jobs from some hosts only.
    type: str
    default: ""
  exclude:
    description: Partitions that the form leaves out.
    type: list
    elements: str
    default: []
  features:
    description:
      - The features of nodes that a user may choose. By default there is no such field.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: See what the cluster has
  hpc.pytorch.slurm_info:
    access: true
  register: slurm

- name: Show the choices
  ansible.builtin.debug:
    msg: "{{ (slurm | hpc.pytorch.ondemand_app_files)['choices.json'] | from_json }}"
"""

RETURN = r"""
_value:
  description: The text of each file, by its path in the app's folder.
  type: dict
"""

import re
import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError, shown
from ansible_collections.hpc.pytorch.plugins.module_utils._common.values import listed


def ondemand_app_files(
    slurm: t.Mapping[str, t.Any],
    title: str = "JupyterLab",
    description: str = "JupyterLab on a compute node",
    cluster: str = "",
    jupyter_prefix: str = "/opt/conda",
    max_hours: int = 24,
    accounts: t.Sequence[str] = (),
    qos: t.Sequence[str] = (),
    submit_host: str = "",
    exclude: t.Sequence[str] = (),
    features: t.Sequence[str] = (),
) -> dict[str, str]:
    """See the documentation above."""
    # Not before: Ansible loads all filters of a collection with the first one.
    from ansible_collections.hpc.pytorch.plugins.plugin_utils._ondemand.app import App, files
    from ansible_collections.hpc.pytorch.plugins.plugin_utils._ondemand.choices import Rules

    try:
        app = App(str(title), str(description), str(cluster), _absolute(jupyter_prefix))
        rules = Rules(
            _hours(max_hours),
            _names(accounts),
            _names(qos),
            str(submit_host),
            _names(exclude),
            _features(_names(features)),
        )
        return files(slurm, app, rules)
    except UserError as error:
        raise AnsibleFilterError("ondemand_app_files: %s" % error) from error


def _absolute(given: t.Any) -> str:
    if not isinstance(given, str) or not given.startswith("/"):
        raise UserError("jupyter_prefix to be an absolute path", shown(given), "give one, such as /opt/conda")
    return given


def _hours(given: t.Any) -> int:
    # From the command line it is a text.
    if isinstance(given, str) and re.fullmatch("[0-9]{1,6}", given):
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise UserError("max_hours to be a number of hours from 1", str(given), "give one, such as 24")
    return given


def _names(given: t.Any) -> tuple[str, ...]:
    return tuple(str(name) for name in listed(given))


def _features(given: tuple[str, ...]) -> tuple[str, ...]:
    """The names of features; --constraint takes & | * [ ] ( ) and commas for more than a name."""
    wrong = [name for name in given if not re.fullmatch(r"[A-Za-z0-9_][\w.:+-]*", name)]
    if wrong:
        raise UserError("features to be names, of the characters A-Z a-z 0-9 _ . : + -", wrong[0], "correct it")
    return tuple(dict.fromkeys(given))


class FilterModule:
    """The filters of this file, for Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"ondemand_app_files": ondemand_app_files}
