#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cuda_info
short_description: Find and check the CUDA toolkit, the NVIDIA driver and the GPUs
version_added: 0.1.0
author: "hpc.pytorch contributors (@hpc-pytorch)"
description:
  - Says which CUDA toolkit stands where, which driver runs, which GPUs there are, and which CUDA the driver can run.
  - Works on machines without a GPU, a driver or a toolkit; what is not there is V(null) or an empty list.
  - Fails where O(cuda_home) holds no toolkit, or another version than O(expect_version).
  - Reads files where it can. Each command it runs has its own time limit, so a sick GPU does not hold it up.
  - As root it never executes an C(nvcc) or C(nvidia-smi) that somebody else can write.
extends_documentation_fragment:
  - hpc.pytorch.attributes.action_group
attributes:
  check_mode:
    description: Can run in check_mode and return changed status prediction without modifying target.
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in check_mode), when in diff mode.
    support: none
options:
  cuda_home:
    description:
      - The toolkit's folder. A symlink is fine and is returned as it is given.
      - Without it, the first toolkit of C($CUDA_HOME), C(/usr/local/cuda) and C(nvcc) on C(PATH).
    type: path
  expect_version:
    description:
      - The version the toolkit must have. V(10.1) admits 10.1.243; V(10.10) does not admit 10.1.
      - Quote it in YAML, where 12.10 without quotes is the number 12.1.
      - Sources that contradict each other are an error with this option and a warning without it.
    type: str
  timeout:
    description: Seconds that each command may take.
    type: float
    default: 20
"""

EXAMPLES = r"""
- name: What this machine has
  hpc.pytorch.cuda_info:
  register: cuda

- name: CUDA 10.1 stands where the cluster's guide says
  hpc.pytorch.cuda_info:
    cuda_home: /opt/pkgs/cuda/cuda-toolkit
    expect_version: "10.1"
"""

RETURN = r"""
toolkit:
  description: The toolkit, V(null) where there is none.
  returned: success
  type: dict
  contains:
    home:
      description: Its folder.
      type: str
      sample: /opt/pkgs/cuda/cuda-toolkit
    version:
      description: Its version. From C(nvcc) it is the compiler's, whose third number counts differently since CUDA 11.
      type: str
      sample: 10.1.243
    source:
      description: What the version is from, C(version.json), C(version.txt) or C(nvcc).
      type: str
      sample: version.txt
    nvcc:
      description: The compiler, V(null) where there is none.
      type: str
      sample: /opt/pkgs/cuda/cuda-toolkit/bin/nvcc
    lib_dir:
      description: C(lib64) or C(lib), whichever exists, V(null) where none does.
      type: str
      sample: /opt/pkgs/cuda/cuda-toolkit/lib64
    conflicts:
      description: Sources that contradict the version, in words.
      type: list
      elements: str
      sample: []
driver:
  description: The driver, V(null) where there is none.
  returned: success
  type: dict
  contains:
    version:
      description: Its version.
      type: str
      sample: 535.104.05
    cuda_version:
      description: The CUDA version it was made for, as libcuda says it, or nvidia-smi.
      type: str
      sample: "12.2"
    source:
      description: What the version is from, C(proc), C(nvidia-smi) or C(libcuda).
      type: str
      sample: proc
    loaded:
      description: Whether the kernel module is loaded.
      type: bool
      sample: true
gpus:
  description: The GPUs.
  returned: success
  type: list
  elements: dict
  contains:
    index:
      description: Its number.
      type: int
      sample: 0
    name:
      description: Its name.
      type: str
      sample: NVIDIA TITAN V
    uuid:
      description: Its UUID.
      type: str
      sample: GPU-7c4a2f1e-0000-0000-0000-000000000000
    memory_mb:
      description: Its memory in MiB.
      type: int
      sample: 12288
    compute_capability:
      description: Its architecture, V(null) where the driver does not tell.
      type: str
      sample: "7.0"
max_cuda:
  description:
    - The newest CUDA version the driver can run in full, V(null) without a driver.
    - From CUDA 11 on, programs made with a later minor version of the same major one run as well, without its new features.
  returned: success
  type: str
  sample: "12.2"
"""

import os

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._common.errors import UserError
from ..module_utils._common.exit import answer
from ..module_utils._cuda import driver
from ..module_utils._cuda.toolkit import Finder, check_version


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "cuda_home": {"type": "path"},
            "expect_version": {"type": "str"},
            "timeout": {"type": "float", "default": 20},
        },
        supports_check_mode=True,
    )
    answer(module, lambda: look(module))


def look(module):
    """Toolkit and driver, checked against what was declared."""
    environment = dict(os.environ, LC_ALL="C")
    timeout = module.params["timeout"]
    if not 0 < timeout <= 3600:
        raise UserError("timeout between 0 and 3600 seconds", "%g" % timeout, "give another timeout")
    finder = Finder(environment, timeout)
    home = module.params["cuda_home"]
    toolkit = finder.at(home) if home is not None else finder.anywhere()
    if module.params["expect_version"] is not None:
        check_version(toolkit, module.params["expect_version"])
    machine = driver.look(environment, timeout)
    conflicts = toolkit.conflicts if toolkit else []
    for warning in finder.warnings + conflicts + machine.warnings:
        module.warn(warning)
    return {
        "changed": False,
        "toolkit": (
            {
                "home": toolkit.home,
                "version": toolkit.version,
                "source": toolkit.source,
                "nvcc": toolkit.nvcc,
                "lib_dir": toolkit.lib_dir,
                "conflicts": conflicts,
            }
            if toolkit
            else None
        ),
        "driver": machine.driver,
        "gpus": machine.gpus,
        "max_cuda": machine.driver["cuda_version"] if machine.driver else None,
    }


if __name__ == "__main__":
    main()
