# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter jupyter_kernel_files: the entry point of module_utils/_jupyter/files.py."""

from __future__ import annotations

DOCUMENTATION = r"""
name: jupyter_kernel_files
short_description: Build the files of a kernel of JupyterLab
version_added: 1.0.0
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Returns what M(hpc.pytorch.host_files) needs to write a kernel. Its launcher runs with the Python of JupyterLab and
    without Ansible.
  - The same collection gives the same bytes on every controller.
  - The role P(hpc.pytorch.jupyter_kernel#role) uses it.
positional: _input, folder
options:
  _input:
    description:
      - The kernel, with C(name), C(display_name), C(start) (C(local) or C(slurm)) and C(options), which are those of
        M(hpc.pytorch.sbatch_script) for the environment and the job.
      - It may have C(expect_cuda), C(cuda_home), C(cuda_libraries) and C(cuda_lib_folder).
    type: dict
    required: true
  folder:
    description: The folder of the kernel, which gets the files.
    type: path
    required: true
  state:
    description: With V(absent) the result removes the files.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: A kernel in a job
  hpc.pytorch.host_files:
    files: "{{ kernel | hpc.pytorch.jupyter_kernel_files('~/.local/share/jupyter/kernels/torch') }}"
  vars:
    kernel:
      name: torch
      display_name: PyTorch
      start: slurm
      options: {conda_env: ~/.conda/envs/torch, partition: titan, gres: "gpu:1"}
"""

RETURN = r"""
_value:
  description: Elements of the option O(hpc.pytorch.host_files#module:files).
  type: list
  elements: dict
"""

import base64
import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError


def jupyter_kernel_files(wanted: t.Mapping[str, t.Any], folder: str, state: str = "present") -> list[dict[str, t.Any]]:
    """See the documentation above."""
    # Not before: Ansible loads all filters of a collection with the first one.
    from ansible_collections.hpc.pytorch.plugins.module_utils._jupyter.files import Kernel, kernel_files

    try:
        found = kernel_files(Kernel(**wanted))
    except (UserError, TypeError) as error:
        raise AnsibleFilterError("jupyter_kernel_files: %s" % error) from error
    folder = folder.rstrip("/")
    if state == "absent":
        return [{"path": "%s/%s" % (folder, name), "state": "absent"} for name in found]
    return [
        {
            "path": "%s/%s" % (folder, name),
            "content_base64": base64.b64encode(content).decode("ascii"),
            "mode": "0644",
        }
        for name, content in found.items()
    ]


class FilterModule:
    """The filters of this file, for Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"jupyter_kernel_files": jupyter_kernel_files}
