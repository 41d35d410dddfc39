# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plugin with Ansible's own inventory, loader and cache."""

from __future__ import annotations

import json

import pytest
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.inventory.manager import InventoryManager
from ansible.module_utils import _internal
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import inventory_loader
from ansible.template import Templar, is_trusted_as_template, trust_as_template
from ansible.vars.manager import VariableManager


@pytest.fixture(autouse=True)
def as_on_the_controller(as_on_the_target, monkeypatch):
    monkeypatch.setattr(_internal, "is_controller", True)


@pytest.fixture
def load(tmp_path, monkeypatch):
    """The inventory that a configuration makes."""
    monkeypatch.setattr("ansible.inventory.manager.C.INVENTORY_UNPARSED_IS_FAILED", True)

    def call(flush=False, **options):
        path = tmp_path / "cluster.slurm.yml"
        path.write_text(json.dumps({"plugin": "hpc.pytorch.slurm", **options}))
        return InventoryManager(loader=DataLoader(), sources=[str(path)], cache=not flush)

    return call


@pytest.fixture
def saved(tmp_path):
    """Write scontrol's output next to the configuration."""
    return lambda text: (tmp_path / "cluster.txt").write_text(text, encoding="utf-8")


@pytest.fixture
def caching(tmp_path):
    """Options for a cache that another process finds, too."""
    return {
        "cache": True,
        "cache_plugin": "jsonfile",
        "cache_connection": str(tmp_path / "cache"),
        "cache_timeout": 600,
    }


def calls(tmp_path):
    """How often ssh was started."""
    return sum(line.startswith("ssh") for line in (tmp_path / "calls").read_text().splitlines())


def names(inventory, group):
    return [host.name for host in inventory.groups[group].get_hosts()]


def test_groups_hosts_and_variables(load, saved, recorded):
    saved(recorded("25.11") + recorded("23.02"))
    inventory = load(saved_output="cluster.txt", login=["login[01-02]"], gpu_types={"GTX1660Super": "gtx-1660"})
    assert sorted(names(inventory, "compute")) == ["c1", "c2", "ip-10-1-2-95", "mn1"]
    assert names(inventory, "login") == ["login01", "login02"]
    assert names(inventory, "cpu") == names(inventory, "state_dynamic_norm") == ["c1", "c2"]
    assert names(inventory, "gres_gpu") == names(inventory, "gres_gpu_GTX1660Super") == ["mn1"]
    assert names(inventory, "gpu") == []
    host = inventory.get_host("mn1")
    assert host.vars["hpc_gpu_type"] == "gtx-1660"
    assert host.vars["slurm_gres"] == [
        {"name": "gpu", "type": "GTX1660Super", "count": 1},
        {"name": "npu", "type": "Ascend910", "count": 4},
    ]
    assert inventory.groups["compute"].vars == {"slurm_cluster": "linux", "slurm_version": "25.11.4"}


def test_constructed_groups_and_variables(load, saved, recorded):
    saved(recorded("25.11") + recorded("23.02"))
    inventory = load(
        saved_output="cluster.txt",
        strict=True,
        compose={"memory_gb": "slurm_memory_mb // 1024"},
        groups={"failed": "slurm_reason != ''"},
        keyed_groups=[{"key": "slurm_cpus | string", "prefix": "cpus"}],
    )
    assert inventory.get_host("c1").vars["memory_gb"] == 7
    assert names(inventory, "failed") == ["ip-10-1-2-95"]
    assert names(inventory, "cpus_12") == ["c1", "c2"]


@pytest.fixture
def warnings(monkeypatch):
    """The warnings of the plugin."""
    found = []
    monkeypatch.setattr("ansible.utils.display.Display.warning", lambda _self, text, *_more, **_all: found.append(text))
    return found


NODE = "NodeName=%s CPUTot=4 Gres=(null) NodeAddr=a NodeHostName=h RealMemory=1 State=IDLE Partitions=gpu\n"


