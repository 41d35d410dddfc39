#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: user_guide_run
version_added: 1.0.0
short_description: Run the commands of a guide's page as one of its readers does
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Reads the commands of the Markdown pages O(pages), runs them in their order on the host, as the connecting user,
    and writes their outputs to O(outputs) on the controller. The role P(hpc.pytorch.user_guide#role) uses it; its
    README has the markers of a page.
  - The pages are one page in several languages, so they must have the same commands, which run once.
  - All commands of a page are given to one interactive login shell of bash. What one of them sets holds for the next.
    They read no input and have no terminal.
  - "Their home directory is a new one, made from C(/etc/skel) below C(~/.hpc_pytorch.guide): what a page adds to
    C(~/.bashrc) is tried, and the user's own files stay as they are. It is removed afterwards, with all processes that
    the commands have started in their session, and all jobs that they have submitted. If a command fails, the folder
    stays until the next run."
  - The environment of the commands holds nothing of the module's but its proxies.
  - Each command must succeed, not only the last one of its block. If one fails, so does the task, and O(outputs) is
    not changed.
  - In the outputs, the user's name and home directory are replaced by V(your-id) and C(/home/your-id). An output that
    differs from the last one only in times, numbers of jobs and similar values does not replace it, so that a second
    run changes nothing.
options:
  pages:
    description: The Markdown files of the page on the controller, one for each language.
    type: list
    elements: path
    required: true
  outputs:
    description: The YAML file on the controller that gets the outputs, by the IDs of the commands.
    type: path
    required: true
  'on':
    description:
      - Which commands to run, by the C(on) of their markers. The outputs of the others are kept.
      - Those of V(compute) are run by C(srun) from this host.
    type: list
    elements: str
    choices: [login, compute, jupyter]
    default: [login, compute]
  timeout:
    description: How many seconds each block of commands may take, and each job that it waits for.
    type: int
    default: 300
  links:
    description:
      - Files and folders of the user that the commands need, such as V(.conda/envs/torch), relative to the home
        directory. Each is a symlink in the new home directory, so a command that changes it changes the user's own.
    type: list
    elements: str
    default: []
  srun:
    description: Options of C(srun) for commands that run on a compute node, such as V(--partition=titan).
    type: list
    elements: str
    default: []
  page:
    description: Set by the action plugin; do not set it.
    type: str
  blocks:
    description: Set by the action plugin; do not set it.
    type: list
    elements: dict
    suboptions:
      id:
        description: Its ID.
        type: str
        required: true
      kind:
        description: Whether it is commands or a file.
        type: str
        choices: [run, file]
        required: true
      text:
        description: The commands, or the content of the file.
        type: str
        required: true
      'on':
        description: Where it runs.
        type: str
        choices: [login, compute, jupyter]
        required: true
      expect:
        description: The exit status that is right.
        type: int
        default: 0
      wait:
        description: Whether the jobs that it submits are waited for.
        type: bool
        default: false
      name:
        description: The name of the file.
        type: str
        default: ""
  progress_file:
    description: The file for progress that the action plugin shows; do not set it.
    type: path
extends_documentation_fragment:
  - hpc.pytorch.attributes.action
  - hpc.pytorch.attributes.action_group
attributes:
  check_mode:
    support: full
    description:
      - Reads the pages and reports mistakes in them. It runs no command, so it predicts a change only if there are no
        outputs yet.
  diff_mode:
    support: full
    description: Shows how the outputs change.
notes:
  - Root is refused. A program that leaves its session, such as by C(setsid), is not ended.
seealso:
  - module: hpc.pytorch.slurm_job
"""

EXAMPLES = r"""
- name: Run what the page says
  hpc.pytorch.user_guide_run:
    pages: [/srv/docs/pytorch.md, /srv/docs/pytorch.zh.md]
    outputs: /srv/docs/outputs.yml
    links: [.conda/envs/torch]
"""

RETURN = r"""
ran:
  description: The IDs of the blocks that were run, in their order.
  returned: success
  type: list
  elements: str
not_run:
  description: The reason of each block that is marked as not run, by its ID.
  returned: success
  type: dict
outputs:
  description: The output of each block, by its ID.
  returned: success
  type: dict
folder:
  description: The folder on the host that a failed block has left.
  returned: if a block failed
  type: str
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._common.exit import answer
from ..module_utils._files.progress import PROGRESS_OPTION, Progress
from ..module_utils._page_run.declare import run_page
from ..module_utils._page_run.request import Options

PLACES = ["login", "compute", "jupyter"]
# The action plugin checks its arguments against it.
ARGUMENT_SPEC: dict[str, t.Any] = {
    "pages": {"type": "list", "elements": "path", "required": True},
    "outputs": {"type": "path", "required": True},
    "on": {"type": "list", "elements": "str", "choices": PLACES, "default": ["login", "compute"]},
    "timeout": {"type": "int", "default": 300},
    "links": {"type": "list", "elements": "str", "default": []},
    "srun": {"type": "list", "elements": "str", "default": []},
    "page": {"type": "str"},
    "blocks": {
        "type": "list",
        "elements": "dict",
        "options": {
            "id": {"type": "str", "required": True},
            "kind": {"type": "str", "choices": ["run", "file"], "required": True},
            "text": {"type": "str", "required": True},
            "on": {"type": "str", "choices": PLACES, "required": True},
            "expect": {"type": "int", "default": 0},
            "wait": {"type": "bool", "default": False},
            "name": {"type": "str", "default": ""},
        },
    },
}


def main() -> None:
    module = AnsibleModule(argument_spec=dict(PROGRESS_OPTION, **ARGUMENT_SPEC), supports_check_mode=True)
    answer(module, lambda: run(module))


def run(module: AnsibleModule) -> dict[str, t.Any]:
    """Run the blocks that the action plugin has read."""
    params = dict(module.params, page=module.params["page"] or "", blocks=module.params["blocks"] or [])
    options = Options.of(params)
    with Progress(module.params["progress_file"]) as progress:
        return dict(run_page(options, progress), changed=False)


if __name__ == "__main__":
    main()
