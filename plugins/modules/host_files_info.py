#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_files_info
short_description: Read small files of a host, safely as root
version_added: 1.0.0
author: "hpc.pytorch contributors (@hpc-pytorch)"
description:
  - Reads text files of at most 4 MiB. A fifo, a device or a folder is refused, never waited for.
  - As root it reads only files that no other user can write, and follows only symlinks that root made, as
    M(hpc.pytorch.host_files) does.
extends_documentation_fragment:
  - hpc.pytorch.attributes
  - hpc.pytorch.attributes.info_module
  - hpc.pytorch.attributes.action_group
options:
  paths:
    description: The files, absolute paths.
    type: list
    elements: path
    required: true
"""

EXAMPLES = r"""
- name: Read the site's condarc
  hpc.pytorch.host_files_info:
    paths:
      - /opt/conda/.condarc
  become: true
  register: condarc
"""

RETURN = r"""
files:
  description: Each of O(paths), in their order.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The path as requested.
      type: str
    exists:
      description: Whether there is a file.
      type: bool
    content:
      description: Its text, empty if there is no file. Bytes that are not UTF-8 become question marks.
      type: str
  sample: [{"path": "/opt/conda/.condarc", "exists": true, "content": "channels:\n- conda-forge\n"}]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._common.exit import answer
from ..module_utils._files.paths import require_absolute
from ..module_utils._host.look import read_trusted


def read_all(paths: t.Sequence[str]) -> dict[str, t.Any]:
    """The module's result.

    :raises UserError: a file cannot be read safely.
    """
    files = []
    for path in paths:
        require_absolute("paths", path)
        content = read_trusted(path)
        text = (content or b"").decode("utf-8", "replace")
        files.append({"path": path, "exists": content is not None, "content": text})
    return {"changed": False, "files": files}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={"paths": {"type": "list", "elements": "path", "required": True}}, supports_check_mode=True
    )
    answer(module, lambda: read_all(module.params["paths"]))


if __name__ == "__main__":
    main()