def two(tmp_path, first, second, **options):
    """The inventory of two files of the plugin, for nodes of these names."""
    for number, nodes in enumerate((first, second)):
        text = "ClusterName = c%d\nPartitionName=gpu Nodes=%s State=UP\n" % (number, ",".join(nodes))
        (tmp_path / ("%d.txt" % number)).write_text(text + "".join(NODE % name for name in nodes))
        given = dict({"plugin": "hpc.pytorch.slurm", "saved_output": "%d.txt" % number}, **(options if number else {}))
        (tmp_path / ("%d.slurm.yml" % number)).write_text(json.dumps(given))
    sources = [str(tmp_path / ("%d.slurm.yml" % number)) for number in (0, 1)]
    return InventoryManager(loader=DataLoader(), sources=sources)


def test_inventories_of_two_clusters_are_not_mixed_without_a_word(tmp_path, warnings):
    inventory = two(tmp_path, ["n1", "n2"], ["n2", "n3"])
    assert sorted(names(inventory, "gpu")) == ["n1", "n2", "n3"]
    mixed = [text for text in warnings if "another" in text]
    assert len(mixed) == 2 and "names of another one's: n2." in mixed[0]
    assert "These groups hold nodes of another inventory too: compute, gpu, state_idle." in mixed[1]


def test_the_remedy_keeps_two_clusters_apart(tmp_path, warnings):
    prefixes = {kind: "lab_" + kind for kind in ("partition", "gres", "feature", "state")}
    inventory = two(tmp_path, ["n1"], ["m1"], compute_group="lab", group_prefixes=prefixes)
    assert names(inventory, "compute") == names(inventory, "gpu") == ["n1"]
    assert names(inventory, "lab") == names(inventory, "lab_partition_gpu") == ["m1"] and warnings == []


def test_a_text_that_is_cut_off_is_warned_of(load, saved, warnings):
    saved("PartitionName=gpu Nodes=n[1-3] State=UP\n" + NODE % "n1" + "NodeName=n2 CPUTo")
    inventory = load(saved_output="cluster.txt")
    assert sorted(names(inventory, "compute")) == ["n1", "n2"]
    assert "no state, as where the output is cut off: n2" in warnings[0] and "not in the inventory: n3" in warnings[1]


def test_nothing_of_slurms_is_a_template(load, saved, tmp_path):
    touched = tmp_path / "touched"
    # Without a space or a comma, at which Slurm's words are taken apart.
    evil = "{{lookup(*['pipe']+['touch${IFS}%s'])}}" % touched
    saved(
        "ClusterName = {0}\nPartitionName={0} Nodes=n1 State=UP\nNodeName=n1 CPUTot=1 ActiveFeatures={0}"
        " Gres=gpu:{0}:1 NodeAddr={0}"
        " NodeHostName={0} State=IDLE+{0} Partitions={0}  Reason={0} [root@2026-01-01T00:00:00]".format(evil)
    )
    constructed = {"strict": True, "compose": {"copied": "slurm_reason"}, "keyed_groups": [{"key": "slurm_features"}]}
    inventory = load(saved_output="cluster.txt", connect_to="address", **constructed)
    loader = DataLoader()
    host = inventory.get_host("n1")
    variables = VariableManager(loader=loader, inventory=inventory).get_vars(host=host, include_hostvars=False)
    assert variables["slurm_reason"] == variables["copied"] == evil + " [root@2026-01-01T00:00:00]"
    assert (
        variables["slurm_features"] == [evil]
        and variables["ansible_host"] == evil
        and variables["slurm_cluster"] == evil
    )
    assert not [
        name
        for name, value in variables.items()
        if isinstance(value, str) and is_trusted_as_template(value) and value == evil
    ]
    for name in [name for name in variables if name.startswith(("slurm_", "hpc_", "copied", "ansible_host"))]:
        assert (
            Templar(loader=loader, variables=variables).template(trust_as_template("{{ %s }}" % name))
            == variables[name]
        )
    assert not touched.exists()
    # Names of groups are words.
    assert all(group.replace("_", "").isalnum() for group in inventory.groups)
    # It would do it, if it were one.
    Templar(loader=loader).template(trust_as_template(evil))
    assert touched.exists()


