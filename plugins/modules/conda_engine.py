#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: conda_engine
short_description: Make the engine that conda_env and conda_channel use, a venv with py-rattler
version_added: 1.0.0
description:
  - Makes a venv with the packages of O(requirements) and lets users find it at O(prefix). Role C(hpc.pytorch.conda)
    calls it with the collection's own requirements.
  - O(prefix) is a symlink. Each venv is made in a folder of its own, C(.NAME/venv.XXXXXXXX) next to it, which no other
    user can enter until it is finished, and is then switched to by one rename. So no task finds half an engine, and a
    failed or interrupted run leaves the previous one in use.
  - The previous venv stays, so environments that are being made with it are not disturbed. Older ones are removed when
    the next one is made.
  - Runs that need the same engine at the same time wait for each other; the first makes it.
  - Nothing else is moved, emptied or removed. If there is something at O(prefix) that is not an engine of this
    collection, or something else in the engine's folder, the task fails and names it.
  - An engine that an earlier version of role C(hpc.pytorch.conda) made in O(prefix) itself is used as it is. When its
    requirements change, a new one takes its place.
  - As root it fails if another user could change O(prefix), a folder on the way to it, or the Python that makes the
    venv.
author: hpc.pytorch contributors (@hpc-pytorch)
extends_documentation_fragment:
  - hpc.pytorch.attributes
  - hpc.pytorch.attributes.action_group
attributes:
  check_mode:
    support: full
    details:
      - Nothing is downloaded, so a package that the index does not have is not noticed.
  diff_mode:
    support: full
    details:
      - The diff is the requirements of the engine that users find.
options:
  prefix:
    description:
      - Where users find the engine.
    type: path
    required: true
  requirements:
    description:
      - The text of a requirements file, with one package a line, its version and its hashes. Lines with addresses,
        paths or options of pip are refused. Which index the packages come from is pip's configuration (C(pip.conf),
        E(PIP_INDEX_URL)).
      - The engine is made again if this text changes.
    type: str
    required: true
  python:
    description:
      - The Python that makes the venv, 3.10 or newer with venv and ensurepip. By default it is chosen as
        M(hpc.pytorch.conda_engine_python_info) does.
      - A finished engine is not made again because another Python is given here.
    type: path
  condarc:
    description:
      - The condarc that the engine reads. The file C(.condarc) of the engine is a symlink to it. It need not exist.
    type: path
  progress_file:
    description: A file that must not exist yet, for progress lines. Set by the action plugin of the same name.
    type: path
seealso:
  - module: hpc.pytorch.conda_engine_python_info
  - module: hpc.pytorch.conda_env
"""

EXAMPLES = r"""
- name: The site's engine
  hpc.pytorch.conda_engine:
    prefix: /opt/hpc.pytorch/engine
    requirements: "{{ lookup('ansible.builtin.file', 'engine-lock.txt', rstrip=false) }}"
    condarc: /opt/conda/.condarc

- name: What a new version of the requirements would change
  hpc.pytorch.conda_engine:
    prefix: /opt/hpc.pytorch/engine
    requirements: "{{ lookup('ansible.builtin.file', 'next.txt', rstrip=false) }}"
  check_mode: true
  diff: true
"""

RETURN = r"""
prefix:
  description: Where users find the engine.
  type: str
  returned: success
  sample: /opt/hpc.pytorch/engine
executable:
  description: The engine's Python, for the option C(executable) of M(hpc.pytorch.conda_env).
  type: str
  returned: success
  sample: /opt/hpc.pytorch/engine/bin/python
venv:
  description: The folder that holds the engine; null if check mode would make it.
  type: str
  returned: success
  sample: /opt/hpc.pytorch/.engine/venv.k3v0q1ax
previous_venv:
  description: The folder that held the engine before the task; null if there was none.
  type: str
  returned: success
actions:
  description: The steps that were done, or would be. They are make, install, condarc and switch.
  type: list
  elements: str
  returned: success
msg:
  description: The engine in one line.
  type: str
  returned: success
output:
  description: The last lines that Python or pip printed, without credentials.
  type: list
  elements: str
  returned: when one of them failed
"""

from ansible_collections.hpc.pytorch.plugins.module_utils._common.exit import answer
from ansible_collections.hpc.pytorch.plugins.module_utils._common.redacting_module import RedactingModule
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engine_venv.declare import (
    ARGUMENTS,
    Options,
    declare_engine,
)


def main() -> None:
    module = RedactingModule(**ARGUMENTS, supports_check_mode=True)
    answer(module, lambda: declare_engine(Options(**module.params), module.check_mode), writes=["prefix"])


if __name__ == "__main__":
    main()
