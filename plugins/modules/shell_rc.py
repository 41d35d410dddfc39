#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: shell_rc
short_description: Keep the tail of C(~/.bashrc)
version_added: 1.0.0
author: "hpc.pytorch contributors (@hpc-pytorch)"
description:
  - Manages the end of a shell's rc file. CUDA's lines come first and conda's lines last, in whatever order they were
    requested. Lines that others appended later move above them, in their order. No line of the user is lost.
  - The file is replaced by one rename. Its mode, its owner, a symlink in its place, CRLF line ends and bytes that are
    not UTF-8 are kept. An unchanged file is not written.
  - Each block begins with a comment that holds a digest of each of its lines. A line that a user wrote or edited
    between the markers has no digest there. It is kept as the user's own line, and the requested line is written again.
  - An exact copy of one of the O(lines) outside the markers, such as the guide's line that a user added, becomes part
    of the block and is not doubled. In an C(if), a function or a here-document it stays where it is.
  - A line of the form C(export PATH="/.../anaconda3/bin:$PATH") that the user had put last stays last while only the
    CUDA block is requested.
  - bash checks the result with C(-n) before it is written. The module refuses a change that would make a valid file
    invalid.
extends_documentation_fragment:
  - hpc.pytorch.attributes.full_support
  - hpc.pytorch.attributes.action_group
options:
  path:
    description:
      - The rc file. A missing file is created, a missing folder is not.
      - As root, a file or folder that another user can write is refused. Run the task with C(become_user) then.
    type: path
    default: ~/.bashrc
  block:
    description: The block to manage. Either this or O(blocks) is required.
    type: str
    choices: [cuda, conda]
  blocks:
    description:
      - Several blocks, which are written together. A block of the file that is not in the list stays as it is.
      - If one of them is refused, none is written.
    type: list
    elements: dict
    suboptions:
      block:
        description: The block to manage.
        type: str
        choices: [cuda, conda]
        required: true
      lines:
        description: The lines of the block, as in O(lines).
        type: list
        elements: str
      state:
        description: Whether the block should exist, as in O(state).
        type: str
        choices: [present, absent]
        default: present
      path:
        description: The rc file of this block, if it is not the one in O(path).
        type: path
  lines:
    description:
      - The lines of the block, each a complete command. Required with O(state=present).
      - They must be safe to run twice, as a shell may read its rc file twice.
    type: list
    elements: str
  state:
    description: Whether the block should exist. V(absent) removes the lines of the block and keeps the user's.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: The guide's line, the last one of ~/.bashrc
  hpc.pytorch.shell_rc:
    block: conda
    lines:
      - export PATH="/opt/app/anaconda3/bin:$PATH"

- name: The same for another user
  hpc.pytorch.shell_rc:
    block: conda
    lines:
      - export PATH="/opt/app/anaconda3/bin:$PATH"
  become: true
  become_user: alice

- name: CUDA's lines and conda's by one task
  hpc.pytorch.shell_rc:
    blocks:
      - block: cuda
        lines:
          - export CUDA_HOME="/usr/local/cuda"
      - block: conda
        lines:
          - export PATH="/opt/app/anaconda3/bin:$PATH"

- name: Remove CUDA from ~/.bashrc
  hpc.pytorch.shell_rc:
    block: cuda
    state: absent
"""

RETURN = r"""
path:
  description: The rc file, C(~) expanded. With O(blocks) that of the first block, V(null) if there is none.
  returned: success
  type: str
  sample: /home/alice/.bashrc
paths:
  description: Each rc file once, C(~) expanded.
  returned: success
  type: list
  elements: str
  sample: [/home/alice/.bashrc]
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._common.exit import answer
from ..module_utils._shell.declare import Options, declare

BLOCK = {
    "block": {"type": "str", "choices": ["cuda", "conda"], "required": True},
    "lines": {"type": "list", "elements": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "path": {"type": "path"},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "default": "~/.bashrc"},
            "block": {"type": "str", "choices": ["cuda", "conda"]},
            "blocks": {"type": "list", "elements": "dict", "options": BLOCK},
            "lines": {"type": "list", "elements": "str"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        required_one_of=[("block", "blocks")],
        mutually_exclusive=[("block", "blocks"), ("lines", "blocks")],
        supports_check_mode=True,
    )
    write = not module.check_mode
    answer(module, lambda: declare(Options.of(module.params), write=write, with_diff=module._diff), writes=["path"])


if __name__ == "__main__":
    main()
