# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites to render pages of: what role user_guide hands to its filter, and what slurm_info answers."""

from __future__ import annotations

import pathlib
import re
import typing as t

import yaml
from ansible_collections.hpc.pytorch.plugins.filter.user_guide_pages import user_guide_pages
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_guide.collect import site_of
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_guide.site import Site

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
CAMPUS = CHECKOUT / "inventories" / "campus" / "group_vars" / "all.yml"
CAMPUS_GROUPS = {
    "login": ["login01"],
    "titan": ["titan01", "titan02"],
    "tesla": ["tesla01", "tesla02"],
    "jupyter": ["jupyter01"],
}


class Inventory(t.NamedTuple):
    """Variables of every host, groups, Slurm's answer, and the facts that a page can do without."""

    variables: dict[str, t.Any]
    groups: dict[str, list[str]]
    of_group: dict[str, dict[str, t.Any]] = {}
    jupyter: str = ""
    slurm: dict[str, t.Any] = {}
    more: dict[str, t.Any] = {}

    @property
    def hostvars(self) -> dict[str, dict[str, t.Any]]:
        """The variables by host."""
        found: dict[str, dict[str, t.Any]] = {}
        for group, hosts in self.groups.items():
            for host in hosts:
                found.setdefault(host, dict(self.variables)).update(self.of_group.get(group, {}))
        return found

    @property
    def all_groups(self) -> dict[str, list[str]]:
        """With the group compute, whose children are all others but login and jupyter."""
        compute = [host for name, hosts in self.groups.items() if name not in ("login", "jupyter") for host in hosts]
        return {**self.groups, "compute": compute}

    @property
    def facts(self) -> dict[str, t.Any]:
        """As roles/user_guide/vars/main.yml has them."""
        given = self.hostvars["login01"]
        return {
            "conda": {
                "prefix": given.get("conda_prefix", "/opt/conda"),
                "method": given.get("conda_method", "existing"),
                "base_packages": given.get("conda_base_packages", ["conda", "mamba", "python"]),
                "expose": given.get("conda_expose", ["profile", "module"]),
                "module": "anaconda3",
            },
            "jupyter": self.jupyter,
            "kernels": self.hostvars[self.groups.get("jupyter", ["login01"])[0]].get("jupyter_kernels", []),
            "cuda": {
                "home": given.get("cuda_home", ""),
                "version": given.get("cuda_version", ""),
                "expose": given.get("cuda_expose", ["bashrc"]),
                "libraries": given.get("cuda_ld_library_path", False),
                "folder": "",
            },
            "tools": "hpc-pytorch-tools" if "module" in given.get("conda_expose", ["module"]) else "",
            "job": {name[11:]: value for name, value in given.items() if name.startswith("job_script_")},
            "env": {name: value for name, value in given.items() if name.startswith("torch_env_")},
            **self.more,
        }

    @property
    def site(self) -> Site:
        """The facts as the structure of a page takes them."""
        return site_of(self.facts, self.hostvars, self.all_groups, "login01", self.slurm or None)

    def pages(self, **options: t.Any) -> dict[str, str]:
        """The pages by the names of their files."""
        made = user_guide_pages(self.facts, self.hostvars, self.all_groups, "login01", self.slurm, **options)
        return {page["name"]: page["content"] for page in made}


def campus_variables() -> dict[str, t.Any]:
    """The variables of inventories/campus."""
    given = yaml.safe_load(CAMPUS.read_text(encoding="utf-8"))
    return {
        name: given[value[3:-3]] if isinstance(value, str) and value.startswith("{{ ") else value
        for name, value in given.items()
    }


def campus() -> Inventory:
    """inventories/campus, without an answer from Slurm."""
    of_jupyter = yaml.safe_load(CAMPUS.with_name("jupyter.yml").read_text(encoding="utf-8"))
    return Inventory(campus_variables(), CAMPUS_GROUPS, {"jupyter": of_jupyter}, jupyter=of_jupyter["conda_prefix"])


