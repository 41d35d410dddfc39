#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: conda_env
short_description: Make, change or remove a conda environment in one transaction
version_added: 1.0.0
description:
  - Makes an env hold the requested match specs, solved together and installed in one transaction.
  - With the rattler engine a first creation is atomic. The other engines build an env at its prefix, marked until it is
    complete, and remove it if that fails.
  - An env that was interrupted while being made or changed stays marked. Everything in this collection refuses it until
    a rerun has repaired it.
  - If the env's own record matches the request, nothing is solved, no engine is started and no network is used.
  - Envs made here are conda envs. C(conda list), C(conda env list) and C(conda install) work on them.
author: hpc.pytorch contributors (@hpc-pytorch)
extends_documentation_fragment:
  - hpc.pytorch.attributes
  - hpc.pytorch.attributes.action_group
attributes:
  check_mode:
    support: full
    details:
      - If the engine or a channel on disk does not exist yet, the result is C(changed) and names the requested specs,
        unsolved.
  diff_mode:
    support: full
    details:
      - The diff is the list of packages.
options:
  prefix:
    description: Absolute path of the env. Set this or O(name).
    type: path
  name:
    description: Name of the env, a folder below O(envs_dir).
    type: str
  envs_dir:
    description: Folder that holds envs by name.
    type: path
    default: ~/.conda/envs
  packages:
    description:
      - Match specs such as V(python=3.11) or V(pytorch>=2.5,<3).
      - A package without a sha256 in its channel's index or in the lock file is refused, unless it is in a folder that
        only root can write or, for another user, that is not open to all.
    type: list
    elements: str
    default: []
  prune:
    description:
      - Whether to remove packages that are neither listed in O(packages) nor needed by those.
      - The default keeps what a user has added.
    type: bool
    default: false
  pip:
    description:
      - Lines of a pip requirements file, installed with the env's own pip after the packages. Without one, that of the
        engine rattler is used, and V(pip) may be one of the lines. Options of one requirement, such as C(--hash), are
        on its line; option lines such as C(--index-url), C(--extra-index-url), C(--find-links) and C(--require-hashes)
        keep their order.
      - Pip reads them from a private file, so an address may hold a password. Those for C(git+https) are given to git
        in its environment (git 2.31 or newer), not on its command line.
      - As root, files, folders and indexes that a line names must be such that only root can write them, also those
        in a file after C(-r) or C(-c), and in pip's own settings.
      - Indexes, credentials and constraints in C(pip.conf), C(PIP_*) variables and C(~/.netrc) of the user that the
        task runs as count too. Settings that would install outside the env do not.
      - If a requirement cannot be found or downloaded, the env stays as it was. If one cannot be built, a new env is
        removed, and an existing one is marked.
      - An installed distribution that satisfies a requirement stays, whatever index it came from. To change between
        builds of one version, pin the build, as in V(torch==2.13.0+cu126).
      - What conda brought is a constraint for pip. A requirement that needs another version of it, directly or through
        a dependency, is refused, and the error names it. Free are pip, setuptools and wheel, and what a line names by
        itself, but never torch, torchvision, torchaudio, triton, numpy and the C(nvidia-) distributions, since compiled
        packages depend on their very version.
    type: list
    elements: str
    default: []
  wheel_refuse:
    description:
      - Patterns of projects that O(pip) must not bring, such as V(nvidia-*). If it would, the module fails before they
        are downloaded, and a new env is removed.
    type: list
    elements: str
    default: []
  wheel_max_megabytes:
    description:
      - Size of the largest wheel that O(pip) may download, in megabytes. V(0) means no limit.
    type: int
    default: 0
  cpu_index:
    description:
      - Address of an index with CPU builds of projects whose other builds bring CUDA. Pip uses it in addition to the
        package index if it answers within three seconds.
      - Like O(wheel_refuse) and O(wheel_max_megabytes), it does not decide whether the env is unchanged.
    type: str
  expect_torch:
    description:
      - The torch that the env must hold in the end. If it certainly holds another one, or one that was built for
        another CUDA or for none, this is an error, and a new env is removed. If the pip of an existing env put another
        torch in the place of conda's, conda's is installed again.
      - It is read from the file C(torch/version.py) or the metadata in the env. An env without torch passes.
    type: dict
    suboptions:
      version:
        description: The release, or its first numbers, such as V(2.13). By default any.
        type: str
      cuda:
        description: The CUDA that it was built for, or its first number, such as V(12.6) or V(12). By default any.
        type: str
  channels:
    description:
      - Channels, the one that wins first. Each is a name, a URL or a path on the target.
      - By default the channels of the condarc files that conda would read, with the engine's prefix as its root.
      - Having no channel is an error. V(defaults) is used only if it is listed.
      - A URL may hold credentials, as V(https://user:password@host/channel) or V(https://host/t/TOKEN/channel). They
        win over those for its host in the file that E(RATTLER_AUTH_FILE) names, in a keyring, or in C(~/.netrc) (or the
        file that E(NETRC) names), of the user that the task runs as. A C(default) entry of netrc is not used.
      - For the engines conda, mamba and micromamba a channel with credentials must be in a folder of its server. These
        tools write the credentials into their package cache, where conda_env removes them when the tool has ended.
        Until then users who can read the cache can read them.
      - Variables such as V(${TOKEN}) are filled in from the environment of that user, here and in a condarc. Do not set
        them with the keyword C(environment), since Ansible puts that on a command line.
      - Credentials are never shown, logged, stored in the env or put on a command line, and do not decide whether the
        env is unchanged. A query string, such as C(?sig=), counts as one.
      - As root, a channel on disk is refused if another user can write its folder, the folders and indexes of its
        platforms, or a package that is taken from it. So is a form that tools read differently, such as a relative
        path.
      - As root, a channel on the network must not lead to files of this machine.
    type: list
    elements: str
  channel_priority:
    description:
      - Whether a package comes only from the first channel that has it.
      - The rattler engine treats V(flexible) as V(strict).
      - By default V(strict). If the channels come from a condarc, its setting counts.
    type: str
    choices: [strict, flexible, disabled]
  lock_file:
    description:
      - If it exists, exactly its packages are installed. If not, it is written after solving.
      - The rattler engine uses its own format. The others cannot read that, so they use conda's explicit files
        (addresses with hashes, as C(conda list --explicit --sha256) prints them). A file of the other format is
        refused.
      - O(state=latest) writes it again.
      - As root, a file is refused if one of its packages comes from another place than O(channels) and the addresses in
        O(packages).
    type: path
  engine:
    description:
      # >>> generated: engines
      - What solves and installs. V(auto) is V(rattler).
      - The oldest versions that can be used are V(conda) 24.9, V(mamba) 2.0, V(micromamba) 2.0.
      # <<< generated: engines
      - V(conda), V(mamba) and V(micromamba) are for sites that have one and want to use it. Each engine can change an
        env that another one made.
      - They solve once, as a dry run. Then they remove what leaves or is replaced and install the rest from an explicit
        file of addresses and hashes. The env is marked during all of that.
      - They put a package's files where the package says, and run its link scripts. Records that lead outside the env
        are found only afterwards, when the env is refused. Use them with channels that you trust.
      - Unlike rattler, they read the condarc files of user and site for other
        settings (proxies, certificates), respect the env's C(conda-meta/pinned), and check downloads by the hash that
        the channel gives.
    type: str
    # >>> generated: engine choices
    choices: [auto, rattler, conda, mamba, micromamba]
    # <<< generated: engine choices
    default: auto
  executable:
    description:
      - The engine. For V(rattler) a Python that has py-rattler, such as C(bin/python) below C(conda_engine_prefix) of
        role conda; for the others the command itself, such as C(bin/conda) below its C(conda_prefix).
      - By default for V(rattler) this module's own interpreter if it has py-rattler, else the one below
        C(~/.local/share/hpc.pytorch/engine), else the one below C(/opt/hpc.pytorch/engine).
      - By default for the others the first command of that name in C($CONDA_ROOT/bin), the folders of E(PATH),
        C(/opt/conda/bin), C(~/miniforge3/bin), C(~/.local/bin).
      - As root, an engine that another user could have written is refused.
    type: path
  cuda:
    description:
      - The version of the virtual package C(__cuda), such as V(12.8), for solving on a node without a driver; V(none)
        to ignore the node's driver.
      - By default the driver of the node, or the environment variable E(CONDA_OVERRIDE_CUDA).
    type: str
  package_cache:
    description:
      - Folder for downloaded and unpacked packages. Files are hard-linked from there if the file system allows it.
      - The rattler engine links only packages that it has unpacked and checked there itself. It checks where each file
        of a package would go, and the hash that the package has for it.
      - A cache belongs to one user. If other users can write into the folder, root refuses it, and for another user
        C(~/.cache/rattler/cache/pkgs) is used instead.
      - By default the first writable folder of the condarc's C(pkgs_dirs), else rattler's own,
        C(~/.cache/rattler/cache/pkgs); for the other engines the folder that they are configured for. Their layout
        differs from rattler's.
    type: path
  compile:
    description:
      - Whether to write the C(.pyc) files of every module. Otherwise users who cannot write to the env compile on each
        import. What O(pip) installs is then compiled only if root runs the module.
    type: bool
    default: false
  register_envs:
    description: Whether to list the env in C(~/.conda/environments.txt), for C(conda env list).
    type: bool
    default: true
  verify:
    description:
      - Whether to read every file of the env, and to install packages again whose files were deleted or changed, whose
        symlinks lead elsewhere, or whose files the owner can no longer read or execute.
      - Distributions that pip installed for O(pip) are checked and repaired too, in the same version. A warning names
        damaged ones that were installed with pip in another way.
      - C(.pyc) files may differ, since Python rewrites them. Any other changed file of a package, such as a
        configuration in C(etc), is changed back.
      - A package is also installed if its record in C(conda-meta) was deleted, even without this option.
      - A package whose distribution was replaced by hand, with the env's pip, is installed again, and pip's is removed.
        Without this option a warning names it once. What O(pip) names by itself stays.
    type: bool
    default: false
  state:
    description:
      - V(present) keeps what satisfies the request. V(latest) takes the newest versions that do. V(absent) removes the
        env; it refuses C(/), a home directory, a symlink, the base, and anything that is not an env.
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

- name: An env for R
  hpc.pytorch.conda_env:
    name: r
    channels: [conda-forge]
    packages: [r-base=4.4]

- name: With the site's micromamba
  hpc.pytorch.conda_env:
    name: torch
    channels: [conda-forge]
    packages: [python=3.12, pytorch]
    engine: micromamba
    executable: /opt/app/bin/micromamba

- name: Remove an env
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
  description:
    - The packages that the env holds, or would hold in check mode.
    - If pip replaced what a package brought, the entry has pip's version, which Python imports, with build V(pypi_0)
      and channel V(pypi), as C(conda list) shows it.
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
      description: The channel that it came from, without credentials.
      type: str
actions:
  description: What was done, or would be done in check mode.
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
  description: Whether the request was solved. False only in check mode, if an earlier task would bring what is missing.
  type: bool
  returned: when state is not absent
solver:
  description: The complete reason that the solver gives.
  type: str
  returned: when the request cannot be satisfied
"""

from ansible_collections.hpc.pytorch.plugins.module_utils._common.exit import answer
from ansible_collections.hpc.pytorch.plugins.module_utils._common.redacting_module import RedactingModule
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.apply.declare import declare_env
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.apply.options import ARGUMENTS, Options


def main() -> None:
    module = RedactingModule(**ARGUMENTS, supports_check_mode=True)
    writes = ["prefix", "envs_dir", "package_cache", "lock_file"]
    answer(module, lambda: declare_env(Options(**module.params), module.check_mode), writes)


if __name__ == "__main__":
    main()
