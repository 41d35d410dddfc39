"""C library and platform of an environment's nodes and of the machine that makes it. Plain dicts as hostvars."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_env.machines import machines

EL8 = "glibc 2.28\nx86_64\nengine"
ARM = "glibc 2.34\naarch64"


def test_the_machine_that_makes_the_environment_counts() -> None:
    assert machines({"n1": {}}, ["n1"], "n1", EL8) == (["2.28"], "linux-64")
    assert machines({"n1": {}}, ["n1"], "n1", ARM) == (["2.34"], "linux-aarch64")


@pytest.mark.parametrize("printed", ["", "x86_64", "glibc 2.36", "\nmips64", "engine"])
def test_what_is_not_printed_is_unknown(printed: str) -> None:
    """musl has no GNU_LIBC_VERSION; other processors have no builds to choose from, so nothing is said of them."""
    found = machines({"n1": {}}, ["n1"], "n1", printed)
    assert found.glibc == (["2.36"] if "glibc" in printed else [])
    assert found.platform == ("linux-64" if "x86_64" in printed else "")


def test_the_nodes_declare_their_own() -> None:
    hostvars = {"n1": {"torch_env_glibc": "2.17"}, "n2": {"torch_env_glibc": 2.34}, "n3": {"torch_env_glibc": ""}}
    assert machines(hostvars, list(hostvars), "n1", EL8).glibc == ["2.28", "2.17", "2.34"]


def test_a_gathered_fact_says_the_platform() -> None:
    assert machines({"n1": {"ansible_architecture": "aarch64"}}, ["n1"], "n1", "").platform == "linux-aarch64"
    declared = {"ansible_architecture": "aarch64", "torch_env_platform": "linux-64"}
    assert machines({"n1": declared}, ["n1"], "n1", EL8).platform == "linux-64"
    assert machines({"n1": {"ansible_architecture": "ppc64le"}}, ["n1"], "n1", "").platform == ""


def test_nodes_of_one_environment_have_one_platform() -> None:
    hostvars = {"n1": {"torch_env_platform": "linux-64"}, "g1": {"torch_env_platform": "linux-aarch64"}}
    with pytest.raises(UserError, match="found linux-64 and linux-aarch64; remedy: give the nodes of each platform"):
        machines(hostvars, ["n1", "g1"], "n1", EL8)
    # A user's own host may use an inventory of several partitions: the environment is for the machine that makes it.
    assert machines(hostvars, ["n1", "g1"], "login", EL8).platform == "linux-64"
    assert machines(hostvars, ["n1", "g1"], "login", "").platform == ""
    assert machines(hostvars, ["g1"], "login", "").platform == "linux-aarch64"


def test_an_environment_is_made_on_a_machine_of_its_platform() -> None:
    hostvars = {"g1": {"torch_env_platform": "linux-aarch64"}}
    with pytest.raises(UserError, match="found one of linux-64; remedy: run the role on such a machine"):
        machines(hostvars, ["g1"], "g1", EL8)
    assert machines(hostvars, ["g1"], "g1", ARM).platform == "linux-aarch64"
