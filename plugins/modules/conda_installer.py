#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: conda_installer
short_description: Install a conda base from an installer, next to the previous one, and switch to it
version_added: 1.0.0
description:
  - Runs a shell installer of the kind that constructor makes (Miniforge, Miniconda, Anaconda, a site's own), and makes
    its base available at O(prefix).
  - O(prefix) is a symlink. The base of each installer is made once, in C(.NAME/<first 12 of sha256>) next to it,
    verified, and then switched to by one rename. The previous base stays, with its package cache, so environments,
    shells and jobs that use it keep working. To go back, set the earlier O(src) and O(sha256) again; nothing is
    downloaded or installed.
  - All bases share one C(envs) folder, C(.NAME/envs), so an environment in it is found by name, and by its path below
    O(prefix), with every base. The new base takes over the condarc of the previous one.
  - An interrupted download continues where it stopped, in a folder that no other user can write to. It is compared with
    O(sha256) before anything of it runs.
  - After an interrupted installation, the next run cleans up and installs again.
author: hpc.pytorch contributors (@hpc-pytorch)
extends_documentation_fragment:
  - hpc.pytorch.attributes
  - hpc.pytorch.attributes.action_group
attributes:
  check_mode:
    support: full
    details:
      - Nothing is downloaded. Versions of a base that is not installed yet are not known. A file on the target is
        compared with O(sha256).
  diff_mode:
    support: full
    details:
      - The diff is which base users find, and the versions of conda, mamba and python in it.
options:
  prefix:
    description:
      - Where users find the base. An existing folder there is refused, never moved or removed.
    type: path
    required: true
  src:
    description:
      - The installer, as an C(https) address or as an absolute path on the target. A user, a password and a
        query string in the address are never shown.
    type: str
    required: true
  sha256:
    description: The installer's SHA-256 in hex digits, as its publisher states it.
    type: str
    required: true
  cache:
    description:
      - Folder for the download, to which only this user can write. An installer is deleted from it after installation.
      - By default C(hpc.pytorch/installers) below E(XDG_CACHE_HOME), or below C(~/.cache).
    type: path
  ca_path:
    description: A file with the certificates of the site's own CA.
    type: path
  progress_file:
    description: A file that must not exist yet, for progress lines. Set by the action plugin of the same name.
    type: path
notes:
  - By running an installer with this module you accept its licence. It runs with C(-b), without questions.
  - No home directory is written to, apart from O(cache). The installer runs with a temporary home directory.
  - Packages that were added to the previous base are not added to the new one.
  - This module never removes a base. Remove an old one by hand when nothing uses it any more.
seealso:
  - module: hpc.pytorch.conda_env
"""

EXAMPLES = r"""
- name: Miniforge for the site
  hpc.pytorch.conda_installer:
    prefix: /opt/app/miniforge3
    src: https://github.com/conda-forge/miniforge/releases/download/25.3.1-0/Miniforge3-25.3.1-0-Linux-x86_64.sh
    sha256: "{{ miniforge_sha256 }}"

- name: From a file on the target, without a network
  hpc.pytorch.conda_installer:
    prefix: /opt/app/anaconda3
    src: /root/installers/site-conda.sh
    sha256: "{{ site_conda_sha256 }}"
"""

RETURN = r"""
prefix:
  description: Where users find the base.
  type: str
  returned: success
  sample: /opt/app/miniforge3
base:
  description: The folder that holds the base.
  type: str
  returned: success
  sample: /opt/app/.miniforge3/376b160ed813
actions:
  description: The steps that were done, or would be. They are download (or copy), install and switch.
  type: list
  elements: str
  returned: success
before:
  description: The base that users found before the task.
  type: dict
  returned: success
  contains: &held
    base:
      description: The folder that holds the base; null if there was none.
      type: str
    conda:
      description: Version of conda.
      type: str
    mamba:
      description: Version of mamba, if the base holds it.
      type: str
    python:
      description: Version of python.
      type: str
after:
  description: The base that users find now, or would. Without versions if only the installer knows them.
  type: dict
  returned: success
  contains: *held
msg:
  description: The base now and before, in one line.
  type: str
  returned: success
bytes:
  description: Size of the installer.
  type: int
  returned: when a base was installed
resumed_from:
  description: How many bytes of it an earlier run had downloaded.
  type: int
  returned: when a base was installed
installer_output:
  description: The last lines that the installer, or its conda, printed.
  type: list
  elements: str
  returned: when it failed
"""

from ansible_collections.hpc.pytorch.plugins.module_utils._common.exit import answer
from ansible_collections.hpc.pytorch.plugins.module_utils._common.redacting_module import RedactingModule
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.installer.declare import Options, declare_base


def main() -> None:
    module = RedactingModule(
        argument_spec={
            "prefix": {"type": "path", "required": True},
            "src": {"type": "str", "required": True},
            "sha256": {"type": "str", "required": True},
            "cache": {"type": "path"},
            "ca_path": {"type": "path"},
            "progress_file": {"type": "path"},
        },
        supports_check_mode=True,
    )
    answer(module, lambda: declare_base(Options(**module.params), module.check_mode), writes=["prefix", "cache"])


if __name__ == "__main__":
    main()
