# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever was saved where: an inventory has it right, or says what is lost, overwritten or mixed."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.plugin_utils._slurm_inventory.source import read_saved
from ansible_collections.hpc.pytorch.plugins.plugin_utils._slurm_inventory.texts import read

CONFIG = "Configuration data as of 2026-11-24T14:36:13\nClusterName             = %s\nSLURM_VERSION = 22.05.8\n"
PARTITION = "PartitionName=%s Default=YES MaxTime=01:00:00 Nodes=%s State=UP TotalNodes=2\n"
MANY_LINES = "PartitionName=gpu\n   AllowGroups=ALL Default=YES\n   Nodes=n[1-2]\n   State=UP TotalNodes=2\n\n"


def node(name, state="IDLE", partitions="gpu", memory=4000, last=""):
    return (
        "NodeName=%s Arch=x86_64 CPUTot=4 ActiveFeatures=ib Gres=gpu:2 NodeAddr=%s NodeHostName=%s OS=Linux"
        " RealMemory=%d State=%s Weight=1 Partitions=%s%s\n" % (name, name, name, memory, state, partitions, last)
    )


def cluster(name="campus", nodes="n[1-2]", names=("n1", "n2"), **facts):
    return CONFIG % name + PARTITION % ("gpu", nodes) + "".join(node(one, **facts) for one in names)


def doubts(text):
    return read(text, "cluster.txt").doubts


def test_a_whole_text_is_in_no_doubt():
    reason = "  Reason=fan [root@2026-01-01T00:00:00]"
    assert doubts(cluster()) == doubts(cluster(state="DOWN+DRAIN", last=reason)) == ()
    assert doubts(CONFIG % "campus" + MANY_LINES + node("n1") + node("n2")) == ()
    # Without partitions nothing says which nodes there are.
    assert doubts(CONFIG % "campus" + node("n1")) == ()


def test_the_same_text_twice_is_no_other_one():
    assert doubts(CONFIG % "campus" * 2 + (PARTITION % ("gpu", "n1")) * 2 + node("n1") * 2) == ()


def test_the_settings_of_two_clusters_are_refused():
    with pytest.raises(UserError) as error:
        read(CONFIG % "campus" + CONFIG % "lab" + node("n1"), "cluster.txt")
    assert error.value.found == "those of the clusters campus, lab" and "an inventory file" in error.value.remedy


def test_files_of_two_clusters_in_one_folder_are_refused(tmp_path):
    for name in ("campus", "lab"):
        (tmp_path / (name + ".txt")).write_text(cluster(name))
    with pytest.raises(UserError, match="clusters campus, lab"):
        read(read_saved(tmp_path), str(tmp_path))


def test_two_clusters_in_one_file_are_warned_of():
    found = read(cluster("campus") + cluster("lab", "m[1-2]", ("m1", "m2")), "cluster.txt")
    assert found.name == "campus" and list(found.nodes) == ["n1", "n2", "m1", "m2"]
    assert len(found.doubts) == 1 and "more partitions or settings come after the nodes" in found.doubts[0]


@pytest.mark.parametrize("state", ["IDLE+DRAIN", "DOWN"])
def test_a_node_that_is_there_twice_with_other_facts_is_named(state):
    (doubt,) = doubts(cluster() + node("n1", state) + node("n2"))
    assert doubt.startswith("nodes are there more than once with different facts, of which one counts: n1; save")


def test_a_partition_that_is_there_twice_with_other_nodes_is_named():
    partitions = PARTITION % ("gpu", "n1") + PARTITION % ("gpu", "n[1-2]")
    (doubt,) = doubts(CONFIG % "x" + partitions + node("n1") + node("n2"))
    assert doubt.startswith("partitions are there more than once with different facts, of which one counts: gpu;")


def test_nodes_that_partitions_have_and_the_text_has_not_are_named():
    (doubt,) = doubts(cluster(nodes="n[1-2],c[01-40]"))
    assert "not in the inventory: c[01-40];" in doubt and "PrivateData=cloud" in doubt


def test_every_place_at_which_a_text_is_cut_off_is_noticed():
    text = cluster()
    begin = text.index("NodeName=n1 ") + len("NodeName=n1 ")
    assert doubts(text[: text.index(" Weight", text.index("NodeName=n2"))]) == ()
    for end in range(begin, text.index("=IDLE", text.index("NodeName=n2"))):
        found = read(text[:end], "cluster.txt")
        assert found.doubts and all("cut off" in doubt for doubt in found.doubts), text[begin:end]


def test_a_node_that_was_left_out_is_not_said_to_be_missing():
    twice = node("n2").replace("ActiveFeatures=ib", "ActiveFeatures=x State=DOWN")
    (doubt,) = doubts(CONFIG % "x" + PARTITION % ("gpu", "n[1-2]") + node("n1") + twice)
    assert doubt.startswith("node n2 is left out: a field is there twice")


def test_a_name_that_is_an_option_is_named():
    assert "nodes are left out, since a command would read their names as options: -oProxy" in str(
        doubts(cluster() + node("-oProxy"))
    )


@pytest.mark.parametrize("name", ["n[1-2]", "n1,n2", "DEFAULT"])
def test_slurm_conf_is_refused(name):
    text = "ClusterName=campus\nSlurmctldHost=c\nNodeName=%s CPUs=4 State=UNKNOWN\nPartitionName=gpu Nodes=ALL\n" % name
    with pytest.raises(UserError) as error:
        read(text, "slurm.conf")
    assert "as slurm.conf has it" in error.value.found and "scontrol show config" in error.value.remedy


def test_a_banner_between_the_outputs_changes_nothing():
    banner = "\n   * Welcome to campus! *\n   State=DOWN Nodes=evil Partitions=evil\n\tGres=gpu:9\n"
    parts = (CONFIG % "campus", PARTITION % ("gpu", "n[1-2]"), node("n1"), node("n2"))
    expected = read("".join(parts), "x")
    found = read(banner + banner.join(parts) + banner, "x")
    assert (found.nodes, found.partitions, found.name) == (expected.nodes, expected.partitions, expected.name)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_what_powershell_saves_is_read(tmp_path, encoding):
    file = tmp_path / "cluster.txt"
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    file.write_bytes((mark + cluster().replace("\n", "\r\n")).encode(encoding))
    assert read(read_saved(file), "x") == read(cluster(), "x")


def test_a_mark_before_the_first_node_hides_none(tmp_path):
    file = tmp_path / "nodes.txt"
    file.write_text("\ufeff" + node("n1") + node("n2"), encoding="utf-8")
    assert list(read(read_saved(file), "x").nodes) == ["n1", "n2"]


def test_a_folder_without_texts_is_said_to_be_one(tmp_path):
    (tmp_path / "nodes.out").write_text(cluster())
    with pytest.raises(UserError, match="files whose names end with .txt .* found none; remedy: write the output"):
        read_saved(tmp_path)
