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
from .machine import Machine, runner_of
from .partitions import declared_gpus, partitions_of
from .site import Site, conda_of, cuda_of, kernels_of

FACTS = {"conda", "jupyter", "kernels", "cuda", "tools", "job", "env"}
# What runs job scripts, whether a login shell has modules, and the folder of the commands for users.
OPTIONAL_FACTS = {"runner", "modules", "tools_bin"}


def site_of(
    facts: t.Mapping[str, t.Any],
    hostvars: t.Any,
    groups: t.Mapping[str, t.Sequence[str]],
    host: str,
    slurm: t.Mapping[str, t.Any] | None,
) -> Site:
    """The facts of a site.

    :arg facts: of the host, by the keys FACTS and, where they are known, OPTIONAL_FACTS.
    :arg hostvars: Ansible's variable of this name.
    :arg host: the one whose variables the page is made with.
    :arg slurm: the result of slurm_info, without ``partitions`` if Slurm gave no answer; None or empty if it was not
        asked.
    :raises UserError: a value that makes no sense, or a torch that no build fits.
    """
    if set(facts) - OPTIONAL_FACTS != FACTS:
        raise UserError("the facts %s" % ", ".join(sorted(FACTS)), ", ".join(sorted(facts)), "correct the keys")
    answer = slurm if slurm and slurm.get("partitions") is not None else None
    machine = _machine(facts, hostvars, groups, slurm or {})
    has_modules = machine is None or machine.has_modules
    envs: dict[str, Env] = {}

    def of_node(name: str) -> Env:
        # Nodes with the same name of an environment share it.
        key = str(hostvars[name].get("torch_env_name", DEFAULTS["name"]))
        if key not in envs:
            envs[key] = _public(env_of(name, hostvars[name], hostvars, groups))
        return envs[key]

    env = _public(env_of(host, collections.ChainMap(dict(facts["env"]), hostvars[host]), hostvars, groups))
    return Site(
        conda=conda_of(_without_module(facts["conda"], has_modules)),
        jupyter=str(facts["jupyter"] or "").rstrip("/"),
        kernels=kernels_of(facts["kernels"], env.name),
        cuda=cuda_of(_without_module(facts["cuda"], has_modules)),
        env=env,
        partitions=partitions_of([] if machine else child_groups(groups, hostvars), groups, hostvars, answer, of_node),
        tools=str(facts["tools"] or "") if has_modules else "",
        job=_job(facts["job"]),
        slurm_version=str((answer or {}).get("version") or ""),
        machine=machine,
    )


def _machine(
    facts: t.Mapping[str, t.Any], hostvars: t.Any, groups: t.Mapping[str, t.Sequence[str]], slurm: t.Mapping[str, t.Any]
) -> Machine | None:
    """The machine that the page is for; None if it is for a cluster with Slurm."""
    computing = groups.get("compute", ())
    hosts = {*groups.get("login", ()), *computing}
    if runner_of(str(facts.get("runner") or ""), hosts, slurm) != "bash":
        return None
    gpus, _names = declared_gpus(hostvars[name] for name in computing or hosts)
    return Machine(gpus, bool(facts.get("modules", True)), str(facts.get("tools_bin") or ""))


def _without_module(values: t.Mapping[str, t.Any], has_modules: bool) -> t.Mapping[str, t.Any]:
    """The values without the way ``module`` where a login shell does not know that command."""
    if has_modules or not isinstance(values["expose"], (list, tuple)):
        return values
    return {**values, "expose": [way for way in values["expose"] if way != "module"]}


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
