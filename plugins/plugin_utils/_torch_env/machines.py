# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The C library and the platform of the machines of an environment: its nodes, and the one that makes it.
Private to hpc.pytorch.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError

# conda's names of platforms, by the machine that uname and Ansible's facts name. Others have no builds to choose from.
PLATFORMS = {"x86_64": "linux-64", "aarch64": "linux-aarch64"}


class Machines(t.NamedTuple):
    """What the machines have.

    :arg glibc: the version of each machine's C library that is known, each once.
    :arg platform: the platform that the environment is for; empty if it is unknown.
    """

    glibc: list[str]
    platform: str


def machines(
    hostvars: t.Mapping[str, t.Mapping[str, t.Any]], nodes: t.Sequence[str], host: str, printed: str
) -> Machines:
    """What the nodes declare, and what the machine that makes the environment has.

    A node declares ``torch_env_glibc`` and ``torch_env_platform``; a gathered fact ``ansible_architecture`` counts too.

    :arg nodes: the nodes that the environment is for.
    :arg host: the host whose variables are used. If it is not among *nodes*, such as a user's own host, the nodes may
        have several platforms; the environment is then for the machine that makes it.
    :arg printed: what ``getconf GNU_LIBC_VERSION`` and ``uname -m`` print on the machine that makes the environment,
        a line each. Without a line, that is unknown.
    :raises UserError: the nodes have several platforms, or another one than the machine.
    """
    here = PLATFORMS.get(next(iter(re.findall(r"^(\w+)$", printed, re.MULTILINE)), ""), "")
    libraries = dict.fromkeys(re.findall(r"^glibc (\d+(?:\.\d+)+)$", printed, re.MULTILINE))
    platforms: dict[str, None] = {}
    for name in nodes:
        variables = hostvars[name]
        glibc = variables.get("torch_env_glibc")
        if glibc:
            libraries[str(glibc)] = None
        platform = variables.get("torch_env_platform") or PLATFORMS.get(str(variables.get("ansible_architecture")))
        if platform:
            platforms[str(platform)] = None
    if host not in nodes:
        return Machines(list(libraries), here or (next(iter(platforms)) if len(platforms) == 1 else ""))
    if len(platforms) > 1:
        raise UserError(
            "the nodes of one environment to have one platform",
            " and ".join(sorted(platforms)),
            "give the nodes of each platform an environment of their own (torch_env_name in their group_vars)",
        )
    platform = next(iter(platforms), here)
    if here and platform != here:
        raise UserError(
            "an environment for %s to be made on a machine of that platform" % platform,
            "one of %s" % here,
            "run the role on such a machine (delegate_to), or correct torch_env_platform",
        )
    return Machines(list(libraries), platform)
