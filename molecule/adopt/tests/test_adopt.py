"""An existing base installation is found, exposed and used, and stays as it was.

Its conda is a stand-in (molecule/adopt/files/conda). The tests prove what the role does: detection, the modulefile,
activation in every kind of shell as roles/conda/README.md says, and that nothing is installed again.
"""

from __future__ import annotations

import re

import pytest

WORKS = "source activate torch && python -c 'import torch; print(torch.__version__)'"


def computes(told):
    return told.rc == 0 and re.search(r"^2\.13\.0", told.out, re.MULTILINE) is not None


def test_the_base_is_the_one_that_stood_there(machine):
    login = machine("login01")
    now = login.check_output(
        "find /opt/app/anaconda3 ! -name '.condarc*' ! -path /opt/app/anaconda3 -printf '%p %y %m %s %T@\\n' | sort"
    )
    before = [
        line
        for line in login.file("/root/base-before").content_string.splitlines()
        if not line.startswith("/opt/app/anaconda3 ")
    ]
    assert now.splitlines() == before and any("/bin/conda " in line for line in before)


def test_conda_is_still_the_sites(alice):
    assert alice.terminal("type -P conda && conda --version").out.splitlines()[-2:] == [
        "/opt/app/anaconda3/bin/conda",
        "conda 4.10.1",
    ]


def test_the_sites_own_settings_stay_beside_ours(machine):
    text = machine("login01").file("/opt/app/anaconda3/.condarc").content_string
    assert "ssl_verify: true" in text and "auto_activate_base: false" in text and "http://mirror/channel" in text
    assert machine("login01").check_output("ls -A /opt/app/anaconda3 | grep -c condarc") == "2", (
        "no backup of the condarc"
    )


@pytest.mark.parametrize("node", ["login01", "titan01"])
def test_the_rc_file_reaches_a_terminal_and_another_interactive_shell(person, node):
    somebody = person("alice", node)
    assert computes(somebody.terminal(WORKS))
    assert computes(somebody.other_shell(WORKS))


def test_the_rc_file_does_not_reach_a_login_shell_without_a_terminal(alice):
    # As the README's table says: Debian's own rc file ends at once there.
    told = alice.login_shell(WORKS)
    assert told.rc != 0, told.out


@pytest.mark.parametrize("node", ["login01", "titan01"])
def test_the_module_reaches_a_login_shell_and_a_terminal(person, node):
    somebody = person("alice", node)
    assert computes(somebody.login_shell("module load anaconda3 && " + WORKS))
    assert computes(somebody.terminal("module load anaconda3 && " + WORKS))


def test_the_module_goes_as_it_came(alice):
    told = alice.login_shell(
        'a=$PATH; module load anaconda3; b=$PATH; module unload anaconda3; [ "$a" != "$b" ] && [ "$PATH" = "$a" ]'
    )
    assert told.rc == 0, told.out


def test_a_job_that_loads_the_module(alice):
    alice.terminal(
        "cat > module.sh <<'END'\n#!/bin/bash -l\n#SBATCH --partition=titan --export=NONE\n"
        "module load anaconda3\n%s\nEND\n" % WORKS
    )
    state, output = alice.job("module.sh")
    assert state == "COMPLETED" and "2.13.0" in output, output


def test_a_job_does_not_read_the_rc_file(alice):
    alice.terminal(
        "cat > bare.sh <<'END'\n#!/bin/bash\n#SBATCH --partition=titan --export=NONE\n"
        "export PATH=/usr/bin:/bin\ntype -P conda\nEND\n"
    )
    state, output = alice.job("bare.sh")
    assert state == "FAILED" and "anaconda3" not in output, output


def test_the_guides_job_runs(alice):
    state, output = alice.job("test.sh")
    assert state == "COMPLETED" and re.search(r"^result: loss=", output, re.MULTILINE), output
    assert output.splitlines()[0] in ("0", "1"), output