def test_the_answer_is_kept(load, commands, tmp_path, caching):
    options = dict(caching, login_host="login01")
    first = load(**options)
    assert calls(tmp_path) == 1
    (tmp_path / "output").write_text("")
    assert names(load(**options), "compute") == names(first, "compute") == ["c1", "c2"]
    assert calls(tmp_path) == 1


def test_it_is_asked_again_when_the_cache_is_not_wanted_and_then_kept(load, commands, tmp_path, caching):
    options = dict(caching, login_host="login01")
    load(**options)
    message = (tmp_path / "output").read_text()
    (tmp_path / "output").write_text(message.replace("NodeName=c2", "NodeName=c3"))
    assert names(load(flush=True, **options), "compute") == ["c1", "c3"]
    assert names(load(**options), "compute") == ["c1", "c3"]
    assert calls(tmp_path) == 2


def test_another_host_is_another_question(load, commands, tmp_path, caching):
    load(**caching, login_host="login01")
    load(**caching, login_host="login02")
    load(**caching, login_host="login02", bin_dir=str(commands))
    assert calls(tmp_path) == 3


@pytest.mark.parametrize("entry", ["not json", '{"text": "nothing"}', '{"old": 1}', "[]", '{"text": 3}'])
def test_an_entry_that_cannot_be_used_is_replaced(load, commands, tmp_path, caching, entry):
    options = dict(caching, login_host="login01")
    load(**options)
    (file,) = (tmp_path / "cache").iterdir()
    file.write_text(entry)
    assert names(load(**options), "compute") == ["c1", "c2"]
    assert calls(tmp_path) == 2
    assert names(load(**options), "compute") == ["c1", "c2"]
    assert calls(tmp_path) == 2


def test_a_file_is_read_each_time(load, saved, recorded, caching):
    saved(recorded("25.11"))
    load(**caching, saved_output="cluster.txt")
    saved(recorded("24.05"))
    assert "worker-0" in load(**caching, saved_output="cluster.txt").hosts


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"saved_output": "none.txt"}, "found No such file or directory; remedy: correct saved_output"),
        (
            {"saved_output": "cluster.txt", "login_host": "a"},
            "expected saved_output to be set without login_host and bin_dir",
        ),
        ({"saved_output": "cluster.txt", "login": ["login[1-"]}, "expected a list of nodes as Slurm writes it"),
        (
            {"saved_output": "cluster.txt", "group_prefixes": {"node": "x"}},
            "expected group_prefixes to have only the keys partition, gres, feature, state; found node",
        ),
        ({"login_host": "-oProxyCommand=x"}, "expected login_host to be a host"),
        ({"login_host": "a", "timeout": 0}, "expected timeout to be at least 1"),
        ({"saved_output": "cluster.txt", "group_by": ["rack"]}, "rack"),
    ],
)
def test_what_is_said_to_mistakes(tmp_path, saved, recorded, options, message):
    saved(recorded("25.11"))
    path = tmp_path / "slurm.yml"
    path.write_text(json.dumps({"plugin": "hpc.pytorch.slurm", **options}))
    with pytest.raises(AnsibleError) as error:
        inventory_loader.get("hpc.pytorch.slurm").parse(InventoryData(), DataLoader(), str(path))
    assert message in str(error.value)
    # Ansible counts what is no parser's error as one of its own.
    assert isinstance(error.value, AnsibleParserError) or "group_by" in str(error.value)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("slurm.yml", True),
        ("a.slurm.yaml", True),
        ("slurm.yml.bak", False),
        ("hosts.yml", False),
        ("none.slurm.yml", False),
    ],
)
def test_which_files_are_meant(tmp_path, name, meant):
    if not name.startswith("none"):
        (tmp_path / name).write_text("plugin: hpc.pytorch.slurm\n")
    assert inventory_loader.get("hpc.pytorch.slurm").verify_file(str(tmp_path / name)) is meant


def test_another_plugins_file_is_refused(tmp_path):
    (tmp_path / "slurm.yml").write_text("plugin: other\n")
    plugin = inventory_loader.get("hpc.pytorch.slurm")
    with pytest.raises(AnsibleParserError):
        plugin.parse(InventoryData(), DataLoader(), str(tmp_path / "slurm.yml"))
