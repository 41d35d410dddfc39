# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter torch_env_plan: the entry point of plugin_utils/_torch_env/plan.py."""

from __future__ import annotations

DOCUMENTATION = r"""
name: torch_env_plan
short_description: Plan a torch environment
version_added: 1.0.0
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Turns the variables of the role P(hpc.pytorch.torch_env#role) into the arguments of M(hpc.pytorch.conda_env). If a
    GPU, a driver or a CUDA is declared, it chooses the build of torch with P(hpc.pytorch.torch_build#filter).
  - It fails if no build fits, or if packages are asked for that would bring a second torch.
  - It belongs to that role.
positional: _input
options:
  _input:
    description:
      - The variables of the role without their prefix C(torch_env_), all that are required. V(channels) is null for
        C(conda_channels), which are V(site_channels). V(drivers) are the driver versions of the nodes.
    type: dict
    required: true
    suboptions:
      python: {description: Python's version or empty., type: str, required: true}
      torch: {description: Torch's version or empty., type: str, required: true}
      cuda: {description: The CUDA that torch is built for or empty., type: raw, required: true}
      source: {description: Where torch comes from or empty., type: str, required: true}
      gpus: {description: The GPU types., type: list, elements: raw, required: true}
      drivers: {description: The driver versions., type: list, elements: str, required: true}
      builds: {description: Rows for the data of the filter torch_build., type: dict, required: true}
      wheels_url: {description: The address of PyTorch's indexes of wheels., type: str, required: true}
      companions: {description: The companions of the build., type: list, elements: str, required: true}
      packages: {description: Further match specs., type: list, elements: str, required: true}
      pip: {description: Further lines of a requirements file., type: list, elements: str, required: true}
      channels: {description: The channels or null., type: list, elements: str, required: true}
      site_channels: {description: The channels of the site., type: list, elements: str, required: true}
      glibc: {description: The versions of the machines' C library., type: list, elements: str, default: []}
      platform: {description: The platform of the machines or empty., type: str, default: ""}
"""

EXAMPLES = r"""
- name: Show what an environment for an A100 consists of
  ansible.builtin.debug:
    msg: "{{ asked | hpc.pytorch.torch_env_plan }}"
  vars:
    asked:
      python: ""
      torch: ""
      cuda: ""
      source: ""
      gpus: [a100]
      drivers: [550.54.15]
      builds: {}
      wheels_url: https://download.pytorch.org/whl
      companions: [torchvision]
      packages: [numpy]
      pip: []
      channels: null
      site_channels: [conda-forge]
"""

RETURN = r"""
_value:
  description: The plan.
  type: dict
  contains:
    build:
      description: The answer of P(hpc.pytorch.torch_build#filter), or an empty mapping if no build was chosen.
      type: dict
    messages:
      description: One line about the choice, and one for each warning. Empty if no build was chosen.
      type: list
      elements: str
    packages:
      description: Match specs.
      type: list
      elements: str
    pip:
      description: Lines of a pip requirements file.
      type: list
      elements: str
    channels:
      description: Channels, the one with the highest priority first.
      type: list
      elements: str
    cuda:
      description: The value of C(__cuda) for the solver, or empty.
      type: str
    key:
      description: A hash of the request without credentials. It names an environment of the site.
      type: str
    expect_torch:
      description: The option of that name of M(hpc.pytorch.conda_env).
      type: dict
"""

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError


def torch_env_plan(asked: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """See DOCUMENTATION."""
    # Not before: Ansible loads all filters of a collection with the first one.
    from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_env.plan import Asked, plan

    try:
        return plan(Asked.of(asked))._asdict()
    except UserError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """The filters of this file, for Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"torch_env_plan": torch_env_plan}
