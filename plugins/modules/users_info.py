#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: users_info
short_description: Check the names of hpc_users, and find their accounts
version_added: 1.0.0
description:
  - Ansible writes C(become_user) into a shell's command line without quotes. This module fails unless O(names) is a
    list of names that are safe there, and unless the machine knows each of them and none is root.
  - A name consists of the letters A-Z and a-z, digits and C(_ . @ + -), and begins with a letter, a digit or C(_). Of
    the forms of Active Directory, C(user@domain) and C(domain+user) are names; a backslash is refused.
  - The playbooks and roles run it before the first step for a user.
author: hpc.pytorch contributors (@hpc-pytorch)
extends_documentation_fragment:
  - hpc.pytorch.attributes
  - hpc.pytorch.attributes.info_module
  - hpc.pytorch.attributes.action_group
options:
  names:
    description: The list of names. A string is refused, since a shortened list may be meant by it.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Check the users of the site
  hpc.pytorch.users_info:
    names: "{{ hpc_users }}"
"""

RETURN = r"""
users:
  description: The accounts, in the order of the names.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: The name as given.
      type: str
    uid:
      description: The number of the account.
      type: int
    home:
      description: The home directory.
      type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hpc.pytorch.plugins.module_utils._common.exit import answer
from ansible_collections.hpc.pytorch.plugins.module_utils._users.accounts import describe_accounts


def main() -> None:
    module = AnsibleModule(argument_spec={"names": {"type": "raw", "required": True}}, supports_check_mode=True)
    answer(module, lambda: describe_accounts(module.params["names"]))


if __name__ == "__main__":
    main()
