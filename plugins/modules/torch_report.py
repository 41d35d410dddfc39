#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: torch_report
version_added: 1.0.0
short_description: Make one report of the results of torch_check on every node
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Reads the variable C(torch_check_result) of every host, which the role P(hpc.pytorch.torch_check#role) sets, and
    makes a table for the terminal, a JSON file and one HTML page that needs no other file.
  - It runs on the controller and covers all hosts, whichever host the task runs for. Use C(run_once).
  - Every host of the groups C(login) and C(compute) is in the report. A host that was not part of the run (C(--limit))
    keeps its entry in the last report in O(folder).
  - A check that finds the same as the last one is no change, and gives no diff. The files then have its times
    (C(last_checked), and C(checked) of each node), so that a check that has stopped can be seen; they keep the time of
    the first check that found this state (C(generated)). Check mode writes nothing.
options:
  hosts:
    description:
      - The hosts of this run. A host without a result is reported as V(failed) with the code V(no_result).
      - If it is not set, the hosts of the play.
    type: list
    elements: str
  formats:
    description:
      - What to make. The files need O(folder). V(html) implies V(json), which the next report is compared with.
    type: list
    elements: str
    choices: [table, json, html]
    default: [table, json, html]
  folder:
    description:
      - The folder on the controller for C(report.json) and C(report.html), an absolute path. A leading C(~) is the home
        directory of the user who runs Ansible. The folder is created. If it is not set, no file is written.
      - If root runs Ansible, a folder that another user can write is refused.
    type: str
  keep:
    description:
      - How many earlier reports to keep next to them, each with its time in its name. Older ones are removed. One is
        kept when a check finds another state.
    type: int
    default: 0
  interval:
    description:
      - How many seconds pass from one check to the next, if a timer runs them. The page then says that a check is
        missing. Without it, the page only says when a check is more than a day old.
    type: int
  query:
    description:
      - A JMESPath expression over the report. Its result is returned.
    type: str
extends_documentation_fragment:
  - hpc.pytorch.attributes
  - hpc.pytorch.attributes.action
  - hpc.pytorch.attributes.action_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - A line for each node.
notes:
  - The file C(docs/report.md) of this collection describes the JSON.
seealso:
  - module: hpc.pytorch.torch_info
"""

EXAMPLES = r"""
- name: Write a report next to the inventory
  hpc.pytorch.torch_report:
    folder: "{{ inventory_dir }}/report"
    keep: 30
    # A timer runs this every hour.
    interval: 3600
  run_once: true

- name: Find the nodes whose torch has no CUDA
  hpc.pytorch.torch_report:
    formats: []
    query: "nodes[?contains(reasons[].code, 'cpu_only_build')].name"
  run_once: true
  register: without_cuda

- name: Show them
  ansible.builtin.debug:
    var: without_cuda.selected
  run_once: true
"""

RETURN = r"""
totals:
  description: How many nodes there are (C(nodes)), by verdict (C(verdicts)) and by reason (C(codes)).
  returned: success
  type: dict
changes:
  description: The differences from the last report, whose time is C(since), in C(nodes).
  returned: success
  type: dict
table:
  description: The lines of the table.
  returned: success
  type: list
  elements: str
files:
  description: The files of the report, also if they were not changed.
  returned: success
  type: list
  elements: str
selected:
  description: The result of O(query).
  returned: when O(query) is set
  type: raw
"""

from ansible.module_utils.basic import AnsibleModule

# The action plugin checks its arguments against it.
ARGUMENT_SPEC = {
    "hosts": {"type": "list", "elements": "str"},
    "formats": {
        "type": "list",
        "elements": "str",
        "choices": ["table", "json", "html"],
        "default": ["table", "json", "html"],
    },
    "folder": {"type": "str"},
    "keep": {"type": "int", "default": 0},
    "interval": {"type": "int"},
    "query": {"type": "str"},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="torch_report runs on the controller, in its action plugin of the same name")


if __name__ == "__main__":
    main()
