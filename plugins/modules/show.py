#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: show
version_added: 1.0.0
short_description: Print lines for a person, as they are
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Prints each line once on the terminal and in Ansible's log, with whatever callback. M(ansible.builtin.debug) has its
    message quoted and wrapped by the callback, so that a command in it cannot be copied.
  - Control characters are printed as escapes. Use C(run_once), or each host prints the lines.
options:
  lines:
    description: The lines. A line feed in one begins another line.
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
      - The lines are printed in check mode too.
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: Say what to do next
  hpc.pytorch.show:
    lines:
      - To use the environment, type
      - "  source ~/.conda/envs/torch/bin/activate"
  run_once: true
"""

RETURN = r"""
lines:
  description: The lines that were printed.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

# The action plugin checks its arguments against it.
ARGUMENT_SPEC = {"lines": {"type": "list", "elements": "str", "required": True}}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="show runs on the controller, in its action plugin of the same name")


if __name__ == "__main__":
    main()
