#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cuda_info
short_description: Find and check the CUDA toolkit, the NVIDIA driver and the GPUs
version_added: 1.0.0
author: "hpc.pytorch contributors (@hpc-pytorch)"
description:
  - Returns the CUDA toolkit and its version, the driver, the GPUs, and the newest CUDA that the driver can run.
  - Works on machines without a GPU, a driver or a toolkit; a missing part is V(null) or an empty list.
  - Fails if O(cuda_home) holds no toolkit, or another version than O(expect_version).
  - Reads files where possible. Each command has its own time limit, so a failed GPU does not delay the module.
  - As root it never executes an C(nvcc) or C(nvidia-smi) that another user can write.
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
  cuda_home:
    description:
      - The toolkit's folder. A symlink is allowed and is returned as given.
      - By default, the first toolkit of E(CUDA_HOME), C(/usr/local/cuda) and C(nvcc) on E(PATH).
    type: path
  expect_version:
    description:
      - The version that the toolkit must have. V(10.1) matches 10.1.243; V(10.10) does not match 10.1.
      - Quote it in YAML, where 12.10 without quotes is the number 12.1.
      - Sources that contradict each other are an error with this option and a warning without it.
    type: str
  timeout:
    description: How many seconds each command may take.
    type: float
    default: 20
"""

EXAMPLES = r"""
- name: Find the toolkit, the driver and the GPUs of this machine
  hpc.pytorch.cuda_info:
  register: cuda

- name: Check that CUDA 10.1 is in the folder that the cluster's guide names
  hpc.pytorch.cuda_info:
    cuda_home: /opt/pkgs/cuda/cuda-toolkit
    expect_version: "10.1"
"""

RETURN = r"""
toolkit:
  description: The toolkit, V(null) if there is none.
  returned: success
  type: dict
  contains:
    home:
      description: Its folder.
      type: str
      sample: /opt/pkgs/cuda/cuda-toolkit
    version:
      description: Its version. From C(nvcc) it is the compiler's, whose third number is another one since CUDA 11.
      type: str
      sample: 10.1.243
    source:
      description: Where the version is stated, C(version.json), C(version.txt) or C(nvcc).
      type: str
      sample: version.txt
    nvcc:
      description: The compiler, V(null) if there is none.
      type: str
      sample: /opt/pkgs/cuda/cuda-toolkit/bin/nvcc
    lib_dir:
      description: The folder C(lib64) or C(lib), V(null) if neither exists.
      type: str
      sample: /opt/pkgs/cuda/cuda-toolkit/lib64
    conflicts:
      description: The sources that state another version, one sentence each.
      type: list
      elements: str
      sample: []
driver:
  description: The driver, V(null) if there is none.
  returned: success
  type: dict
  contains:
    version:
      description: Its version.
      type: str
      sample: 535.104.05
    cuda_version:
      description: The newest CUDA version that it supports, as libcuda or nvidia-smi reports it.
      type: str
      sample: "12.2"
    source:
      description: Where the version was found, C(proc), C(nvidia-smi) or C(libcuda).
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
      description: Its compute capability, V(null) if the driver does not report it.
      type: str
      sample: "7.0"
max_cuda:
  description:
    - The newest CUDA version that the driver supports fully, V(null) without a driver.
    - From CUDA 11 on, programs for a later minor version of the same major version run too, without its new features.
  returned: success
  type: str
  sample: "12.2"
"""

import os

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._common.exit import answer
from ..module_utils._cuda.info import Options, describe_cuda


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "cuda_home": {"type": "path"},
            "expect_version": {"type": "str"},
            "timeout": {"type": "float", "default": 20},
        },
        supports_check_mode=True,
    )
    answer(module, lambda: describe_cuda(Options.from_params(module.params), os.environ, module.warn))


if __name__ == "__main__":
    main()
