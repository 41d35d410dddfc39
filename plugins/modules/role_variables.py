#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: role_variables
version_added: 1.0.0
short_description: Check the variables of several roles at once
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Checks the variables of roles of this collection against their argument specifications, as Ansible does when a role
    starts, but by one task for all of them. With C(run_once) they are checked once, and not for each of a thousand
    hosts; the tasks that import the roles then have C(rolespec_validate=false).
  - C(site.yml) does so before it changes anything.
  - A variable that is required is expected to have a value.
options:
  roles:
    description: Names of the roles, such as V(conda).
    type: list
    elements: str
    required: true
extends_documentation_fragment:
  - hpc.pytorch.attributes
  - hpc.pytorch.attributes.action
  - hpc.pytorch.attributes.action_group
attributes:
  check_mode:
    support: full
    details:
      - The variables are checked in check mode too.
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: Check the variables before anything is made
  hpc.pytorch.role_variables:
    roles: [conda, cuda]
  run_once: true
"""

RETURN = r"""
argument_errors:
  description: What is wrong, one message for each variable.
  returned: failure
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

# The action plugin checks its arguments against it.
ARGUMENT_SPEC = {"roles": {"type": "list", "elements": "str", "required": True}}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="role_variables runs on the controller, in its action plugin of the same name")


if __name__ == "__main__":
    main()
