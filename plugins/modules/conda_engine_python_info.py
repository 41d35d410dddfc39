#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: conda_engine_python_info
short_description: Choose the Python that the engine's venv is made with
version_added: 0.1.0
description:
  - The engine needs Python 3.10 or newer with venv and ensurepip; Ansible's own interpreter on the target may be older.
  - Takes the newest of C(python3.13) to C(python3.10) in C(/usr/bin) and C(/usr/local/bin). As root it takes only one that
    nobody else can change and that every user can read, since a site's users share the engine.
  - Fails with what is wrong with each where none will do.
author: hpc.pytorch contributors (@hpc-pytorch)
extends_documentation_fragment:
  - hpc.pytorch.attributes
  - hpc.pytorch.attributes.info_module
  - hpc.pytorch.attributes.action_group
options:
  python:
    description:
      - The Python to take, if it can carry the engine. It may lie where other users cannot read it.
    type: path
seealso:
  - module: hpc.pytorch.conda_env
"""

EXAMPLES = r"""
- name: Which Python would the engine get
  hpc.pytorch.conda_engine_python_info:
  register: engine_python

- name: Say which, and why none before it
  ansible.builtin.debug:
    msg: "{{ engine_python.python }} ({{ engine_python.version }}), {{ engine_python.rejected }}"
"""

RETURN = r"""
python:
  description: Path of the Python.
  type: str
  returned: success
  sample: /usr/bin/python3.12
version:
  description: Its version.
  type: str
  returned: success
  sample: 3.12.3
rejected:
  description: Those that came first and would not do.
  type: list
  elements: dict
  returned: success
  contains:
    python:
      description: Path of the Python.
      type: str
    reason:
      description: Why it would not do.
      type: str
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hpc.pytorch.plugins.module_utils._common.exit import answer
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.python import choose_python


def main():
    module = AnsibleModule(argument_spec={"python": {"type": "path"}}, supports_check_mode=True)

    def work():
        choice = choose_python(module.params["python"], for_everybody=os.geteuid() == 0)
        rejected = [{"python": python, "reason": reason} for python, reason in choice.rejected]
        return {"changed": False, "python": choice.python, "version": choice.version, "rejected": rejected}

    answer(module, work)


if __name__ == "__main__":
    main()
