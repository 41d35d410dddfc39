#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: each_user
short_description: Run a module as each of several users, at the same time
version_added: 1.0.0
author: "hpc.pytorch contributors (@hpc-pytorch)"
description:
  - Runs a module once for each user, as that user, on one host. A task with C(become_user) and a loop does so for one
    user after the other.
  - As many users as Ansible has C(forks) get their turn at the same time.
  - A failure is the result of that user. The others go on, and the task succeeds. The filter
    P(hpc.pytorch.user_failures#filter) lists the users whose module failed, and a warning for each
    reason names them, or the first five.
  - Facts, hosts and all else that Ansible would obey in a result are left out, as users can replace what runs in their
    name.
  - The task needs C(become=true). Its C(become_user) is not used.
extends_documentation_fragment:
  - hpc.pytorch.attributes.action
  - hpc.pytorch.attributes.action_group
attributes:
  check_mode:
    description: Can run in check_mode and return changed status prediction without modifying target.
    support: full
    details:
      - As the module does.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in check_mode), when in diff mode.
    support: full
    details:
      - As the module does. The user's name is in each heading.
options:
  users:
    description: The names, as in C(hpc_users) of the roles.
    type: list
    elements: raw
    required: true
  module:
    description: The full name of the module, such as V(hpc.pytorch.shell_rc).
    type: str
    required: true
  args:
    description: The options of the module.
    type: dict
    default: {}
  seconds:
    description: How long the module may take for one user. V(0) means no limit.
    type: int
    default: 0
  at_once:
    description: How many users get their turn at the same time. V(0) means as many as Ansible's C(forks).
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Put the base on PATH in the rc file of each user
  hpc.pytorch.each_user:
    users: [alice, bob]
    module: hpc.pytorch.shell_rc
    args:
      block: conda
      lines:
        - export PATH="/opt/app/anaconda3/bin:$PATH"
    seconds: 120
  become: true
  register: written

- name: Show whose file was not written
  ansible.builtin.debug:
    msg: "{{ written | hpc.pytorch.user_failures('rc file') }}"
"""

RETURN = r"""
results:
  description: The result of the module for each user, in the order of O(users), with the name in C(user).
  returned: success
  type: list
  elements: dict
  sample: [{"user": "alice", "changed": true, "path": "/home/alice/.bashrc"}]
"""

from ansible.module_utils.basic import AnsibleModule

# The action plugin checks its arguments against it.
ARGUMENT_SPEC = {
    "users": {"type": "list", "elements": "raw", "required": True},
    "module": {"type": "str", "required": True},
    "args": {"type": "dict", "default": {}},
    "seconds": {"type": "int", "default": 0},
    "at_once": {"type": "int", "default": 0},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="each_user runs on the controller, in its action plugin of the same name")


if __name__ == "__main__":
    main()
