#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: shell_rc
short_description: Keep the tail of C(~/.bashrc)
version_added: 0.1.0
author: "hpc.pytorch contributors (@hpc-pytorch)"
description:
  - Owns the end of a shell's rc file. CUDA's lines come first, conda's lines are the very last, in whatever order they were
    asked for and whatever was appended since. What others appended after them moves above them, in its order; no line of
    the user's is lost.
  - The file is replaced by one rename. Its mode, owner, a symlink at its place, CRLF line ends and bytes that are no UTF-8 are
    kept. An unchanged file is not written.
  - Each block begins with a comment that holds a digest of each of its lines. A line that a person wrote between the
    markers, or edited there, has no digest and stays as the user's own; the wanted line is put back beside it.
  - An exact copy of one of the O(lines) that stands outside of the markers, such as the guide's line put there by hand, is
    adopted and so not doubled. Inside an C(if), a function or a here-document it stays where it is.
  - A line of the form C(export PATH="/.../anaconda3/bin:$PATH") that the user had put last by hand stays last while
    only the CUDA block is asked for.
  - bash reads the result with C(-n) before it is written; a file that was sound and would no longer be is refused.
extends_documentation_fragment:
  - hpc.pytorch.attributes.action_group
attributes:
  check_mode:
    description: Can run in check_mode and return changed status prediction without modifying target.
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in check_mode), when in diff mode.
    support: full
options:
  path:
    description:
      - The rc file. A missing one is created, its folder is not.
      - As root, a file or folder that somebody else can write is refused; run the task with C(become_user) then.
    type: path
    default: ~/.bashrc
  block:
    description: Which part of the tail.
    type: str
    choices: [cuda, conda]
    required: true
  lines:
    description:
      - The lines of the block, each complete in itself. Required with O(state=present).
      - They must be safe to run twice, as a shell may read its rc file twice.
    type: list
    elements: str
  state:
    description: Whether the block should be there. V(absent) removes the block's lines, the user's stay.
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

- name: No CUDA in ~/.bashrc any more
  hpc.pytorch.shell_rc:
    block: cuda
    state: absent
"""

RETURN = r"""
path:
  description: The rc file, C(~) expanded.
  returned: success
  type: str
  sample: /home/alice/.bashrc
"""

import os

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._common.errors import UserError
from ..module_utils._common.exit import answer
from ..module_utils._shell.rcfile import update
from ..module_utils._shell.tail import check_lines


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "default": "~/.bashrc"},
            "block": {"type": "str", "choices": ["cuda", "conda"], "required": True},
            "lines": {"type": "list", "elements": "str"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        required_if=[("state", "present", ["lines"])],
        supports_check_mode=True,
    )
    answer(module, lambda: run(module))


def run(module):
    """Bring the block up to date."""
    path = _absolute(module.params["path"])
    lines = []
    if module.params["state"] == "present":
        lines = module.params["lines"]
        check_lines(lines)
    change = update(path, {module.params["block"]: lines}, write=not module.check_mode)
    result = {"changed": change.changed, "path": path}
    if module._diff:
        result["diff"] = {
            "before": change.before.decode("utf-8", "backslashreplace"),
            "after": change.after.decode("utf-8", "backslashreplace"),
            "before_header": path,
            "after_header": path,
        }
    return result


def _absolute(path: str) -> str:
    if not os.path.isabs(path) or any(not char.isprintable() for char in path):
        raise UserError("an absolute path (or one below ~) in path", repr(path), "give the whole path of the rc file")
    return os.path.normpath(path)


if __name__ == "__main__":
    main()
