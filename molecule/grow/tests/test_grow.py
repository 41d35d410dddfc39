"""A node came later and was configured alone; then another one went down while the site's playbook ran."""

from __future__ import annotations

import re

import pytest


def test_the_new_node_takes_a_job(alice):
    alice.terminal("sed 's/--partition=titan/--partition=titan --nodelist=titan02/' test.sh > new.sh")
    state, output = alice.job("new.sh")
    assert state == "COMPLETED" and re.search(r"^result: loss=", output, re.MULTILINE), output


@pytest.mark.parametrize("name", ["hpc-pytorch-modules.sh"])
def test_the_new_node_has_what_each_machine_owns(machine, name):
    theirs, ours = machine("titan02").file("/etc/profile.d/" + name), machine("login01").file("/etc/profile.d/" + name)
    assert theirs.content_string == ours.content_string and theirs.mode == 0o644


def test_the_new_node_finds_what_is_shared(person):
    told = person("alice", "titan02").login_shell(
        "module load anaconda3 cuda && source activate torch && python -c 'import torch' && nvcc --version"
    )
    assert told.rc == 0 and "release 13.5" in told.out, told.out


def test_the_software_was_written_by_the_login_node(machine):
    # Ansible leaves its folder in the home of the user who runs a task; no compute node made anything that is shared.
    assert machine("login01").file("/opt/app/anaconda3/conda-meta").is_directory
    assert machine("titan02").check_output("find /opt/app -newer /etc/hostname -name '*.partial'") == ""


def test_slurm_names_the_node_that_is_down(alice):
    told = alice.terminal(
        "for i in $(seq 60); do sinfo -h -N -n titan01 -o %T | grep -q down && break; sleep 1; done;"
        " sinfo -h -N -o '%N %T'"
    )
    lines = told.out.splitlines()
    assert re.search(r"^titan01 down", "\n".join(lines), re.MULTILINE) and "titan02 idle" in lines, told.out


def test_the_run_with_a_node_down_did_the_rest(alice):
    lines = [line for line in alice.ssh("cat ~/.bashrc").out.splitlines() if line and not line.startswith("#")]
    assert "export EDITOR=vi" in lines and lines[-1] == 'export PATH="/opt/app/anaconda3/bin:$PATH"', lines[-8:]
