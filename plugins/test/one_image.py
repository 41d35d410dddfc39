# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test one_image: whether one image fits several hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: one_image
short_description: Check that hosts can boot the same image
version_added: 1.0.0
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Fails with a message that names two hosts if a variable that decides what the node layer writes differs between
    them.
  - The playbook hpc.pytorch.node uses it for C(node_root) and C(node_tar).
positional: _input, variables
options:
  _input:
    description: The names of the hosts.
    type: list
    elements: str
    required: true
  variables:
    description: The variables of each host, as C(hostvars) has them.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Check that all hosts of the play can boot the same image
  ansible.builtin.assert:
    that: ansible_play_hosts_all is hpc.pytorch.one_image(hostvars)
"""

RETURN = r"""
_value:
  description: Always true, as another answer is an error.
  type: bool
"""

import typing as t

import jinja2
from ansible.errors import AnsibleTemplateError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError

# What the files depend on. A test compares them with the roles' variables.
NAMES = (
    *("conda_prefix", "conda_expose", "conda_profile_dir", "conda_modulefiles_dir", "conda_module_path_profile"),
    *("cuda_home", "cuda_expose", "cuda_profile_dir", "cuda_ld_library_path", "cuda_lib_folder"),
    *("node_root", "node_tar"),
)

# Of these, no value and an empty one are the same.
EMPTY_BY_DEFAULT = ("cuda_home", "cuda_lib_folder", "cuda_ld_library_path")


def require_one_image(hosts: t.Sequence[str], variables: t.Mapping[str, t.Mapping[str, t.Any]]) -> None:
    """Refuse hosts that need different images.

    :arg variables: those of each host.
    :raises UserError: what belongs in the image differs between two of them.
    """
    if not hosts:
        raise UserError("hosts for which the image is", "none", "check --limit and node_image_for")
    first = hosts[0]
    for host in hosts[1:]:
        for name in NAMES:
            expected, found = _value(variables[first], name), _value(variables[host], name)
            if found != expected:
                raise UserError(
                    "one %s for all hosts that boot the image" % name,
                    "%s for %s and %s for %s" % (_shown(expected), first, _shown(found), host),
                    "write an image for each kind of host: run the playbook for one kind at a time with --limit and"
                    " with another node_root or node_tar",
                )


def _value(variables: t.Mapping[str, t.Any], name: str) -> t.Any:
    """A host's own value, None without one."""
    value = variables.get(name)
    if isinstance(value, jinja2.Undefined):
        # Made from a default of the roles, which is the same for all. What else it is made from is compared itself.
        return None
    return (value or None) if name in EMPTY_BY_DEFAULT else value


def _shown(value: t.Any) -> str:
    return "none" if value is None else repr(value)


def one_image(hosts: t.Sequence[str], variables: t.Mapping[str, t.Mapping[str, t.Any]]) -> bool:
    """See the documentation above."""
    try:
        require_one_image(hosts, variables)
    except UserError as error:
        raise AnsibleTemplateError(str(error)) from error
    return True


class TestModule:
    """The tests of this file, for Ansible."""

    def tests(self) -> dict[str, t.Callable[..., bool]]:
        return {"one_image": one_image}
