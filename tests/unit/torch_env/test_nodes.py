"""Which nodes an environment is for, which host makes it, and nodes that disagree. Plain dicts as hostvars."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_env import nodes

GROUPS = {"login": ["login01"], "titan": ["titan01", "titan02"], "h100": ["h100-01"], "compute": []}
GROUPS["compute"] = GROUPS["titan"] + GROUPS["h100"]


def cluster(**of_group):
    """The variables of each host: those of its partition."""
    return {
        host: dict(of_group.get(group.replace("-", ""), {}))
        for group in ("login", "titan", "h100")
        for host in GROUPS[group]
    }


def test_a_group_that_does_not_exist_has_no_members():
    assert nodes.members(GROUPS, ["nowhere", "h100", "compute"]) == ["h100-01", "titan01", "titan02"]


def test_groups_from_the_command_line_are_a_text():
    assert nodes.members(GROUPS, "h100,titan") == ["h100-01", "titan01", "titan02"]


@pytest.mark.parametrize("wanted", [None, 7, {"titan": 1}])
def test_what_is_no_list_of_groups_is_refused(wanted):
    with pytest.raises(UserError, match="expected torch_env_groups to be a list of groups"):
        nodes.makers(cluster(), GROUPS, wanted, ["login01"])


# --- which host makes each environment ---------------------------------------------------------------------------


def test_a_node_makes_the_environment_and_not_the_login_node():
    assert nodes.makers(cluster(), GROUPS, ["compute"], ["login01", "titan02", "h100-01"]) == ["titan02"]


def test_a_maker_of_groups_from_the_command_line():
    assert nodes.makers(cluster(), GROUPS, "gpu,compute", ["login01", "titan02"]) == ["titan02"]


def test_each_environment_has_one_maker_in_the_order_of_the_names():
    hostvars = cluster(titan={"torch_env_name": "z"}, h100={"torch_env_name": "a"}, login={"torch_env_name": "z"})
    assert nodes.makers(hostvars, GROUPS, ["compute"], ["login01", *GROUPS["compute"]]) == ["h100-01", "titan01"]


def test_a_host_that_is_no_node_makes_what_no_node_of_the_run_does():
    hostvars = cluster(titan={"torch_env_name": "t"}, h100={"torch_env_name": "h"}, login={"torch_env_name": "mine"})
    assert nodes.makers(hostvars, GROUPS, ["compute"], ["login01", "h100-01"]) == ["h100-01", "login01"]


def test_an_environment_without_a_name_is_called_as_the_roles_default():
    hostvars = cluster(titan={"torch_env_name": nodes.DEFAULT_NAME})
    assert nodes.makers(hostvars, GROUPS, ["compute"], GROUPS["compute"]) == ["titan01"]


@pytest.mark.parametrize("scope", ["cluster", "Site", "shared", None, True, ["site"]])
def test_an_environment_that_no_play_would_make_is_refused(scope):
    hostvars = cluster(titan={"torch_env_name": "old", "torch_env_scope": scope}, h100={"torch_env_scope": "site"})
    with pytest.raises(UserError, match="torch_env_scope of titan01 to be user or site"):
        nodes.makers(hostvars, GROUPS, ["compute"], GROUPS["compute"])
    # That host makes none in this run.
    assert nodes.makers(hostvars, GROUPS, ["compute"], ["h100-01"]) == ["h100-01"]


# --- what the nodes need -----------------------------------------------------------------------------------------


def test_the_nodes_of_the_name_count_with_their_gpus_and_drivers():
    hostvars = cluster(
        titan={"torch_env_name": "old", "hpc_gpu_type": "titan-v", "torch_env_driver": "535.183.06"},
        h100={"hpc_gpu_type": ["h100", ["a100"]], "torch_env_driver": "580.65.06"},
    )
    assert nodes.nodes(hostvars, GROUPS, ["compute"], "old", "titan01") == (
        ["titan01", "titan02"],
        ["titan-v"],
        ["535.183.06"],
    )
    assert nodes.nodes(hostvars, GROUPS, ["compute"], "torch", "h100-01").gpus == ["a100", "h100"]


def test_all_nodes_count_if_none_has_the_name():
    hostvars = cluster(titan={"hpc_gpu_type": "titan-v"}, h100={"hpc_gpu_type": "h100", "torch_env_driver": ""})
    found = nodes.nodes(hostvars, GROUPS, ["compute"], "another", "login01")
    assert found == (GROUPS["compute"], ["h100", "titan-v"], [])


def test_one_gpu_type_in_two_spellings_is_one():
    hostvars = cluster(titan={"hpc_gpu_type": "V100"}, h100={"hpc_gpu_type": "v100"})
    assert nodes.nodes(hostvars, GROUPS, ["compute"], "torch", "x").gpus == ["V100"]


def test_only_what_is_needed_is_read():
    class Counting(dict):
        read: set = set()

        def get(self, key, default=None):
            self.read.add(key)
            return super().get(key, default)

    hostvars = {host: Counting() for host in cluster()}
    nodes.nodes(hostvars, GROUPS, ["compute"], "torch", "")
    assert Counting.read == {"torch_env_name", "hpc_gpu_type", "torch_env_driver"}


# --- nodes that contradict each other ----------------------------------------------------------------------------


@pytest.mark.parametrize("variable", nodes.DECIDING)
def test_nodes_of_one_environment_must_agree(variable):
    hostvars = cluster(titan={variable: ["one"]}, h100={variable: ["two"]})
    with pytest.raises(UserError, match=r'found %s \["one"\] and \["two"\]; remedy' % variable):
        nodes.nodes(hostvars, GROUPS, ["compute"], "torch", "titan01")


def test_a_value_that_one_partition_sets_and_the_other_does_not_is_a_contradiction():
    with pytest.raises(UserError, match='found torch_env_cuda "12.9" and ""'):
        nodes.nodes(cluster(titan={"torch_env_cuda": "12.9"}), GROUPS, ["compute"], "torch", "titan01")


def test_environments_of_different_names_may_differ():
    hostvars = cluster(titan={"torch_env_name": "old", "torch_env_cuda": "12.9"}, h100={"torch_env_cuda": "13.0"})
    assert nodes.nodes(hostvars, GROUPS, ["compute"], "old", "titan01").names == GROUPS["titan"]


def test_a_host_that_is_no_node_may_use_an_inventory_that_contradicts_itself():
    hostvars = cluster(titan={"torch_env_cuda": "12.9"}, h100={"torch_env_cuda": "13.0"})
    assert nodes.nodes(hostvars, GROUPS, ["compute"], "torch", "login01").names == GROUPS["compute"]


@pytest.mark.parametrize("name", ["", "../x", "a b", "-x", ".hidden", "a/b", "torch\n"])
def test_what_cannot_name_an_environment_is_refused(name):
    with pytest.raises(
        UserError, match="expected torch_env_name to consist of the letters.*remedy: choose such a name"
    ):
        nodes.nodes({}, {}, ["compute"], name, "")


@pytest.mark.parametrize("name", ["torch", "_x", "torch-2.13_cu13.0+a", "1"])
def test_a_name_of_plain_letters_is_taken(name):
    assert nodes.nodes({}, {}, ["compute"], name, "").names == []
