#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: torch_info
version_added: 1.0.0
short_description: Test whether the PyTorch of an environment computes, on which GPUs, and if not, why
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Runs the environment's own Python, imports C(torch), and computes on the CPU and on every GPU that torch sees.
    Each GPU multiplies matrices, convolves an image and copies memory; two or more of them add up numbers together by
    NCCL. The module checks the results and returns one verdict with its reasons.
  - Keeps the variables of the task as a job would have them, E(LD_LIBRARY_PATH) among them, with the environment's
    C(bin) first in E(PATH).
  - A torch that hangs or crashes is a result like any other. After its time limit the probe is killed with everything
    that it started. A GPU that hangs or crashes does not hide the others.
  - If something fails, the module checks the node's device files, driver library, NVML and kernel log for the cause,
    and tries what failed once more without E(LD_LIBRARY_PATH) and E(LD_PRELOAD), and once more with the environment's
    own packages alone.
  - Changes nothing on the machine. No bytecode, kernel cache, core dump or process is left behind.
  - A broken torch never makes the task fail; check RV(verdict), as the role P(hpc.pytorch.torch_check#role) does.
options:
  prefix:
    description:
      - The folder of a conda environment or virtual environment, an absolute path. The module runs its C(bin/python).
      - An environment that M(hpc.pytorch.conda_env) could not finish changing is refused.
      - Exactly one of this and O(python) is required.
    type: path
  python:
    description:
      - The Python to run, an absolute path.
    type: path
  expect_cuda:
    description:
      - Whether there must be at least one GPU that torch can use (V(true)) or none (V(false)).
      - If neither this nor O(expect_devices) is set, any number of GPUs is accepted, none included.
      - A GPU that is there must work in any case.
    type: bool
  expect_devices:
    description:
      - The exact number of GPUs that torch must see. V(0) means the same as O(expect_cuda=false).
      - It must not contradict O(expect_cuda).
    type: int
  expect_gpu:
    description:
      - The accepted GPUs; every GPU that torch sees must be one of these.
      - V(7.0) is a compute capability. Everything else is the spelling of a model, also with brand, memory and form
        factor, as Slurm's GRES types have it; V(titan-v) is C(NVIDIA TITAN V) and not C(TITAN Xp), V(h100) is
        C(NVIDIA H100 80GB HBM3), V(rtx-6000) is not C(NVIDIA RTX 6000 Ada Generation).
      - Memory counts if the GPU's name states it; V(a100-40gb) is not C(NVIDIA A100-SXM4-80GB). The memory of a slice
        (MIG) does not count.
      - With a name that says nothing about the GPU, such as V(ampere) or V(fast), any GPU is accepted, with a warning.
      - Does not require that there is a GPU; O(expect_cuda) and O(expect_devices) do.
    type: list
    elements: str
    default: []
  expect_from:
    description:
      - Whose word O(expect_devices) and O(expect_gpu) are.
      - With V(site) the site declares them for this node, and all of it must be true.
      - With V(slurm) they are what Slurm's configuration (GRES) says. GPUs that all compute are V(ok), even if Slurm
        knows of fewer or calls them by another name; RV(reasons) has the difference. Fewer GPUs are V(failed), unless
        torch sees a slice of a GPU (MIG), since a process sees only one.
    type: str
    choices: [site, slurm]
    default: site
  timeout:
    description:
      - How many seconds the whole probe may take.
    type: int
    default: 120
  device_timeout:
    description:
      - How many seconds each GPU may take, and also the all-reduce and each check of a driver in trouble.
      - A step that takes longer is abandoned, and the probe goes on with the rest until O(timeout).
    type: int
    default: 30
extends_documentation_fragment:
  - hpc.pytorch.attributes.action_group
attributes:
  check_mode:
    support: full
    description: Can run in check mode and give the same result, as nothing is changed.
  diff_mode:
    support: none
    description: Can show what changed, which is nothing.
notes:
  - As root, a Python or environment that another user can write is refused, and so is such a folder in
    E(LD_LIBRARY_PATH), E(LD_PRELOAD) or E(PYTHONPATH). Run the task with C(become_user).
  - The task fails if the caller can fix the problem in the task or before it, such as expectations that contradict each
    other, a path that is not an environment, or an environment that was interrupted while being changed.
  - The environment may have Python 3.6 or newer and torch 1.4 or newer.
seealso:
  - module: hpc.pytorch.cuda_info
  - module: hpc.pytorch.conda_env_info
"""

EXAMPLES = r"""
- name: Test the torch of an environment
  hpc.pytorch.torch_info:
    prefix: "~/.conda/envs/torch"
  register: torch

- name: Show the verdict and its reasons
  ansible.builtin.debug:
    msg: "{{ torch.summary }}"

- name: Expect four GPUs that work, within a minute
  hpc.pytorch.torch_info:
    prefix: /opt/app/envs/torch
    expect_devices: 4
    expect_gpu: [titan-v, v100]
    timeout: 60
  register: torch
  failed_when: torch.verdict != 'ok'
"""

RETURN = r"""
verdict:
  description:
    - V(ok) if every expectation is met, there is a GPU, and every GPU passed.
    - V(cpu_only) if torch computes, there is no usable GPU and none was expected.
    - V(failed) otherwise.
  returned: success
  type: str
  sample: cpu_only
summary:
  description: The verdict and its reasons on one line.
  returned: success
  type: str
  sample: "cpu_only: torch 2.13.0+cpu; cpu_only_build - torch 2.13.0+cpu is built without CUDA"
reasons:
  description:
    - Why torch failed, or why there is no GPU, the nearest cause first.
    - Empty for the verdict V(ok).
  returned: success
  type: list
  elements: dict
  contains:
    code:
      description:
        # >>> generated: reason codes
        - V(probe_timeout), a GPU or all of the probe did not answer in time.
        - V(torch_missing), there is no torch in the environment.
        - V(user_site_shadow), packages from outside the environment come before its own.
        - V(ld_library_path_shadow), E(LD_LIBRARY_PATH) or E(LD_PRELOAD) put other CUDA libraries before torch's own,
          and without them it works.
        - V(bad_setting), a variable that sets torch or CUDA makes it fail.
        - V(import_failed), C(import torch) raises or crashes, or Python itself does not start.
        - V(compute_failed), torch does not compute on the CPU, or computes wrong results.
        - V(numpy_mismatch), torch cannot use the numpy of its environment.
        - V(cpu_only_build), torch is built without CUDA.
        - V(no_driver), the node has no NVIDIA driver, or no library to reach it by.
        - V(stub_or_compat_libcuda), the driver's library is a stub, of the package cuda-compat, or not of the kernel
          module's release.
        - V(driver_too_old), the driver does not run this build's CUDA.
        - V(fabric_manager_802), the NVSwitch fabric is not ready.
        - V(exclusive_or_busy), another process has the GPU or its memory, or no process may use it.
        - V(slurm_cgroup), the job was given no GPU, or fewer than there are.
        - V(cuda_visible_devices), the variable E(CUDA_VISIBLE_DEVICES) hides GPUs.
        - V(mig), the GPUs are divided into instances (MIG).
        - V(hmm_kaslr), the module nvidia-uvm finds no room in the kernel's address space.
        - V(missing_uvm), the module nvidia-uvm or its device file is missing.
        - V(cuda_unavailable), CUDA does not start and none of the above is why.
        - V(arch_mismatch), torch has no code for this GPU's architecture.
        - V(cudnn_too_new), the environment's cuDNN has no kernels for this GPU any more.
        - V(library_failed), a CUDA library of the environment fails on a GPU, and nothing says that the GPU is at
          fault.
        - V(device_failed), a GPU does not compute, computes wrong results, or crashed the probe.
        - V(nccl_failed), the GPUs compute one by one but not together.
        - V(device_type_mismatch), a GPU is certainly not what O(expect_gpu) says.
        - V(device_count_mismatch), there are GPUs but not as many as expected.
        # <<< generated: reason codes
        - The page C(docs/causes.md) of the collection explains each.
      type: str
      sample: cpu_only_build
    message:
      description: What was found.
      type: str
    remedy:
      description: What to do about it.
      type: str
torch:
  description: The torch that was imported. Every value is none if the import failed.
  returned: success
  type: dict
  contains:
    version:
      description: Its version with the local part.
      type: str
      sample: 2.13.0+cpu
    cuda:
      description: The CUDA version it was built for, none for a build without CUDA.
      type: str
    hip:
      description: The ROCm version it was built for, none for other builds.
      type: str
    git:
      description: The commit it was built from.
      type: str
    path:
      description: Its folder, also known if a torch was found and its import failed.
      type: str
    cudnn:
      description: The cuDNN that a GPU used, none if there was no GPU.
      type: str
      sample: 9.10.2
    archs:
      description: The GPU architectures that it has code for.
      type: list
      elements: str
      sample: [sm_75, sm_80, sm_90]
python:
  description: The Python that ran. Every value is none if it did not start.
  returned: success
  type: dict
  contains:
    version:
      description: Its version.
      type: str
      sample: 3.11.7
    executable:
      description: Its path.
      type: str
    prefix:
      description: The environment that it belongs to, C(sys.prefix).
      type: str
    user_site:
      description: The folder in the home directory whose packages come before the environment's, none if there is none.
      type: str
cuda_available:
  description: The result of C(torch.cuda.is_available).
  returned: success
  type: bool
devices:
  description: The GPUs that torch sees, each tested.
  returned: success
  type: list
  elements: dict
  contains:
    index:
      description: Its number in torch.
      type: int
    name:
      description: Its name.
      type: str
      sample: NVIDIA H100 80GB HBM3
    compute_capability:
      description: Its compute capability.
      type: str
      sample: "9.0"
    memory:
      description: Its memory in bytes.
      type: int
    passed:
      description: Whether every kernel ran on it with the right result.
      type: bool
    error:
      description: The error, none if there was none.
      type: str
    seconds:
      description: How long its tests took, none if they did not end.
      type: float
    kernels:
      description:
        - How many seconds each of its tests took, none for one that failed.
        - The keys are C(matmul), multiplying two matrices (the first test on a GPU also starts it), C(conv2d),
          convolving an image, which cuDNN does, and C(copy), copying 16 MiB there and back.
        - In Jinja write C(kernels['copy']), since a dictionary has a method of that name.
      type: dict
      sample: {matmul: 0.31, conv2d: 0.52, copy: 0.01}
nccl:
  description: NVIDIA's library for several GPUs.
  returned: success
  type: dict
  contains:
    version:
      description: Its version, none for a torch without it.
      type: str
      sample: 2.27.3
    all_reduce:
      description: Whether the sum over all GPUs that passed was right, none if there were fewer than two.
      type: bool
    devices:
      description: The GPUs that took part.
      type: list
      elements: int
    error:
      description: The error, none if there was none.
      type: str
    seconds:
      description: How long it took.
      type: float
shadowed:
  description: The CUDA libraries and packages in use that come from outside the environment although that has its own.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the library's file, or of the package.
      type: str
      sample: libcudnn.so.9.1.0
    path:
      description: Its path.
      type: str
      sample: /opt/pkgs/cuda/cuda-toolkit/lib64/libcudnn.so.9.1.0
    instead:
      description: The environment's own.
      type: str
node:
  description: The node. Values are none or empty if they were not checked.
  returned: success
  type: dict
  contains:
    hostname:
      description: Its name.
      type: str
    driver:
      description: The release of the driver's kernel module.
      type: str
      sample: 580.65.06
    cuda:
      description: The newest CUDA that the driver supports.
      type: str
      sample: "13.0"
    libcuda:
      description: The driver's library that was loaded.
      type: str
    gpus:
      description: How many GPUs the kernel module drives, also those that the task may not use.
      type: int
    variables:
      description: The variables that matter, such as E(CUDA_VISIBLE_DEVICES), E(LD_LIBRARY_PATH) and Slurm's.
      type: dict
    libraries:
      description: The CUDA libraries in the folders of E(LD_LIBRARY_PATH), and those in E(LD_PRELOAD).
      type: list
      elements: str
    kernel_log:
      description: The driver's last lines in the kernel's log, if something failed and the user may read it.
      type: list
      elements: str
step:
  description: The last step that the probe reached, C(end) if it reached its end.
  returned: success
  type: str
  sample: end
seconds:
  description: How long the probe took.
  returned: success
  type: float
output:
  description: The end of what the probe printed, if the verdict is V(failed).
  returned: success
  type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._common.exit import answer
from ..module_utils._torch.info import Options, describe_torch


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "prefix": {"type": "path"},
            "python": {"type": "path"},
            "expect_cuda": {"type": "bool"},
            "expect_devices": {"type": "int"},
            "expect_gpu": {"type": "list", "elements": "str", "default": []},
            "expect_from": {"type": "str", "choices": ["site", "slurm"], "default": "site"},
            "timeout": {"type": "int", "default": 120},
            "device_timeout": {"type": "int", "default": 30},
        },
        mutually_exclusive=[("prefix", "python")],
        required_one_of=[("prefix", "python")],
        supports_check_mode=True,
    )
    answer(module, lambda: describe_torch(Options.from_params(module.params), module.warn))


if __name__ == "__main__":
    main()
