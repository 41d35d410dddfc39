#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: conda_env_prune
short_description: Remove the versions of a site env that nothing uses any more
version_added: 1.0.0
description:
  - Role P(hpc.pytorch.torch_env#role) publishes a site env as a symlink O(envs_dir)/O(name) to a prefix below
    C(ENVS/.NAME), and keeps the earlier prefixes. This module lists the ones that can be removed, and why each other
    one stays; with O(confirm) it removes them.
  - A version stays while it is published; while any symlink in O(envs_dir) leads to it; while a process of this machine
    runs in it, has it as its working folder or in its environment, or holds a file of it open; while a Slurm job that
    has not ended names it, or was submitted before another version was published; and while a venv, a Jupyter kernel, a
    C(.pth) file or a user's C(environments.txt) names it.
  - If something cannot be checked, every version stays. Processes of other nodes cannot be checked from here; the rule
    on jobs and O(older_than) protect what they use.
  - A version is renamed, its use is checked once more, then it is deleted with its lock file. The next run deletes what
    an interrupted removal left.
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
    description: Folder in which the env is published.
    type: path
    required: true
  name:
    description: Name of the env.
    type: str
    required: true
  keep:
    description: How many earlier versions stay as rollback targets, the ones that were published last.
    type: int
    default: 1
  older_than:
    description: Days that a version stays after another one was published.
    type: int
    default: 7
  homes:
    description:
      - Globs of home directories in which venvs (two folders deep), kernels, C(.pth) files, start files of the shell
        and C(environments.txt) are read.
      - If a home directory cannot be read, every version stays, as on a file system that keeps root out. Set an empty
        list if home directories do not matter.
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
    description: Whether to read the jobs of Slurm, if it is installed. If it does not answer, every version stays.
    type: bool
    default: true
  bin_dir:
    description: Folder of Slurm's commands, if they are not on E(PATH).
    type: path
  confirm:
    description: Whether to remove versions. Without it this module only lists the ones that can be removed.
    type: bool
    default: false
notes:
  - Run it as root, on a login node. Without root, other users' processes cannot be read, so every version stays.
  - The C(mtime) of the file C(VERSION.switched) next to a version is the time when it was last published or replaced.
    If the symlink is newer than that file of the published version (it was set by hand), its own time counts for every
    version.
seealso:
  - module: hpc.pytorch.conda_env
"""

EXAMPLES = r"""
- name: What can be removed, and why the rest stays
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
  description: The folder in which the env is published.
  type: str
  returned: success
published:
  description: The published prefix; empty if there is none.
  type: str
  returned: success
removable:
  description: What can be removed.
  type: list
  elements: dict
  returned: success
  contains:
    prefix:
      description: The prefix, or what an interrupted removal or creation left.
      type: str
    bytes:
      description: How many bytes its removal frees. A file with a hard link elsewhere frees none.
      type: int
removed:
  description: What was removed, or would be in check mode. Empty without O(confirm).
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
  description: How many bytes the removal freed, or would free.
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
  description: Entries in the folder that are not versions. They are not touched.
  type: list
  elements: str
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hpc.pytorch.plugins.module_utils._common.exit import answer
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.prune.declare import Options, prune_envs


def main() -> None:
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
    answer(module, lambda: prune_envs(Options(**module.params), module.check_mode))


if __name__ == "__main__":
    main()
