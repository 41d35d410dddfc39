#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: conda_env
short_description: Make, change or remove a conda environment in one transaction
version_added: 0.1.0
description:
  - Makes an env hold the match specs that were asked for, solved together and installed in one transaction.
  - A first creation is atomic with the rattler engine. The others build an env where it is to stand, marked until it is
    whole, and take it away where that fails.
  - An env that was interrupted while being made or changed stays marked, and everything in this collection refuses it,
    until a rerun has mended it.
  - When the env's own record matches the request, nothing is solved, no engine is started and no network is used.
  - Envs made here are conda envs. C(conda list), C(conda env list) and C(conda install) work on them.
author: hpc.pytorch contributors (@hpc-pytorch)
extends_documentation_fragment:
  - hpc.pytorch.attributes
  - hpc.pytorch.attributes.action_group
attributes:
  check_mode:
    support: full
    details:
      - Where the engine or a channel on disk is not there yet, the result is C(changed) and names the specs that were
        asked for, unsolved.
  diff_mode:
    support: full
    details:
      - The diff is the list of packages.
options:
  prefix:
    description: Absolute path of the env. Give this or O(name).
    type: path
  name:
    description: Name of the env, a folder below O(envs_dir).
    type: str
  envs_dir:
    description: Folder that holds envs by name.
    type: path
    default: ~/.conda/envs
  packages:
    description: Match specs such as V(python=3.11) or V(pytorch>=2.5,<3).
    type: list
    elements: str
    default: []
  prune:
    description:
      - Whether packages that are neither listed in O(packages) nor needed by those are removed.
      - The default keeps what a user has added.
    type: bool
    default: false
  pip:
    description:
      - Lines of a pip requirements file, installed with the env's own pip after the packages. Their own options such as
        C(--hash) stand on the requirement's line; option lines such as C(--index-url), C(--extra-index-url),
        C(--find-links) and C(--require-hashes) keep their order.
      - Pip reads them from a file that nobody else can read, so an address may hold a password.
      - What C(pip.conf), C(PIP_*) variables and C(~/.netrc) of the user that the task runs as say of indexes, credentials and
        constraints counts too; what would install elsewhere than into the env does not.
      - A requirement that cannot be found or downloaded leaves the env as it was. One that cannot be built leaves no new env,
        and marks one that was there.
      - What is installed already and satisfies a requirement stays, whatever index it came from. To change between builds
        of one version, pin the build, as in V(torch==2.13.0+cu126).
    type: list
    elements: str
    default: []
  channels:
    description:
      - Channels, the one that wins first. A name, a URL or a path on the target.
      - By default those of the condarc files that conda would read, the engine's prefix being the root.
      - An address may hold credentials. They are on no command line and in no record of the env. For the engines conda,
        mamba and micromamba such a channel must be a folder of its server.
      - No channel at all is an error. V(defaults) is used only where it is named.
      - Credentials may stand in a URL, as V(https://user:password@host/channel) or V(https://host/t/TOKEN/channel), and win over
        those for its host in the file that E(RATTLER_AUTH_FILE) names, in a keyring, or in C(~/.netrc) (or the file that
        E(NETRC) names), of the user that the task runs as. A C(default) entry of netrc is not used.
      - Variables such as V(${TOKEN}) are filled in from the environment of that user, here and in a condarc. Do not set them
        with the keyword C(environment), since Ansible puts that on a command line.
      - Credentials are shown, logged and stored nowhere, and do not decide whether the env is unchanged.
    type: list
    elements: str
  channel_priority:
    description:
      - Whether a package comes only from the first channel that has it.
      - V(flexible) is treated as V(strict) by the rattler engine; the others know it.
      - By default V(strict); where the channels are the condarc's, what that says.
    type: str
    choices: [strict, flexible, disabled]
  lock_file:
    description:
      - Where it exists, exactly its packages are installed. Where it does not, it is written after solving.
      - Its format is rattler's own for that engine. The others write and read conda's explicit files, addresses with hashes
        as of C(conda list --explicit --sha256), since they cannot read rattler's; either is refused where the other is due.
      - O(state=latest) writes it anew.
    type: path
  engine:
    description:
      - What solves and installs. V(auto) is V(rattler).
      - V(conda) (24.9 or newer), V(mamba) and V(micromamba) (2.0 or newer) are for sites that have one and want it. An env
        that one engine has made, any other can change.
      - They are asked once what they would install; the run takes out what leaves or is replaced, then brings the rest from
        an explicit file of addresses and hashes, with the env marked from the first to the last.
      - Unlike rattler, they run the link scripts of packages, read the condarc files of user and site for what the play does
        not say (proxies, certificates), heed the env's C(conda-meta/pinned), and check downloads by the hash that the
        channel gives.
    type: str
    choices: [auto, rattler, conda, mamba, micromamba]
    default: auto
  executable:
    description:
      - The engine. For V(rattler) a Python that has py-rattler, such as C(bin/python) below the role conda's
        C(conda_engine_prefix); for the others the command itself, such as C(bin/conda) below its C(conda_prefix).
      - By default for V(rattler) this module's own interpreter if it has py-rattler, else the one below
        C(~/.local/share/hpc.pytorch/engine), else the one below C(/opt/hpc.pytorch/engine).
      - By default for the others the first command of that name in C($CONDA_ROOT/bin), the folders of E(PATH),
        C(/opt/conda/bin), C(~/miniforge3/bin), C(~/.local/bin).
      - As root, what somebody else could have written is refused.
    type: path
  cuda:
    description:
      - What the virtual package C(__cuda) is, such as V(12.8), for solving on a node without a driver; V(none) for a
        node whose driver is not to count.
      - By default the driver of the node, or the environment variable E(CONDA_OVERRIDE_CUDA).
    type: str
  package_cache:
    description:
      - Folder for downloaded and unpacked packages. Files are hard-linked from there where the file system allows it.
      - By default the first of the condarc's C(pkgs_dirs), else rattler's own, C(~/.cache/rattler/cache/pkgs); for the other
        engines what they have configured. Their packages and rattler's have different layouts.
    type: path
  compile:
    description:
      - Whether to write the C(.pyc) files of every module. Users of an env that they cannot write to would
        otherwise compile on each import.
    type: bool
    default: false
  register_envs:
    description: Whether to list the env in C(~/.conda/environments.txt), for C(conda env list).
    type: bool
    default: true
  verify:
    description:
      - Whether to read every file of the env, and to install packages again whose files were deleted or changed, whose symlinks
        lead elsewhere, or whose files the owner can no longer read or execute.
      - What pip installed for O(pip) is looked at and repaired too, in the same version. What somebody else installed with pip
        is named in a warning.
      - C(.pyc) files may differ, since Python rewrites them. Any other file of a package that is changed on purpose, such as
        a configuration in C(etc), is changed back.
      - A package whose record in C(conda-meta) is gone comes back without it.
    type: bool
    default: false
  state:
    description:
      - V(present) keeps what satisfies the request. V(latest) takes the newest versions that do. V(absent) removes the
        env; it refuses C(/), a home, a symlink, the base, and whatever is no env.
    type: str
    choices: [present, absent, latest]
    default: present
  progress_file:
    description: A file that must not exist yet, for progress lines. Set by the action plugin of the same name.
    type: path
notes:
  - The rattler engine does not run link scripts of packages.
seealso:
  - module: hpc.pytorch.conda_env_info
  - module: hpc.pytorch.conda_channel
"""

EXAMPLES = r"""
- name: Torch for this user, from the site's channels
  hpc.pytorch.conda_env:
    name: torch
    packages:
      - python=3.11
      - pytorch=2.13.*

- name: A CUDA build on a login node without a GPU
  hpc.pytorch.conda_env:
    prefix: /opt/app/envs/torch
    channels: [conda-forge]
    packages:
      - python=3.12
      - pytorch-gpu=2.9.*
      - cuda-version=12.9
    cuda: "12.9"
    compile: true

- name: Torch from the wheels for CUDA 12.6
  hpc.pytorch.conda_env:
    name: wheels
    channels: [conda-forge]
    packages: [python=3.12, pip]
    pip:
      - --index-url https://download.pytorch.org/whl/cu126
      - torch==2.13.0+cu126

- name: R, since envs are not about torch
  hpc.pytorch.conda_env:
    name: r
    channels: [conda-forge]
    packages: [r-base=4.4]

- name: With the micromamba that the site has
  hpc.pytorch.conda_env:
    name: torch
    channels: [conda-forge]
    packages: [python=3.12, pytorch]
    engine: micromamba
    executable: /opt/app/bin/micromamba

- name: No longer needed
  hpc.pytorch.conda_env:
    name: r
    state: absent
"""

RETURN = r"""
prefix:
  description: Absolute path of the env.
  type: str
  returned: always
  sample: /home/alice/.conda/envs/torch
engine:
  description: The engine that made or would make the env.
  type: str
  returned: when state is not absent
  sample: rattler
packages:
  description: What the env holds, or would hold in check mode.
  type: list
  elements: dict
  returned: when state is not absent and the request was solved
  contains:
    name:
      description: Name of the package.
      type: str
    version:
      description: Version.
      type: str
    build:
      description: Build string.
      type: str
    channel:
      description: The channel it came from, without credentials.
      type: str
actions:
  description: What was done, or would be.
  type: list
  elements: dict
  returned: always
  contains:
    action:
      description: One of install, remove, change, reinstall.
      type: str
    name:
      description: Name of the package.
      type: str
    from:
      description: Version and build before.
      type: str
    to:
      description: Version and build after.
      type: str
solved:
  description: Whether the request was solved. False only in check mode, where an earlier task would bring what is missing.
  type: bool
  returned: when state is not absent
solver:
  description: The solver's whole reason.
  type: str
  returned: when the request cannot be satisfied
"""

from ansible_collections.hpc.pytorch.plugins.module_utils._common.exit import answer
from ansible_collections.hpc.pytorch.plugins.module_utils._common.redacting_module import RedactingModule
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.apply.declare import declare_env


def main():
    module = RedactingModule(
        argument_spec={
            "prefix": {"type": "path"},
            "name": {"type": "str"},
            "envs_dir": {"type": "path", "default": "~/.conda/envs"},
            "packages": {"type": "list", "elements": "str", "default": []},
            "prune": {"type": "bool", "default": False},
            "pip": {"type": "list", "elements": "str", "default": []},
            "channels": {"type": "list", "elements": "str"},
            "channel_priority": {"type": "str", "choices": ["strict", "flexible", "disabled"]},
            "lock_file": {"type": "path"},
            "engine": {
                "type": "str",
                "choices": ["auto", "rattler", "conda", "mamba", "micromamba"],
                "default": "auto",
            },
            "executable": {"type": "path"},
            "cuda": {"type": "str"},
            "package_cache": {"type": "path"},
            "compile": {"type": "bool", "default": False},
            "register_envs": {"type": "bool", "default": True},
            "verify": {"type": "bool", "default": False},
            "state": {"type": "str", "choices": ["present", "absent", "latest"], "default": "present"},
            "progress_file": {"type": "path"},
        },
        mutually_exclusive=[("prefix", "name")],
        required_one_of=[("prefix", "name")],
        supports_check_mode=True,
    )
    answer(module, lambda: declare_env(module.params, module.check_mode))


if __name__ == "__main__":
    main()
