#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_files
short_description: Make the files of a node so, on the node itself or in an image
version_added: 1.0.0
author: "hpc.pytorch contributors (@hpc-pytorch)"
description:
  - Writes the files that roles want on each node, in one call, and checks the node's CUDA toolkit in the same call.
  - The roles hpc.pytorch.conda and hpc.pytorch.cuda have their lists in the variables C(conda_node_files) and
    C(cuda_node_files), and the toolkit in C(cuda_node_toolkit).
  - Everything is checked before the first change. Files are written as M(hpc.pytorch.host_files) does it, so as root
    only where no other user can write.
  - With O(root) or O(tar) the files are those of an image. Path, content and mode are the same as on a node.
extends_documentation_fragment:
  - hpc.pytorch.attributes.full_support
  - hpc.pytorch.attributes.action_group
options:
  files:
    description: The files, in the order in which they are written.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: The file on the node, an absolute path without C(..).
        type: path
        required: true
      state:
        description:
          - V(file) is a regular file with O(files[].content), or with one of O(files[].content_by_folder).
          - V(absent) removes a regular file that begins with one of O(files[].begins_with) and belongs to the user who
            runs this. Any other file is left alone.
        type: str
        choices: [file, absent]
        default: file
      content:
        description: The text of the file.
        type: str
      content_by_folder:
        description:
          - Texts of which one fits the node. The first one whose folder exists is written. If there is none, the module
            fails.
          - In an image a single one is written in any case, since its folder may be mounted later.
        type: list
        elements: dict
        default: []
        suboptions:
          folder:
            description: A folder. It counts as one of O(files[].only_root).
            type: path
            required: true
          content:
            description: The text of the file if that folder exists.
            type: str
            required: true
      remedy:
        description: The end of the message if no folder of O(files[].content_by_folder) exists.
        type: str
        default: install what makes one of them
      begins_with:
        description: The texts with which a file begins that V(absent) may remove.
        type: list
        elements: str
        default: []
      mode:
        description:
          - Permissions as an octal number in quotes. By default V(0644) for a new file; an existing one keeps its own.
        type: str
      only_root:
        description:
          - Paths that only root may be able to write if this runs as root, because the file makes other users run what
            is in them. See O(hpc.pytorch.host_files#module:only_root).
        type: list
        elements: path
        default: []
  toolkit:
    description:
      - The CUDA toolkit that the node must have. Neither the driver nor a GPU is asked; M(hpc.pytorch.cuda_info) does
        that.
      - It is not checked for an image.
    type: dict
    suboptions:
      home:
        description: The toolkit's folder.
        type: path
        required: true
      version:
        description: Its version, as O(hpc.pytorch.cuda_info#module:expect_version). By default any.
        type: str
  root:
    description:
      - The folder of an image, such as a chroot or a mounted root. It is made if it does not exist.
      - Nothing in it is executed. A symlink in it never leads out of it; an absolute one is followed within it.
      - As root everything that is made in it belongs to root.
    type: path
    default: /
  tar:
    description:
      - An archive to write instead, a path that ends with C(.tar). It has the files and their folders, which belong to
        root.
      - The same files give the same bytes.
    type: path
"""

EXAMPLES = r"""
- name: Make the files of the node layer so
  hpc.pytorch.node_files:
    files: "{{ [conda_node_files, cuda_node_files] | flatten(levels=1) }}"
    toolkit: "{{ cuda_node_toolkit }}"
  become: true

- name: Write a file of an image
  hpc.pytorch.node_files:
    files:
      - path: /etc/profile.d/tools.sh
        content: |
          export PATH="/opt/tools/bin:$PATH"
        mode: "0644"
    root: /srv/images/compute
  become: true
"""

RETURN = r"""
files:
  description:
    - Each of O(files), in their order, as RV(hpc.pytorch.host_files#module:files). With O(tar), the archive alone.
  returned: success
  type: list
  elements: dict
  sample: [{"path": "/etc/profile.d/tools.sh", "state": "file", "changed": true}]
toolkit:
  description: The toolkit, V(null) without O(toolkit) and for an image.
  returned: success
  type: dict
  contains:
    home:
      description: Its folder.
      type: str
    version:
      description: Its version.
      type: str
    source:
      description: Where the version is stated, C(version.json), C(version.txt) or C(nvcc).
      type: str
    lib_dir:
      description: The folder C(lib64) or C(lib), V(null) if neither exists.
      type: str
  sample: {"home": "/usr/local/cuda", "version": "12.4.1", "source": "version.json", "lib_dir": "/usr/local/cuda/lib64"}
"""

import os

from ..module_utils._common.exit import answer
from ..module_utils._common.redacting_module import RedactingModule
from ..module_utils._node.declare import declare
from ..module_utils._node.request import ARGUMENTS, Options


def main() -> None:
    """Entry point."""
    module = RedactingModule(**ARGUMENTS, supports_check_mode=True)
    answer(
        module,
        lambda: declare(Options.of(module.params), not module.check_mode, module._diff, os.environ, module.warn),
    )


if __name__ == "__main__":
    main()
