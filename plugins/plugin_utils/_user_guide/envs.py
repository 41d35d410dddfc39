# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The torch environment that the guide names, from the variables of role torch_env. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_env.nodes import members, nodes
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_env.plan import Asked, Plan, plan

# The role's defaults, without its prefix; a test compares them.
DEFAULTS: t.Mapping[str, t.Any] = {
    "name": "torch",
    "scope": "user",
    "python": "",
    "torch": "",
    "cuda": "",
    "source": "",
    "groups": ["compute"],
    "driver": "",
    "glibc": "",
    "platform": "",
    "builds": {},
    "wheels_url": "https://download.pytorch.org/whl",
    "companions": ["torchvision"],
    "packages": [],
    "pip": [],
}
# A build of the channel pytorch, conda-forge or a wheel names its CUDA in this way.
_TORCH = re.compile(r"(?:[\w./-]+::)?(?:pytorch|pytorch-gpu|torch)(?:==?|\s)(?P<version>\d[\w.]*)")


class Env(t.NamedTuple):
    """An environment.

    :arg path: where it is; empty for a name that conda finds in the user's home.
    :arg is_shared: whether all users have this one, which none of them can change.
    :arg torch: its version; empty where the newest is installed.
    :arg cuda: that its torch is built for; empty if the inventory declares none.
    :arg override: the value of ``CONDA_OVERRIDE_CUDA`` on a node without a driver; empty if none is needed.
    """

    name: str
    path: str
    is_shared: bool
    python: str
    torch: str
    cuda: str
    source: str
    packages: tuple[str, ...]
    pip: tuple[str, ...]
    channels: tuple[str, ...]
    override: str

    @property
    def reference(self) -> str:
        """What ``source activate`` is given."""
        return self.path or self.name


def env_of(
    host: str, variables: t.Mapping[str, t.Any], hostvars: t.Any, groups: t.Mapping[str, t.Sequence[str]]
) -> Env:
    """The environment of a host, as role torch_env would make it.

    :arg variables: those of the host.
    :raises UserError: no build of torch fits, or the variables contradict each other.
    """
    given = {key: variables.get("torch_env_" + key, default) for key, default in DEFAULTS.items()}
    found = nodes(
        hostvars, groups, given["groups"], given["name"], host if host in members(groups, given["groups"]) else ""
    )
    drivers = found.drivers or ([str(given["driver"])] if given["driver"] else [])
    asked = Asked.of(
        {
            **{key: given[key] for key in ("python", "torch", "cuda", "source", "builds", "wheels_url", "companions")},
            "gpus": found.gpus if variables.get("torch_env_gpus") is None else variables["torch_env_gpus"],
            "drivers": drivers,
            "packages": given["packages"],
            "pip": given["pip"],
            "channels": variables.get("torch_env_channels"),
            "site_channels": variables.get("conda_channels", ["conda-forge"]),
            "glibc": [str(given["glibc"])] if given["glibc"] else [],
            "platform": given["platform"],
        }
    )
    chosen = plan(asked)
    is_shared = given["scope"] == "site"
    return Env(
        name=str(given["name"]),
        path=_path_of(variables, str(given["name"]), is_shared),
        is_shared=is_shared,
        python=str(chosen.build.get("python") or given["python"] or ""),
        torch=_torch_of(chosen, str(given["torch"])),
        cuda=str(chosen.build.get("cuda") or given["cuda"] or ""),
        source=str(chosen.build.get("source") or ""),
        packages=tuple(chosen.packages),
        pip=tuple(chosen.pip),
        channels=tuple(chosen.channels),
        override=str(chosen.build.get("cuda_override") or ""),
    )


def _path_of(variables: t.Mapping[str, t.Any], name: str, is_shared: bool) -> str:
    if variables.get("torch_env_prefix"):
        return str(variables["torch_env_prefix"])
    if not is_shared:
        return ""
    folder = variables.get("torch_env_site_dir", "%s/envs" % variables.get("conda_prefix", "/opt/conda"))
    return "%s/%s" % (folder, name)


def _torch_of(chosen: Plan, asked: str) -> str:
    if chosen.build.get("torch"):
        return str(chosen.build["torch"])
    return next((match["version"] for match in map(_TORCH.match, chosen.packages) if match), asked)
