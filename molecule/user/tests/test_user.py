"""Two ordinary users have run a play of their own: what each got, and what neither can do."""

from __future__ import annotations

import re

import pytest

USERS = ("alice", "bob")


@pytest.mark.parametrize("name", USERS)
def test_the_play_had_no_more_rights_than_its_user(person, name):
    told = person(name).terminal("id -un; sudo -n true; echo sudo=$?")
    assert told.out.splitlines()[0] == name and "sudo=1" in told.out, told.out


@pytest.mark.parametrize("name", USERS)
def test_each_has_a_torch_that_computes(person, name):
    told = person(name).terminal(
        "~/.conda/envs/torch/bin/python -c 'import torch; print(torch.__version__, int(torch.ones(3, 3).sum()))'"
    )
    assert told.rc == 0 and re.search(r"^2\.13\.0\S* 9$", told.out, re.MULTILINE), told.out


@pytest.mark.parametrize("name", USERS)
def test_each_has_commands_that_need_no_ansible(person, name):
    told = person(name).terminal(
        "printf '#!/bin/bash\\n#SBATCH --gers=gpu:1\\n' | ~/.local/bin/sbatch-lint -; echo rc=$?;"
        " ~/.local/bin/torch-verdict --prefix ~/.conda/envs/torch; echo rc=$?"
    )
    assert "<stdin>:2: error: sbatch does not know --gers [misspelt-option]; write --gres" in told.out, told.out
    assert re.findall(r"^rc=(\d)|^(cpu_only):", told.out, re.MULTILINE) == [("1", ""), ("", "cpu_only"), ("0", "")]


def test_both_submit_at_the_same_time_and_read_their_own_output(person):
    numbers = {}
    for name in USERS:
        sent = person(name).terminal("cd jobs && sbatch --parsable --wait train.sh > number 2>&1 & disown; true")
        assert sent.rc == 0
    for name in USERS:
        told = person(name).terminal(
            "cd jobs; until scontrol show job $(tail -n 1 number) | grep -q 'JobState=[CFTN][OA]';"
            " do sleep 0.5; done; cat number"
        )
        numbers[name] = told.out.split()[-1]
    assert len(set(numbers.values())) == 2
    for name in USERS:
        shown = person(name).terminal("scontrol show job " + numbers[name]).out
        assert "JobState=COMPLETED" in shown and "UserId=%s(" % name in shown, shown
        output = person(name).terminal("cat jobs/slurm-%s.out" % numbers[name]).out
        loss = re.search(r"^result: loss=([0-9.]+)", output, re.MULTILINE)
        assert loss and float(loss.group(1)) < 0.25, output


@pytest.mark.parametrize(("name", "other"), [USERS, USERS[::-1]])
@pytest.mark.parametrize(
    "path",
    ["jobs/train.sh", ".conda/envs/torch/bin/python3.11", ".bashrc", ".local/share/hpc.pytorch/engine/pyvenv.cfg"],
)
def test_neither_can_write_what_is_the_others(person, name, other, path):
    assert person(other).terminal("test -w ~/%s" % path).rc == 0
    told = person(name).terminal("echo planted >> /home/%s/%s" % (other, path))
    assert told.rc != 0 and "Permission denied" in told.out, told.out
    assert person(name).terminal("rm -f /home/%s/%s" % (other, path)).rc != 0


@pytest.mark.parametrize("name", USERS)
def test_nothing_of_theirs_lies_outside_of_their_home(machine, name):
    found = machine("login01").check_output(
        "find / -xdev -user %s ! -path '/proc/*' ! -path '/home/%s/*' ! -path /home/%s" % (name, name, name)
    )
    assert found == ""
    assert machine("login01").check_output("find /home/%s ! -user %s" % (name, name)) == ""


def test_the_site_has_nothing_of_ours(machine):
    assert machine("login01").check_output("ls -A /opt/app") == ""
    assert machine("login01").check_output("find /etc -name '*hpc-pytorch*'") == ""
