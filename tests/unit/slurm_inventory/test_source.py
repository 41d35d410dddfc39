# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where scontrol's words come from, and what is said when they do not come."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.plugin_utils._slurm_inventory import source
from ansible_collections.hpc.pytorch.plugins.plugin_utils._slurm_inventory.source import Source, fetch
from ansible_collections.hpc.pytorch.plugins.plugin_utils._slurm_inventory.texts import BY_HAND, read, split


def ask(saved=None, login_host=None, bin_dir=None, seconds=60):
    return fetch(Source(saved, login_host, bin_dir, seconds))


def same(text, other):
    return split(text) == split(other)


def test_a_file_and_a_folder_of_files(tmp_path, recorded):
    texts = split(recorded("25.11"))
    (tmp_path / "one").write_text("".join(recorded("25.11")), encoding="utf-8")
    folder = tmp_path / "many"
    folder.mkdir()
    # In the order of the alphabet, which is not that of the commands.
    for name, text in zip(("c.txt", "b.txt", "a.txt"), texts):
        (folder / name).write_text(text + "\n", encoding="utf-8")
    (folder / "README.md").write_text("NodeName=none\n", encoding="utf-8")
    expected = read(recorded("25.11"), "x")
    assert list(expected.nodes) == ["c1", "c2"] and list(expected.partitions) == ["cpu", "gpu"]
    assert read(ask(saved=tmp_path / "one"), "x") == read(ask(saved=folder), "x") == expected


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match="found No such file or directory; remedy: correct saved_output"):
        ask(saved=tmp_path / "none.txt")


def test_this_machine(commands, tmp_path, recorded):
    assert read(ask(), "x") == read(ask(bin_dir=str(commands)), "x") == read(recorded("25.11"), "x")
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls[:3] == ["scontrol show config", "scontrol --oneliner show partition", "scontrol --oneliner show node"]


def test_a_login_host_is_asked_once_and_never_for_a_password(commands, tmp_path, recorded):
    assert read(ask(login_host="alice@login01", bin_dir=str(commands)), "x") == read(recorded("25.11"), "x")
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [call for call in calls if call.startswith("ssh")] == [
        "ssh -T -o BatchMode=yes -o ConnectTimeout=10 -- alice@login01"
        " {0}/scontrol show config && {0}/scontrol --oneliner show partition"
        " && {0}/scontrol --oneliner show node".format(commands)
    ]


def test_a_folder_cannot_become_a_command_of_the_other_side(commands, tmp_path):
    with pytest.raises(UserError):
        ask(login_host="login01", bin_dir="/nowhere; touch %s/touched; echo" % tmp_path)
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize("host", ["-oProxyCommand=touch x", "a b", "a;b", "", "login01\n-v"])
def test_a_host_that_is_none(commands, tmp_path, host):
    with pytest.raises(UserError, match="expected login_host to be a host, or user@host"):
        source.ssh_command(host, None, 60)
    assert not (tmp_path / "calls").exists()


def test_no_scontrol(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="expected scontrol on PATH; found none; remedy: run this on a login host"):
        ask()
    with pytest.raises(UserError, match="expected scontrol in %s; found none" % tmp_path):
        ask(bin_dir=str(tmp_path))
    with pytest.raises(UserError, match="expected an executable ssh; found No such file or directory"):
        ask(login_host="login01")


def test_a_refusal_in_its_own_words(commands):
    (commands / "ssh").write_text("#!/bin/sh\necho 'Permission denied (publickey,password).' >&2\nexit 255\n")
    with pytest.raises(
        UserError,
        match=r"expected an answer from ssh login01; found Permission denied \(publickey,password\)\.; remedy: log",
    ):
        ask(login_host="login01")
    said = "slurm_load_ctl_conf error: Unable to contact slurm controller (connect failure)"
    (commands / "scontrol").write_text("#!/bin/sh\necho '%s' >&2\nexit 1\n" % said)
    with pytest.raises(
        UserError,
        match="found slurm_load_ctl_conf error: Unable to contact .*; remedy: check that the controller runs",
    ):
        ask()


def test_one_that_does_not_end_is_ended_with_what_it_started(commands, tmp_path, monkeypatch):
    fifo = tmp_path / "ready"
    os.mkfifo(fifo)
    (commands / "ssh").write_text("#!/bin/sh\nsleep 600 &\necho $! > %s\nwait\n" % fifo)
    ended = []
    wait = subprocess.Popen.communicate

    def communicate(process, *arguments, **keywords):
        # Only once the child is there, and then at once.
        if keywords.get("timeout"):
            ended.append(int(fifo.read_text()))
            raise subprocess.TimeoutExpired("ssh", 1)
        return wait(process, *arguments, **keywords)

    monkeypatch.setattr(subprocess.Popen, "communicate", communicate)
    with pytest.raises(UserError, match="expected an answer from ssh login01 within 7 s; found no end"):
        ask(login_host="login01", seconds=7)
    with pytest.raises(ProcessLookupError):
        # Its output was waited for, so it is gone; its parent, which would take note of it, is as well.
        while True:
            os.kill(ended[0], signal.SIGCONT)
            if "Z" in _state(ended[0]):
                raise ProcessLookupError


def _state(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as stream:
        return stream.read().rpartition(")")[2].split()[0]


@pytest.mark.parametrize("text", ["", "Welcome to login01\n", "PartitionName=a Nodes=(null)\n"])
def test_words_that_tell_of_no_node(text):
    with pytest.raises(UserError) as error:
        read(text, "cluster.txt")
    assert error.value.expected == "lines of scontrol with NodeName= from cluster.txt"
    assert error.value.remedy == "run on a login node: " + BY_HAND


CONFIG = "Configuration data as of 2026-11-24T14:36:13\nClusterName = campus\nPrivateData = %s\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (CONFIG % "none" + "No nodes in the system\n", "No nodes in the system"),
        (CONFIG % "jobs,nodes" + "No nodes in the system\n", "PrivateData, which hides nodes"),
        (CONFIG % "nodes,usage", "PrivateData, which hides nodes"),
    ],
)
def test_nodes_that_slurm_hides_are_not_asked_for_again(text, found):
    with pytest.raises(UserError) as error:
        read(text, "cluster.txt")
    assert found in error.value.found and "administrators" in error.value.remedy


def test_private_data_hides_nothing_from_a_user_who_sees_nodes():
    assert list(read(CONFIG % "nodes" + "NodeName=n1 State=IDLE\n", "cluster.txt").nodes) == ["n1"]
