# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role torch_check by a real ansible-playbook, through allocations of a Slurm of stand-ins."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]


@pytest.fixture
def check(tmp_path, login):
    """Run check.yml over nodes, and return its exit status, its output and the nodes of its report."""

    def run(nodes, *arguments, logins=(), **variables):
        variables.update(
            ansible_python_interpreter=sys.executable,
            torch_check_slurm_bin_dir=str(login.bin),
            torch_check_report_dir=str(tmp_path / "report"),
            torch_env_prefix=str(tmp_path / "no environment"),
        )
        inventory = {
            group: {"hosts": dict.fromkeys(hosts), "vars": variables}
            for group, hosts in (("login", logins), ("compute", nodes))
            if hosts
        }
        (tmp_path / "inventory.json").write_text(json.dumps(inventory))
        done = subprocess.run(
            [str(pathlib.Path(sys.executable).with_name("ansible-playbook")), "-i", str(tmp_path / "inventory.json")]
            + [*arguments, "hpc.pytorch.check"],
            cwd=CHECKOUT,
            env=dict(os.environ, ANSIBLE_CONFIG=str(CHECKOUT / "ansible.cfg"), HOME=str(tmp_path)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        report = json.loads((tmp_path / "report" / "report.json").read_text()) if not arguments else {"nodes": []}
        return done.returncode, " ".join(done.stdout.split()), {node["name"]: node for node in report["nodes"]}

    return run


@pytest.mark.slow
def test_each_node_is_allocated_asked_and_released(check, login):
    login.refuse("n2")
    status, output, nodes = check(["n1", "n2"], torch_check_via="srun", torch_check_slurm_mem="8G")
    assert status == 2, output
    assert nodes["n1"]["reasons"][0]["code"] == "check_refused"
    assert nodes["n2"]["verdict"] == "unreachable"
    assert "Slurm gave no allocation of the node: salloc: error" in nodes["n2"]["reasons"][0]["message"]
    names = set()
    for arguments in login.calls("salloc"):
        assert "--mem=8G" in arguments and "--time=4" in arguments
        names.update(word.partition("=")[2] for word in arguments if word.startswith("--job-name="))
    assert {arguments[-1].partition("=")[2] for arguments in login.calls("scancel")} == names and len(names) == 2
    steps = login.calls("srun")
    assert steps and all("--jobid=7" in arguments and "--nodelist=n1" in arguments for arguments in steps)


@pytest.mark.slow
def test_a_node_that_is_powered_down_is_left_alone(check, login):
    login.show({"n1": "idle", "n2": "idle~"})
    _status, output, nodes = check(["n1", "n2"], torch_check_via="srun")
    assert nodes["n2"]["verdict"] == "not_checked" and nodes["n2"]["summary"].startswith("not_checked: powered down;")
    assert nodes["n1"]["verdict"] != "not_checked" and len(login.calls("salloc")) == 1
    assert "fatal: [n2]" not in output and "failed=0" in output
    check(["n2"], torch_check_via="srun", torch_check_slurm_powered_down=True)
    assert len(login.calls("salloc")) == 2


@pytest.mark.slow
def test_check_mode_allocates_nothing(check, login):
    status, output, _nodes = check(["n1"], "--check", torch_check_via="srun")
    assert status == 0, output
    assert "not_checked: check mode allocates no node" in output
    assert login.calls("salloc") == login.calls("srun") == []


@pytest.mark.slow
def test_where_the_login_node_cannot_be_reached_each_node_is_unreachable(check):
    ssh = {"torch_check_slurm_host": "n1", "ansible_ssh_executable": "/nonexistent"}
    status, output, nodes = check(["n1", "n2"], torch_check_via="slurm", **ssh)
    assert status == 2, output
    assert {node["verdict"] for node in nodes.values()} == {"unreachable"}
    for node in nodes.values():
        assert node["reasons"][0]["code"] == "node_unreachable"
        assert "/nonexistent" in node["reasons"][0]["message"]


@pytest.mark.slow
def test_where_slurm_fails_each_node_has_its_message(check, login):
    # Run by root, which slurm_torch_info refuses, or by a user: there is no sinfo.
    options = {"torch_check_slurm_host": "n1", "ansible_connection": "local"}
    status, output, nodes = check(["n1", "n2"], torch_check_via="slurm", **options)
    assert status == 2, output
    for node in nodes.values():
        assert (node["verdict"], node["reasons"][0]["code"]) == ("unreachable", "node_unreachable")
        assert "expected " in node["reasons"][0]["message"] and node["reasons"][0]["remedy"]


@pytest.mark.slow
def test_login_nodes_are_checked_while_the_controller_is_away(check, login):
    for name in ("sinfo", "scontrol", "squeue", "sbatch"):
        (login.bin / name).write_text("#!/bin/sh\necho 'Unable to contact slurm controller' >&2\nexit 1\n")
        (login.bin / name).chmod(0o755)
    options = {"torch_check_slurm_host": "l1", "ansible_connection": "local"}
    status, output, nodes = check(["n1", "n2"], logins=["l1"], torch_check_via="slurm", **options)
    assert status == 2, output
    assert nodes["l1"]["reasons"][0]["code"] == "check_refused"
    for name in ("n1", "n2"):
        assert nodes[name]["reasons"][0]["code"] == "node_unreachable"
        # As root slurm_torch_info asks no controller.
        words = "expected an ordinary user" if os.geteuid() == 0 else "Unable to contact slurm controller"
        assert words in nodes[name]["reasons"][0]["message"]
