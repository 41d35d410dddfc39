#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: conda_engine_python_info
short_description: Choose the Python that the engine's venv is made with
version_added: 1.0.0
description:
  - The engine needs Python 3.10 or newer with venv and ensurepip. Ansible's own interpreter on the target may be older.
  - Chooses the newest of C(python3.13) to C(python3.10) in C(/usr/bin) and C(/usr/local/bin). As root it chooses only a
    Python that no other user can change and that every user can read, since a site's users share the engine.
  - If there is none, it fails, and names what is wrong with each.
author: hpc.pytorch contributors (@hpc-pytorch)
extends_documentation_fragment:
  - hpc.pytorch.attributes
  - hpc.pytorch.attributes.info_module
  - hpc.pytorch.attributes.action_group
options:
  python:
    description:
      - The Python to choose, if it can run the engine. Other users need not be able to read it.
    type: path
seealso:
  - module: hpc.pytorch.conda_env
"""

EXAMPLES = r"""
- name: Which Python the engine would get
  hpc.pytorch.conda_engine_python_info:
  register: engine_python

- name: Show it, and why the ones before it were not chosen
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
  description: The Pythons that were tried before and cannot run the engine.
  type: list
  elements: dict
  returned: success
  contains:
    python:
      description: Path of the Python.
      type: str
    reason:
      description: Why it cannot run the engine.
      type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hpc.pytorch.plugins.module_utils._common.exit import answer
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.python import Options, describe_engine_python


def main() -> None:
    module = AnsibleModule(argument_spec={"python": {"type": "path"}}, supports_check_mode=True)
    answer(module, lambda: describe_engine_python(Options(**module.params)))


if __name__ == "__main__":
    main()
