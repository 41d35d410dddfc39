#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: conda_env_info
short_description: Read what a conda environment holds, and whether it is complete
version_added: 1.0.0
description:
  - Reads an env's own records. It uses no engine, solver or network, and executes no program of the env.
author: hpc.pytorch contributors (@hpc-pytorch)
extends_documentation_fragment:
  - hpc.pytorch.attributes
  - hpc.pytorch.attributes.info_module
  - hpc.pytorch.attributes.action_group
options:
  prefix:
    description: Absolute path of the env. Set this or O(name).
    type: path
  name:
    description: Name of the env, a folder below O(envs_dir).
    type: str
  envs_dir:
    description: Folder that holds envs by name.
    type: path
    default: ~/.conda/envs
  verify:
    description: Whether to read every file and name the packages whose files were deleted or changed.
    type: bool
    default: false
seealso:
  - module: hpc.pytorch.conda_env
"""

EXAMPLES = r"""
- name: What is in my env
  hpc.pytorch.conda_env_info:
    name: torch
  register: torch_env

- name: Continue only with a complete env
  ansible.builtin.assert:
    that: torch_env.state == 'env'
"""

RETURN = r"""
prefix:
  description: Absolute path of the env, symlinks resolved.
  type: str
  returned: always
state:
  description:
    - V(env) is a complete env. V(unfinished) was interrupted while being changed; run conda_env again to repair it.
      V(absent) is no path, V(empty) a folder without entries, V(other) anything else.
  type: str
  returned: always
  sample: env
base:
  description: Whether the env is a base, which holds conda itself.
  type: bool
  returned: always
engine:
  description: The engine that last changed it, if that was done by conda_env.
  type: str
  returned: always
packages:
  description:
    - The packages of the env.
    - If pip replaced what a package brought, the entry has pip's version, which Python imports, with build V(pypi_0)
      and channel V(pypi), as C(conda list) shows it.
  type: list
  elements: dict
  returned: always
  contains:
    name:
      description: Name of the package.
      type: str
    version:
      description: Version.
      type: str
    build:
      description: Build string.
      type: str
    channel:
      description: The channel that it came from, without credentials.
      type: str
replaced:
  description: The packages whose distribution pip replaced. Their records still have the old version.
  type: list
  elements: dict
  returned: always
  contains:
    name:
      description: Name of the package.
      type: str
    distribution:
      description: Name of the distribution, which may differ, such as torch for pytorch.
      type: str
    recorded:
      description: The version in conda's record.
      type: str
    imported:
      description: The version that pip installed, and that Python imports.
      type: str
problems:
  description: Records that could not be read, one line each. Their packages are missing in RV(packages).
  type: list
  elements: str
  returned: always
damaged:
  description: Names of packages with deleted or changed files, symlinks that lead elsewhere, or lost permissions.
  type: list
  elements: str
  returned: when verify is true
damaged_pip:
  description: Names of distributions that pip did not finish, or whose files were deleted or changed.
  type: list
  elements: str
  returned: when verify is true
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hpc.pytorch.plugins.module_utils._common.exit import answer
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env.describe import Options
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.site_packages.imported import describe_imported


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "prefix": {"type": "path"},
            "name": {"type": "str"},
            "envs_dir": {"type": "path", "default": "~/.conda/envs"},
            "verify": {"type": "bool", "default": False},
        },
        mutually_exclusive=[("prefix", "name")],
        required_one_of=[("prefix", "name")],
        supports_check_mode=True,
    )
    answer(module, lambda: describe_imported(Options(**module.params)))


if __name__ == "__main__":
    main()
