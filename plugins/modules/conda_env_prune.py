#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: conda_env_prune
short_description: Remove the versions of a site env that nothing may use any more
version_added: 0.1.0
description:
  - Role P(hpc.pytorch.torch_env#role) publishes a site env as a symlink O(envs_dir)/O(name) to a prefix below
    C(ENVS/.NAME), and leaves the prefixes before it where they are. This module says which of them may go, and why each
    other one stays; with O(confirm) it removes them.
  - A version stays while it is published, while any symlink in O(envs_dir) leads to it, while a process of this machine
    runs there, stands there, holds a file of it open or has it in its environment, while a job of Slurm that has not
    ended names it or was submitted before the name left it, and while a venv, a Jupyter kernel, a C(.pth) file or a
    user's C(environments.txt) names it.
  - What cannot be seen is a reason to stay. Processes of other nodes cannot be seen from here. The rule on jobs and
    O(older_than) are there for them.
  - A version is taken away by one rename, looked for once more, then deleted with its lock file. What an interrupted
    removal left is deleted by the next one.
author: hpc.pytorch contributors (@hpc-pytorch)
extends_documentation_fragment:
  - hpc.pytorch.attributes
  - hpc.pytorch.attributes.action_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - The diff is the list of prefixes.
options:
  envs_dir:
    description: Folder that the env is published in.
    type: path
    required: true
  name:
    description: Name of the env.
    type: str
    required: true
  keep:
    description: How many versions stay to go back to, besides the published one. Those that were published last.
    type: int
    default: 1
  older_than:
    description: Days that a version stays after the name has left it.
    type: int
    default: 7
  homes:
    description:
      - Globs of homes whose venvs (two folders deep), kernels, C(.pth) files, start files of the shell and
        C(environments.txt) are looked at.
      - A home that cannot be read keeps every version, as with a file system that does not let root in. An empty list
        says that homes do not matter.
    type: list
    elements: path
    default: [/home/*, /root]
  layers:
    description: Globs of further folders that hold venvs or kernels, such as those of projects.
    type: list
    elements: path
    default: []
  named_in:
    description: Globs of further files that may name a version, such as modulefiles.
    type: list
    elements: path
    default: []
  slurm:
    description: Whether Slurm is asked for jobs, where it is there. Where it does not answer, every version stays.
    type: bool
    default: true
  bin_dir:
    description: Folder of Slurm's commands, where they are not on E(PATH).
    type: path
  confirm:
    description: Whether to remove what may go. Without it this module only says what that is.
    type: bool
    default: false
notes:
  - Run it as root, on a login node. Whoever cannot see other users' processes is told that every version stays.
  - The C(mtime) of C(VERSION.switched) beside a version says when the name came to it or left it. Where the symlink is
    newer than that of the published version (it was set by hand), its own time counts for every version.
seealso:
  - module: hpc.pytorch.conda_env
"""

EXAMPLES = r"""
- name: What may go, and why the rest stays
  hpc.pytorch.conda_env_prune:
    envs_dir: /opt/app/anaconda3/envs
    name: torch
  register: old_torch

- name: Remove it
  hpc.pytorch.conda_env_prune:
    envs_dir: /opt/app/anaconda3/envs
    name: torch
    keep: 2
    older_than: 30
    homes: ["/home/*", "/project/*/home/*"]
    named_in: [/opt/app/modulefiles/**/*.lua]
    confirm: true
"""

RETURN = r"""
envs_dir:
  description: The folder that the env is published in.
  type: str
  returned: success
published:
  description: The prefix that bears the name; empty where none does.
  type: str
  returned: success
removable:
  description: What may go.
  type: list
  elements: dict
  returned: success
  contains:
    prefix:
      description: The prefix, or what an interrupted removal or creation left.
      type: str
    bytes:
      description: What its removal frees. A file with a hard link elsewhere frees nothing.
      type: int
removed:
  description: What went, or would in check mode. Empty without confirm.
  type: list
  elements: dict
  returned: success
  contains:
    prefix:
      description: As in RV(removable).
      type: str
    bytes:
      description: As in RV(removable).
      type: int
freed_bytes:
  description: What the removal freed, or would.
  type: int
  returned: success
kept:
  description: What stays.
  type: list
  elements: dict
  returned: success
  contains:
    prefix:
      description: The prefix.
      type: str
    reasons:
      description: Why it stays.
      type: list
      elements: str
  sample:
    - prefix: /opt/app/anaconda3/envs/.torch/1f0c2f5ad1c1
      reasons: [process 4711 (python of uid 1000)]
ignored:
  description: What lies among the versions and is none. It is left alone.
  type: list
  elements: str
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hpc.pytorch.plugins.module_utils._common.exit import answer
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.prune.declare import prune_envs


def main():
    module = AnsibleModule(
        argument_spec={
            "envs_dir": {"type": "path", "required": True},
            "name": {"type": "str", "required": True},
            "keep": {"type": "int", "default": 1},
            "older_than": {"type": "int", "default": 7},
            "homes": {"type": "list", "elements": "path", "default": ["/home/*", "/root"]},
            "layers": {"type": "list", "elements": "path", "default": []},
            "named_in": {"type": "list", "elements": "path", "default": []},
            "slurm": {"type": "bool", "default": True},
            "bin_dir": {"type": "path"},
            "confirm": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    answer(module, lambda: prune_envs(module.params, module.check_mode))


if __name__ == "__main__":
    main()
