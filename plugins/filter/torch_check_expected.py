# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter torch_check_expected: the entry point of plugin_utils/_torch_check/expectation.py."""

from __future__ import annotations

DOCUMENTATION = r"""
name: torch_check_expected
short_description: Read what an inventory says about the GPUs of a host
version_added: 1.0.0
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Reads C(hpc_gpu_count), C(hpc_gpu_type) and C(slurm_gres), which the inventory P(hpc.pytorch.slurm#inventory) sets.
  - If one of them says that the host has a GPU, at least one is expected. A process sees one slice of a GPU (MIG), so
    no exact number of slices is expected.
  - It belongs to the role P(hpc.pytorch.torch_check#role).
positional: _input, types, gres, groups
options:
  _input:
    description: The number of GPUs, C(hpc_gpu_count), or null.
    type: raw
    required: true
  types:
    description: The type or types of the GPUs, C(hpc_gpu_type).
    type: raw
  gres:
    description: The generic resources that Slurm has for the host, C(slurm_gres).
    type: raw
  groups:
    description: The groups of the host, C(group_names). A host of V(login) that is not in V(compute) has no GPU.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: A node of eight slices is expected to have at least one GPU
  ansible.builtin.debug:
    msg: "{{ 8 | hpc.pytorch.torch_check_expected('a100_1g.5gb') }}"
"""

RETURN = r"""
_value:
  description: What to expect.
  type: dict
  contains:
    cuda:
      description: Whether there are GPUs; null for no expectation.
      type: bool
    devices:
      description: How many GPUs a process sees; null for no expectation.
      type: int
    gpu:
      description: Their types.
      type: list
      elements: str
    source:
      description: V(slurm) if all of this comes from Slurm's GRES, V(site) otherwise.
      type: str
"""

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.plugin_utils._core import require_core
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_check.expectation import expectation, whole


def torch_check_expected(
    count: t.Any, types: t.Any = None, gres: t.Any = None, groups: t.Sequence[str] = ()
) -> dict[str, t.Any]:
    """See DOCUMENTATION."""
    try:
        # The role's first template: with an older ansible-core the next ones would give text where none is meant.
        require_core()
        if count is not None and whole(count) is None:
            raise UserError("hpc_gpu_count to be the number of GPUs", repr(count), "correct it, or leave it out")
    except UserError as error:
        raise AnsibleFilterError(str(error)) from error
    variables = {"hpc_gpu_count": count, "hpc_gpu_type": types, "slurm_gres": gres}
    found = expectation(variables, "login" in groups and "compute" not in groups)
    return dict(found._asdict(), gpu=list(found.gpu))


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"torch_check_expected": torch_check_expected}
