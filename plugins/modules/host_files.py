#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_files
short_description: Write the files of a host, safely as root
version_added: 1.0.0
author: "hpc.pytorch contributors (@hpc-pytorch)"
description:
  - Makes files, folders and symlinks as requested, many in one call. Everything is checked before the first change.
  - As root it writes only where no other user can write, and follows only symlinks that root made there. It opens each
    folder on the way by descriptor, so nobody can exchange one between check and write. A place that it refuses is
    refused in check mode as well.
  - An ordinary user's files are written as that user.
  - A file is replaced by one rename. Missing parent folders are made with mode V(0755) as root, otherwise with the mode
    that the umask gives.
extends_documentation_fragment:
  - hpc.pytorch.attributes.full_support
  - hpc.pytorch.attributes.action_group
options:
  files:
    description: What should be where, in the order in which it is written.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description:
          - The file, folder or symlink, an absolute path.
          - A symlink of root's in the place of a file is kept; the file that it leads to is replaced.
        type: path
        required: true
      state:
        description:
          - V(file) is a regular file with O(files[].content), O(files[].content_base64) or O(files[].src). As root, a
            file that belongs to another user is replaced by one of root's.
          - V(directory) is a folder. A symlink to a folder is accepted and left alone.
          - V(link) is a symlink to O(files[].target). A file or a folder in its place is refused.
          - V(absent) removes a file, a symlink or an empty folder.
          - V(touched) is a file whose time is set to now, which always counts as a change.
        type: str
        choices: [file, directory, link, absent, touched]
        default: file
      content:
        description: The text of the file.
        type: str
      content_base64:
        description: The content of the file in base64, if it is not text.
        type: str
      src:
        description: The content as a file on the controller, below C(files/) of the role or playbook.
        type: str
      target:
        description: Where the symlink leads, absolute or relative to its folder.
        type: str
      mode:
        description:
          - Permissions as an octal number in quotes. By default V(0644) for a new file and V(0755) for a new folder;
            existing ones keep theirs.
          - A file gets exactly this mode, whatever the umask is. An existing folder gets the bits that it lacks and
            loses none.
        type: str
      backup:
        description: Whether to keep the earlier content of a changed file next to it, under a name with the time.
        type: bool
        default: false
  only_root:
    description:
      - Paths that only root may be able to write if this runs as root, because O(files) makes other users run what is
        in them, such as a folder that is added to PATH. Each parent counts, and each file in a folder.
      - A missing path is checked by its nearest existing folder.
    type: list
    elements: path
    default: []
"""

EXAMPLES = r"""
- name: Put a folder on every login shell's PATH, if it is root's
  hpc.pytorch.host_files:
    files:
      - path: /etc/profile.d/tools.sh
        content: |
          export PATH="/opt/tools/bin:$PATH"
        mode: "0644"
    only_root:
      - /opt/tools/bin
  become: true

- name: Switch a name to a new version by one rename
  hpc.pytorch.host_files:
    files:
      - {path: /opt/tools/current, state: link, target: versions/2}
      - {path: /opt/tools/versions/1.unused, state: touched}
  become: true
"""

RETURN = r"""
files:
  description: Each of O(files), in their order.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The path as requested.
      type: str
    state:
      description: The requested state.
      type: str
    changed:
      description: Whether it was changed, or would be in check mode.
      type: bool
    backup_file:
      description: Where its earlier content is.
      returned: if a backup was made
      type: str
  sample: [{"path": "/etc/profile.d/tools.sh", "state": "file", "changed": true}]
"""

from ..module_utils._common.exit import answer
from ..module_utils._common.redacting_module import RedactingModule
from ..module_utils._host.declare import declare
from ..module_utils._host.request import ARGUMENTS, Options


def main() -> None:
    """Entry point."""
    module = RedactingModule(**ARGUMENTS, supports_check_mode=True)
    answer(module, lambda: declare(Options.of(module.params), write=not module.check_mode, with_diff=module._diff))


if __name__ == "__main__":
    main()
