#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: site_look
short_description: Check which parts of a site stand as roles want them
version_added: 1.0.0
author: "hpc.pytorch contributors (@hpc-pytorch)"
description:
  - Judges in one call whether the channel, the engine, the base and the files of a site stand as roles want them.
    Nothing is changed, in check mode or not.
  - Each step of a part is judged as its own module begins, from records and files. No solver, engine or network is
    asked.
  - A part stands only if each of its steps has surely nothing to do. Where that cannot be decided so, or where a step
    would fail, the part does not stand, and the role that makes it has the last word.
  - The roles hpc.pytorch.channel, hpc.pytorch.conda, hpc.pytorch.cuda and hpc.pytorch.user_tools give their parts by
    the entry point C(wants), in the facts C(channel_site_wants), C(conda_site_wants) and so on.
    P(hpc.pytorch.conda#role) describes it.
extends_documentation_fragment:
  - hpc.pytorch.attributes.action_group
attributes:
  check_mode:
    description: Can run in check mode and gives the same result, as nothing is changed.
    support: full
  diff_mode:
    description: Can show what changed, which is nothing.
    support: none
options:
  parts:
    description: The parts, each with its steps. A part without a step does not stand.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The name of the part in the result.
        type: str
        required: true
      cuda_toolkit:
        description:
          - The CUDA toolkit that the host must have, as O(hpc.pytorch.node_files#module:toolkit).
          - In the texts of O(parts[].host_files), C(@CUDA_TOOLKIT_VERSION@) and C(@CUDA_TOOLKIT_LIB_DIR@) stand for its
            version and for its folder with the libraries.
        type: dict
      conda_channel:
        description: Options of M(hpc.pytorch.conda_channel).
        type: dict
      conda_engine:
        description: Options of M(hpc.pytorch.conda_engine).
        type: dict
      conda_env:
        description: Options of M(hpc.pytorch.conda_env).
        type: dict
      existing:
        description: Paths at which something must be.
        type: list
        elements: path
        default: []
      host_files:
        description:
          - Options of M(hpc.pytorch.host_files), each element those of one task.
          - With C(unless_exists), a path, the task counts only if nothing is there.
          - A file may have C(sha256), the digest of its content in hexadecimal digits, instead of a content. The action
            plugin makes one of each long content, which the host need not get to compare it.
        type: list
        elements: dict
        default: []
      settings:
        description: A file of settings in YAML, which may have others too.
        type: dict
        suboptions:
          path:
            description: The file.
            type: path
            required: true
          settings:
            description: Each setting that it must have, as a text in YAML of one key and its value.
            type: list
            elements: str
            required: true
  users:
    description: The names in C(hpc_users), which are checked first, as M(hpc.pytorch.users_info) does.
    type: raw
"""

EXAMPLES = r"""
- name: Know what the role would make
  ansible.builtin.import_role:
    name: hpc.pytorch.user_tools
    tasks_from: wants

- name: Check whether it stands
  hpc.pytorch.site_look:
    parts: "{{ user_tools_site_wants }}"
  register: looked

- name: Install the commands if they do not
  ansible.builtin.include_role:
    name: hpc.pytorch.user_tools
  when: not looked.stands.user_tools
"""

RETURN = r"""
stands:
  description: Whether each part stands, by its name.
  type: dict
  returned: success
  sample: {"channel": true, "conda": false}
reasons:
  description: Why a part does not stand, by its name, for those that do not.
  type: dict
  returned: success
  sample: {"conda": "host_files: /opt/modulefiles/anaconda3.lua differs"}
toolkit:
  description:
    - What O(parts[].cuda_toolkit) names, as M(hpc.pytorch.cuda_info) returns it, if its part stands. Otherwise V(null).
  type: dict
  returned: success
"""

from ..module_utils._common.exit import answer
from ..module_utils._common.redacting_module import RedactingModule
from ..module_utils._site.look import look_at

SETTINGS = {
    "path": {"type": "path", "required": True},
    "settings": {"type": "list", "elements": "str", "required": True},
}
PART = {
    "name": {"type": "str", "required": True},
    "cuda_toolkit": {"type": "dict"},
    "conda_channel": {"type": "dict"},
    "conda_engine": {"type": "dict"},
    "conda_env": {"type": "dict"},
    "existing": {"type": "list", "elements": "path", "default": []},
    "host_files": {"type": "list", "elements": "dict", "default": []},
    "settings": {"type": "dict", "options": SETTINGS},
}


def main() -> None:
    """Entry point."""
    module = RedactingModule(
        argument_spec={
            "parts": {"type": "list", "elements": "dict", "required": True, "options": PART},
            "users": {"type": "raw"},
        },
        supports_check_mode=True,
    )
    answer(module, lambda: look_at(module.params["parts"], module.params["users"]))


if __name__ == "__main__":
    main()
