# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the facts of a site from the variables of role user_guide. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError, shown
from ansible_collections.hpc.pytorch.plugins.module_utils._common.redact import without_credentials
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.collect import partitions_of as child_groups

from .envs import DEFAULTS, Env, env_of
from .partitions import partitions_of
from .site import Site, conda_of, cuda_of, kernels_of

FACTS = {"conda", "jupyter", "kernels", "cuda", "tools", "job", "env"}


def site_of(
    facts: t.Mapping[str, t.Any],
    hostvars: t.Any,
    groups: t.Mapping[str, t.Sequence[str]],
    host: str,
    slurm: t.Mapping[str, t.Any] | None,
) -> Site:
    """The facts of a site.

    :arg facts: of the host, by the keys FACTS.
    :arg hostvars: Ansible's variable of this name.
    :arg host: the one whose variables the page is made with.
    :arg slurm: the result of slurm_info, None if Slurm gave no answer.
    :raises UserError: a value that makes no sense, or a torch that no build fits.
    """
    if set(facts) != FACTS:
        raise UserError("the facts %s" % ", ".join(sorted(FACTS)), ", ".join(sorted(facts)), "correct the keys")
    envs: dict[str, Env] = {}

    def of_node(name: str) -> Env:
        # Nodes with the same name of an environment share it.
        key = str(hostvars[name].get("torch_env_name", DEFAULTS["name"]))
        if key not in envs:
            envs[key] = _public(env_of(name, hostvars[name], hostvars, groups))
        return envs[key]

    env = _public(env_of(host, collections.ChainMap(dict(facts["env"]), hostvars[host]), hostvars, groups))
    return Site(
        conda=conda_of(facts["conda"]),
        jupyter=str(facts["jupyter"] or "").rstrip("/"),
        kernels=kernels_of(facts["kernels"], env.name),
        cuda=cuda_of(facts["cuda"]),
        env=env,
        partitions=partitions_of(child_groups(groups, hostvars), groups, hostvars, slurm, of_node),
        tools=str(facts["tools"] or ""),
        job=_job(facts["job"]),
        slurm_version=str((slurm or {}).get("version") or ""),
    )


def _job(given: t.Any) -> t.Mapping[str, t.Any]:
    if not isinstance(given, t.Mapping):
        raise UserError("the options of job_script by name", shown(given), "correct them")
    return {str(name): value for name, value in given.items()}


def _public(env: Env) -> Env:
    """The environment without passwords and tokens: every user reads the page."""
    return env._replace(
        channels=tuple(map(without_credentials, env.channels)),
        packages=tuple(map(without_credentials, env.packages)),
        pip=tuple(map(without_credentials, env.pip)),
    )