def molecule() -> Inventory:
    """The cluster of molecule/default: a base without the command conda, a node in each partition, and a Slurm."""
    variables = campus_variables()
    shared = yaml.safe_load((CHECKOUT / "molecule/shared/group_vars/cluster.yml").read_text(encoding="utf-8"))
    plain = {name: value for name, value in shared.items() if not (isinstance(value, str) and "{{" in value)}
    for name in ("torch_env_source", "torch_env_cuda"):
        variables.pop(name)
    variables.update(plain, torch_env_python="3.11")
    groups = {"login": ["login01"], "titan": ["titan01"], "tesla": ["tesla01"]}
    return Inventory(variables, groups, slurm=slurm({"titan": ["titan01"], "tesla": ["tesla01"]}))


def mixed() -> Inventory:
    """inventories/mixed: an environment of its own for each partition."""
    folder = CHECKOUT / "inventories" / "mixed" / "group_vars"
    of_group = {
        path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in folder.iterdir() if path.stem != "all"
    }
    variables = yaml.safe_load((folder / "all.yml").read_text(encoding="utf-8"))
    variables.update(job_script_conda_prefix="/opt/app/conda", job_script_conda_env="/opt/app/envs/torch-titan")
    groups = {
        "login": ["login01"],
        "titan": ["titan01", "titan02"],
        "a100": ["a100-01", "a100-02"],
        "h100": ["h100-01", "h100-02"],
    }
    return Inventory(variables, groups, of_group)


def small() -> Inventory:
    """A login node and a partition without a GPU: next to nothing is declared."""
    groups = {"login": ["login01"], "cpu": ["node01"]}
    return Inventory({"conda_expose": ["profile"]}, groups, {"cpu": {"hpc_gpu_count": 0}})


def slurm(nodes: t.Mapping[str, t.Sequence[str]], **changes: t.Any) -> dict[str, t.Any]:
    """What slurm_info returns for partitions of these nodes, each with two GPUs."""
    partition = {
        "default": False,
        "state": "up",
        "max_minutes": 60,
        "default_minutes": None,
        "min_nodes": 0,
        "max_nodes": None,
        "gres": [],
    }
    return {
        "cluster": "campus",
        "version": "22.05.8",
        "partitions": [
            {**partition, "name": name, "nodes": list(hosts), "node_list": "", "node_count": len(hosts), **changes}
            for name, hosts in nodes.items()
        ],
        "nodes": [
            {
                "name": host,
                "state": "idle",
                "cpus": 16,
                "memory_mb": 4000,
                "gres": [{"name": "gpu", "type": name, "count": 2}],
                "partitions": [name],
            }
            for name, hosts in nodes.items()
            for host in hosts
        ],
    }


# What slurm_info returns on a machine without Slurm.
NO_SLURM = {"failed": True, "expected": "Slurm's command scontrol", "found": "none there", "msg": "no Slurm"}


def machine(gpus: int | None = None, **more: t.Any) -> Inventory:
    """inventories/local in /srv/site, on a machine with neither Slurm nor modules."""
    text = (CHECKOUT / "inventories/local/group_vars/all.yml").read_text(encoding="utf-8")
    given = yaml.safe_load(re.sub(r"{{ (local_root|torch_env_prefix) }}", "/srv/site", text))
    variables = {name: value for name, value in given.items() if not (isinstance(value, str) and "{{" in value)}
    variables.update(torch_env_prefix="/srv/site/envs/torch", job_script_conda_env="/srv/site/envs/torch")
    if gpus is not None:
        variables.update(hpc_gpu_count=gpus)
    facts = {"modules": False, "tools_bin": "/srv/site/tools/bin", **more}
    return Inventory(variables, {"login": ["login01"], "here": ["login01"]}, slurm=NO_SLURM, more=facts)


SITES = {"machine": machine, "campus": campus, "molecule": molecule, "mixed": mixed, "small": small}
