# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The slurm inventory with the commands that a person types."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import typing as t

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
EXAMPLE = CHECKOUT / "inventories" / "slurm"


class Done(t.NamedTuple):
    """How ansible-inventory ended."""

    rc: int
    out: str
    err: str


@pytest.fixture
def ansible_inventory(tmp_path: pathlib.Path) -> t.Callable[..., Done]:
    """Runs ansible-inventory in the checkout; the cache and what is first on PATH lie in tmp_path."""

    def call(*arguments: str) -> Done:
        done = subprocess.run(
            [str(pathlib.Path(sys.executable).with_name("ansible-inventory")), *arguments],
            cwd=CHECKOUT,
            env=dict(
                os.environ,
                ANSIBLE_CONFIG=str(CHECKOUT / "ansible.cfg"),
                ANSIBLE_NOCOLOR="1",
                HOME=str(tmp_path),
                PATH="%s:%s" % (tmp_path, os.environ["PATH"]),
            ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return call


def test_the_example(ansible_inventory: t.Callable[..., Done]) -> None:
    graph = ansible_inventory("-i", str(EXAMPLE), "--graph")
    assert (graph.rc, graph.err) == (0, "")
    lines = [line.strip("| -") for line in graph.out.splitlines()]
    assert {"@compute:", "@titan:", "@tesla:", "@login:", "@gres_gpu:", "@gres_gpu_titan:", "@state_idle:"} <= set(
        lines
    )
    listed = json.loads(ansible_inventory("-i", str(EXAMPLE), "--list").out)
    assert listed["compute"]["children"] == ["titan", "tesla"]
    assert listed["login"]["hosts"] == ["login01"]
    nodes = {host: variables for host, variables in listed["_meta"]["hostvars"].items() if host != "login01"}
    assert set(nodes) == set(listed["titan"]["hosts"]) | set(listed["tesla"]["hosts"])
    for host, variables in nodes.items():
        # All that check.yml goes by, group_vars among it.
        assert variables["hpc_gpu_count"] == 2 and variables["torch_check_via"] == "slurm"
        # ansible-inventory marks what must not become a template.
        assert variables["hpc_gpu_type"] == {
            "__ansible_unsafe": "titan-v" if host in listed["titan"]["hosts"] else "v100"
        }


def test_the_cache_and_how_to_flush_it(ansible_inventory: t.Callable[..., Done], tmp_path: pathlib.Path) -> None:
    inventory = tmp_path / "slurm.yml"
    inventory.write_text(
        "plugin: hpc.pytorch.slurm\nlogin_host: login01\n"
        "cache: true\ncache_plugin: jsonfile\ncache_connection: %s/cache\n" % tmp_path
    )
    ssh = tmp_path / "ssh"
    for node in ("n1", "n2"):
        ssh.write_text("#!/bin/sh\necho NodeName=%s State=IDLE Partitions=p\n" % node)
        ssh.chmod(0o755)
        # The first answer is kept.
        assert json.loads(ansible_inventory("-i", str(inventory), "--list").out)["p"]["hosts"] == ["n1"]
    assert json.loads(ansible_inventory("-i", str(inventory), "--list", "--flush-cache").out)["p"]["hosts"] == ["n2"]
    assert json.loads(ansible_inventory("-i", str(inventory), "--list").out)["p"]["hosts"] == ["n2"]


def test_what_cannot_be_read_is_said(ansible_inventory: t.Callable[..., Done], tmp_path: pathlib.Path) -> None:
    inventory = tmp_path / "slurm.yml"
    inventory.write_text("plugin: hpc.pytorch.slurm\nlogin_host: login01\n")
    (tmp_path / "ssh").write_text(
        "#!/bin/sh\necho 'ssh: connect to host login01 port 22: No route to host' >&2\nexit 255\n"
    )
    (tmp_path / "ssh").chmod(0o755)
    done = ansible_inventory("-i", str(inventory), "--graph")
    said = " ".join(done.err.split())
    assert (
        "expected an answer from ssh login01; "
        "found ssh: connect to host login01 port 22: No route to host; remedy: log in there" in said
    )


def test_a_play_renders_nothing_of_slurms(playbook_run: t.Callable[..., t.Any], tmp_path: pathlib.Path) -> None:
    evil = "{{lookup('pipe','touch${IFS}%s/touched')}}" % tmp_path
    (tmp_path / "cluster.txt").write_text(
        "NodeName=n1 State=DOWN Partitions=p Reason=%s [root@2026-01-01T00:00:00]\n" % evil
    )
    (tmp_path / "slurm.yml").write_text("plugin: hpc.pytorch.slurm\nsaved_output: cluster.txt\n")
    (tmp_path / "play.json").write_text(
        json.dumps(
            [
                {
                    "hosts": "p",
                    "gather_facts": False,
                    "tasks": [
                        {"ansible.builtin.debug": {"msg": "said {{ slurm_reason }}"}},
                        {"ansible.builtin.set_fact": {"kept": "{{ hostvars.n1.slurm_reason }}"}},
                        {"ansible.builtin.debug": {"var": "kept"}},
                    ],
                }
            ]
        )
    )
    done = playbook_run("-i", str(tmp_path / "slurm.yml"), str(tmp_path / "play.json"))
    assert done.rc == 0 and done.output.count("{{lookup(") == 2, done.output
    assert not (tmp_path / "touched").exists()
