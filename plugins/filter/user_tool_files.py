# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter user_tool_files: the entry point of plugin_utils/_user_tools/build.py."""

from __future__ import annotations

DOCUMENTATION = r"""
name: user_tool_files
short_description: Build the commands sbatch-lint, torch-verdict and guide-lint
version_added: 1.0.0
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Returns what M(hpc.pytorch.host_files) needs to write the commands and their man pages. Each command is one file,
    which runs with Python 3.8 or newer and without Ansible.
  - The same collection gives the same bytes on every controller.
  - The role P(hpc.pytorch.user_tools#role) uses it.
positional: _input, prefix
options:
  _input:
    description: The names of the commands.
    type: list
    elements: str
    choices: [sbatch-lint, torch-verdict, guide-lint]
    required: true
  prefix:
    description: The folder that gets C(bin) and C(share/man).
    type: path
    required: true
  python:
    description: The Python that runs the commands, an absolute path. Empty means that each start finds one.
    type: str
    default: ""
  state:
    description: With V(absent) the result removes the files.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Install the linter of job scripts
  hpc.pytorch.host_files:
    files: "{{ ['sbatch-lint'] | hpc.pytorch.user_tool_files('~/.local') }}"
"""

RETURN = r"""
_value:
  description: Elements of the option O(hpc.pytorch.host_files#module:files).
  type: list
  elements: dict
"""

import base64
import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError


def user_tool_files(
    names: t.Sequence[str], prefix: str, python: str = "", state: str = "present"
) -> list[dict[str, t.Any]]:
    """See the documentation above."""
    # Not before: Ansible loads all filters of a collection with the first one.
    from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_tools.build import files

    try:
        found = files(names, python)
    except UserError as error:
        raise AnsibleFilterError("user_tool_files: %s" % error) from error
    entries: list[dict[str, t.Any]] = []
    for path, content, mode in found:
        entry: dict[str, t.Any] = {"path": "%s/%s" % (prefix.rstrip("/"), path)}
        if state == "absent":
            entry["state"] = "absent"
        else:
            entry.update(content_base64=base64.b64encode(content).decode("ascii"), mode="%04o" % mode)
        entries.append(entry)
    return entries


class FilterModule:
    """The filters of this file, for Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"user_tool_files": user_tool_files}
