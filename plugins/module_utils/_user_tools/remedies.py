# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The remedies of torch_info for a person at a shell, who has no playbook. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re

_BUILDS = "https://pytorch.org/get-started/previous-versions/ lists them"

# What torch_info writes, as a pattern, and what a person without Ansible can do instead. The first ones come first.
RULES: tuple[tuple[str, str], ...] = (
    (
        r"run hpc\.pytorch\.conda_env or the role hpc\.pytorch\.torch_env again, which repairs the environment",
        "run the playbook that made the environment again, or ask its owner to",
    ),
    # https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-virtual.html
    (
        r" and set the option cuda of hpc\.pytorch\.conda_env when the node that installs has no GPU",
        ", and with conda set CONDA_OVERRIDE_CUDA to the CUDA of the GPU nodes if the node that installs has no GPU",
    ),
    (r" with the role hpc\.pytorch\.torch_env", ""),
    (r" \(the role hpc\.pytorch\.torch_env\)", ""),
    (r"the filter hpc\.pytorch\.torch_build finds it", _BUILDS),
    (r": the filter hpc\.pytorch\.torch_build names the newest one for gpus: \[[^]]*\]", " (%s)" % _BUILDS),
    (r"the filter hpc\.pytorch\.torch_build names it for gpus: \[[^]]*\]", _BUILDS),
    (r"repair the environment \(hpc\.pytorch\.conda_env with verify: true\), or create it again", "create it again"),
    (r"repair the environment with hpc\.pytorch\.conda_env and verify: true", "create the environment again"),
    (r"(?:hpc\.pytorch\.)?conda_env with verify: true", "conda install --force-reinstall"),
    (r"give the task more memory", "ask for more memory (--mem)"),
    (r"run the task as the owner with become_user", "run this as the owner"),
    (r"run the task as the owner of the files", "run this as the owner of the files"),
    (r" \(become_user\)", ""),
    (r"the GPU type in the inventory \(hpc_gpu_type\)", "--expect-gpu"),
    (r": in the inventory, hpc_gpu_type, or gpu_types of hpc\.pytorch\.slurm", ""),
    (r"a platform of this collection", "supported here"),
    (r"\bexpect_cuda\b", "--expect-cuda"),
    (r"\bexpect_devices\b", "--expect-gpus"),
    (r"\bexpect_gpu\b", "--expect-gpu"),
    (r"\bdevice_timeout\b", "--device-timeout"),
    (r"(?<!-)\btimeout (?=to be at least|if it is)", "--timeout "),
)


def for_a_shell(text: str) -> str:
    """*text* with the options of torch-verdict and without Ansible.

    ``for_a_shell("expected expect_devices to be 0 or more")`` is ``"expected --expect-gpus to be 0 or more"``.
    """
    for pattern, instead in RULES:
        text = re.sub(pattern, instead.replace("\\", "\\\\"), text)
    return text
