# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter torch_build: the entry point of plugin_utils/_torch_build."""

from __future__ import annotations

DOCUMENTATION = r"""
name: torch_build
short_description: Choose the newest PyTorch build that runs on all of these GPUs
version_added: 1.0.0
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Chooses the PyTorch build with CUDA that runs on every given GPU and meets the given driver, CUDA, Python, glibc,
    source and version, and returns exactly what to install for it.
  - A build runs on a GPU if it has kernels for it, if the cuDNN that it brings has some too, and if the driver drives
    it.
  - Chooses the newest build that fits, by torch, then by CUDA. Of builds that are equal in both, a verified one comes
    first, then conda-forge, then the channel pytorch, then wheels.
  - The data (every release from 1.0 on, its builds, their kernels, the drivers) is YAML in the collection, each row
    with its source. Unverified rows are marked, and choosing one gives a warning.
  - Runs on the controller, uses no network, and needs no GPU.
positional: _input
options:
  _input:
    description:
      - A mapping of the other options, or a list of GPU types for O(gpus).
    type: raw
    required: true
  gpus:
    description:
      - GPU types such as V(titan-v), V(v100), V(a100-80gb), V(h100), or compute capabilities such as V("7.0"). The
        build runs on all of them. Those of the input and of this option are combined. Without any, every build with
        CUDA fits.
    type: list
    elements: str
  driver:
    description:
      - The version of the NVIDIA driver, such as V(550.54.15), or a list of the nodes' versions. The oldest one must
        run the build, and the newest one must drive the newest GPU.
    type: raw
  cuda:
    description:
      - The CUDA that the build is made for, such as V("10.1"). To match a driver, use O(driver) instead.
    type: str
  python:
    description: The version of Python, such as V("3.8"). By default the newest but one that the build supports.
    type: str
  glibc:
    description:
      - The version of the nodes' C library, such as V("2.17") for EL 7 or V("2.28") for EL 8, or a list of versions, of
        which the oldest counts. C(getconf GNU_LIBC_VERSION) prints it. By default every build fits.
    type: raw
  source:
    description: The source of the build. By default any source fits.
    type: str
    choices: [pytorch, conda-forge, wheels]
  torch:
    description: A version or a series, such as V(1.7.1), V("2.13") or V(2.13.*).
    type: str
  platform:
    description:
      - The platform of the nodes. V(linux-aarch64) is for servers with 64-bit ARM processors, such as GH200 and GB200.
        A GPU that only such hosts have gives a warning with V(linux-64). Jetson modules before Thor are refused, as
        they need NVIDIA's own builds.
    type: str
    choices: [linux-64, linux-aarch64]
    default: linux-64
  rows:
    description:
      - Further rows of the site, in the format of the collection's own files
        (C(plugins/plugin_utils/_torch_build/data)), which is described at the top of each. Keys are V(releases),
        V(architectures), V(toolkit), V(family), V(toolkit_driver), V(cudnn), V(brings_cudnn), V(glibc),
        V(needs), V(hosts), V(gpus) and V(ambiguous). Builds and architectures have V(platform), by default V(linux-64).
      - A site's rows come before the collection's; a build of the same torch, CUDA and source replaces that of the
        collection.
    type: dict
notes:
  - A kernel for compute capability X.y runs on X.z if z is not less than y. Code that the driver has to compile first
    (PTX) counts only if there is no kernel, and gives a warning.
  - From CUDA 11 on a driver runs everything of its CUDA's major version; below, the exact toolkit counts.
  - A torch before 2.3 was built for numpy 1, so RV(_value.packages) then has C(numpy<2), unless the Python is too old
    for numpy 2 or the build is conda-forge's, which says so itself.
"""

EXAMPLES = r"""
- name: Choose a build for every partition of a cluster
  ansible.builtin.debug:
    msg: "{{ ['titan-v', 'a100', 'h100'] | hpc.pytorch.torch_build(source='wheels') }}"

- name: Choose a build for nodes with GH200
  ansible.builtin.debug:
    msg: "{{ ['gh200'] | hpc.pytorch.torch_build(platform='linux-aarch64', driver='550.54.15') }}"

- name: Choose a build for CUDA 10.1 in the channel pytorch
  ansible.builtin.debug:
    msg: "{{ {'cuda': '10.1', 'python': '3.8', 'source': 'pytorch'} | hpc.pytorch.torch_build }}"
# torch 1.8.1, torchvision 0.9.1, packages python=3.8, pytorch=1.8.1=py3.8_cuda10.1*, ..., cudatoolkit=10.1, mkl<2024.1

- name: Install it
  hpc.pytorch.conda_env:
    name: torch
    packages: "{{ build.packages }}"
    pip: "{{ build.pip_options + build.pip }}"
    channels: "{{ build.channels }}"
    cuda: "{{ build.cuda_override or omit }}"
  vars:
    build: "{{ {'gpus': ['v100'], 'driver': '550.54.15'} | hpc.pytorch.torch_build }}"

- name: Add a GPU type and a build that the collection does not know yet
  ansible.builtin.debug:
    msg: "{{ ['x200'] | hpc.pytorch.torch_build(rows=site_rows) }}"
  vars:
    site_rows:
      gpus:
        - {names: [x200], capability: "12.0"}
      releases:
        - torch: 2.16.0
          torchvision: 0.30.0
          python: {min: "3.11", max: "3.15"}
          builds:
            - {source: wheels, cuda: "13.2", local: cu132, index: https://download.pytorch.org/whl/cu132}
"""

RETURN = r"""
_value:
  description: The build and what to install for it.
  type: dict
  contains:
    torch:
      description: Torch's version.
      type: str
    torchvision:
      description: The torchvision for it, or null. From conda-forge its major and minor version are requested.
      type: str
    torchaudio:
      description: The torchaudio for it, or null.
      type: str
    python:
      description: Python's major and minor version.
      type: str
    cuda:
      description: The CUDA that the build is made for.
      type: str
    source:
      description: V(pytorch), V(conda-forge) or V(wheels).
      type: str
    packages:
      description: Match specs for conda, Python among them.
      type: list
      elements: str
    pip:
      description: Requirements for pip; empty unless RV(_value.source=wheels).
      type: list
      elements: str
    pip_options:
      description: Option lines of a pip requirements file that go before RV(_value.pip).
      type: list
      elements: str
    channels:
      description: Conda channels, the one with the highest priority first.
      type: list
      elements: str
    index:
      description:
        - The index of the wheels, or null if they are on the package index or RV(_value.pip) has their addresses. For
          some older ones a page of links, which ends in C(.html) and is for C(--find-links).
      type: str
    cuda_override:
      description: The value of C(__cuda) for solving on a node without a GPU, or null if no package depends on it.
      type: str
    capabilities:
      description: The compute capabilities of the given GPUs, the lowest first.
      type: list
      elements: str
    driver:
      description: The oldest driver that runs the build on these GPUs. It drives each of them, if one driver can.
      type: str
    warnings:
      description: What is unverified or slow about the build.
      type: list
      elements: str
    evidence:
      description: The sources of the rows, by their names in the data files.
      type: list
      elements: str
"""

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError


def torch_build(value: t.Any, rows: t.Mapping[str, t.Any] | None = None, **keywords: t.Any) -> dict[str, t.Any]:
    """See DOCUMENTATION."""
    # Not before: Ansible loads all filters of a collection with the first one.
    from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.choose import choose

    try:
        return choose(value, dict(keywords, rows=rows))
    except UserError as error:
        raise AnsibleFilterError("torch_build: %s" % error) from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"torch_build": torch_build}
