# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What sbatch says to options, by its release. tests/judges asks real ones; here are the rules that they taught us."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.lint.script import lint
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch import table
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch.others import OTHERS, WORDS
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch.taken import is_known, verdict
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch.together import clashes
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch.verdicts import LATER, NEW, OLD, releases

# Option, value, verdict of 22.05, verdict of 24.11.
VERDICTS = [
    ("account", "physics", "right", "right"),
    ("account", "<your account>", "odd", "odd"),
    ("account", "$X", "odd", "odd"),
    ("acctg-freq", "task=30,energy=5", "right", "right"),
    ("acctg-freq", "x=30", "refused", "refused"),
    ("array", "1-3%2", "right", "right"),
    ("array", "[1-3],[5]", "right", "right"),
    ("array", "1-3,", "right", "right"),
    ("array", "1-3%x", "odd", "odd"),
    ("array", "3-1", "refused", "refused"),
    ("array", "1-3:0", "refused", "refused"),
    ("array", "1-4000001", "refused", "refused"),
    ("array", "-3:2", "refused", "refused"),
    ("array", "1-n", "refused", "refused"),
    ("begin", "now+1hour", "right", "right"),
    ("begin", "2099-01-01T12:00", "right", "right"),
    ("begin", "16:00 tomorrow", "right", "right"),
    ("begin", "4pm", "refused", "refused"),
    ("begin", "25:00", "refused", "refused"),
    ("begin", "elevenses", "refused", "right"),
    ("contiguous", None, "right", "right"),
    ("contiguous", "yes", "refused", "refused"),
    ("cpu-freq", "OnDemand", "right", "right"),
    ("cpu-freq", "Conservative", "refused", "refused"),
    ("cpu-freq", "low-high", "right", "refused"),
    ("dependency", "afterok:7", "right", "right"),
    ("dependency", "afterrok:7", "refused", "refused"),
    ("dependency", "Singleton", "right", "right"),
    ("dependency", "afterok:0", "refused", "refused"),
    ("distribution", "cyclic::block", "right", "right"),
    ("distribution", "::block:cyclic::fcyclic:,Pack", "right", "right"),
    ("distribution", "block::,", "right", "right"),
    ("distribution", ":fcyclic", "refused", "refused"),
    ("distribution", "::", "refused", "refused"),
    ("distribution", ":,Pack", "refused", "refused"),
    ("distribution", "block:cyclic:fcyclic:block", "refused", "refused"),
    ("distribution", "block::plane", "refused", "refused"),
    ("exclusive", "topo", "refused", "right"),
    ("extra-node-info", "2:4:1", "right", "right"),
    ("extra-node-info", "x", "refused", "refused"),
    ("gpu-bind", "map_gpu:0,1", "right", "right"),
    ("gpu-bind", "map_gpu:0-1", "refused", "refused"),
    ("gpu-bind", "map:0,1", "refused", "right"),
    ("gpus", "a100", "right", "right"),
    ("gpus", "a100:1,2", "refused", "refused"),
    ("gres", "gres/gpu:1", "refused", "right"),
    ("gres", "gres:gpu:1", "right", "refused"),
    ("gres-flags", "multiple-tasks-per-sharing", "refused", "right"),
    ("job-name", None, "refused", "refused"),
    ("mail-type", "END,FAIL", "right", "right"),
    ("mail-type", "END,ABORT", "odd", "odd"),
    ("mail-type", "ABORT", "refused", "refused"),
    ("mem", "+4G", "right", "right"),
    ("mem", "  4G", "right", "right"),
    ("mem", "4G ", "refused", "refused"),
    ("mem", "4 G", "refused", "refused"),
    ("nice", "100", "right", "right"),
    ("nice", "x", "odd", "odd"),
    ("nice", "2147483646", "refused", "refused"),
    ("nodelist", "n[1-3] n7", "right", "right"),
    ("nodelist", "n[1-2]x", "refused", "right"),
    ("nodelist", "n[1-]", "odd", "odd"),
    ("distribution", "planes=2", "odd", "odd"),
    ("nodelist", "n[3-1]", "refused", "refused"),
    ("nodes", "1-2", "right", "right"),
    ("nodes", "0", "odd", "odd"),
    ("nodes", "1 - 2 ", "odd", "odd"),
    ("nodes", "1 2", "refused", "refused"),
    ("nodes", "1,2,4-6", "refused", "right"),
    ("nodes", "1-8:2", "refused", "right"),
    ("nodes", "2-1", "refused", "refused"),
    ("nodes", "4294967296", "refused", "refused"),
    ("ntasks", " 2", "right", "right"),
    ("ntasks", "2147483647", "refused", "refused"),
    ("priority", "TOP", "right", "right"),
    ("priority", "-1", "refused", "refused"),
    ("propagate", "STACK,MEMLOCK", "right", "right"),
    ("propagate", "stack", "refused", "refused"),
    ("qos", "normal,high", "odd", "right"),
    ("signal", "B:USR1@120", "right", "right"),
    ("signal", ":USR1@120", "right", "right"),
    ("signal", "::USR1", "refused", "refused"),
    ("signal", ": USR1", "refused", "refused"),
    ("signal", ":@120", "refused", "refused"),
    ("signal", "USR1@65536", "refused", "refused"),
    ("signal", "-1", "odd", "odd"),
    ("switches", "1@60", "right", "right"),
    ("switches", "x", "refused", "refused"),
    ("time", "-5", "odd", "odd"),
    ("time", "1h", "refused", "refused"),
]


@pytest.mark.parametrize("name,value,old,new", VERDICTS)
def test_a_value_is_right_odd_or_refused_by_the_release(name, value, old, new):
    assert (verdict(name, value, (22, 5, 8)), verdict(name, value, (24, 11, 5))) == (old, new)
    mildest = min(old, new, key=("right", "odd", "refused").index)
    # A release that was not tried is believed to take what one of its neighbours takes.
    assert verdict(name, value, (23, 2)) == verdict(name, value) == mildest


@pytest.mark.parametrize("name,value,old,new", VERDICTS)
def test_the_linter_calls_an_error_what_that_release_refuses(name, value, old, new):
    line = "#SBATCH --%s\n" % name if value is None else '#SBATCH --%s="%s"\n' % (name, value)
    for slurm, said in (((22, 5), old), ((24, 11), new)):
        found = [one for one in lint("#!/bin/bash\n%strue\n" % line, slurm) if one.line == 2]
        severity = {"right": set(), "odd": {"warning"}, "refused": {"error"}}[said]
        codes = ("bad-value", "variable-in-directive", "misspelt-option")
        assert {one.severity for one in found if one.code in codes} == severity


def test_a_version_stands_for_the_releases_that_were_tried():
    assert releases((19, 5)) == releases((22, 5, 8)) == (OLD,)
    assert releases((23, 11)) == (OLD, NEW) and releases((24, 11, 5)) == (NEW,) and releases((25, 5)) == (LATER,)
    assert releases(None) == (OLD, NEW, LATER)


@pytest.mark.parametrize(
    "name,old,new,later",
    [
        ("nodes", True, True, True),
        ("tres-per-task", False, True, True),
        ("spread-segments", False, False, True),
        ("power", True, False, False),
        ("workdir", False, False, False),
        ("share", False, False, False),
        ("container-image", True, True, True),
    ],
)
def test_an_option_is_known_by_its_release(name, old, new, later):
    assert (is_known(name, (22, 5)), is_known(name, (24, 11)), is_known(name, (25, 5))) == (old, new, later)
    assert is_known(name) == (old or new or later)


# Directives, and whether 22.05 and 24.11 refuse them together.
TOGETHER = [
    ({"mem": "4G", "mem-per-cpu": "1G"}, True, True),
    ({"mem": "4G", "mem-per-gpu": "1G", "gpus": "1"}, True, True),
    ({"mem": "4G", "gpus": "1"}, False, False),
    ({"cpus-per-task": "2", "cpus-per-gpu": "2", "gpus": "1"}, True, True),
    ({"ntasks-per-gpu": "1", "ntasks-per-node": "2", "gpus": "1"}, True, True),
    ({"ntasks-per-gpu": "1", "gpus": "2"}, False, False),
    ({"ntasks-per-gpu": "1", "nodes": "1"}, False, False),
    ({"ntasks-per-gpu": "1"}, True, True),
    ({"ntasks-per-gpu": "1", "ntasks": "2", "mem-per-gpu": "1G"}, False, False),
    ({"ntasks-per-gpu": "1", "nodes": "1", "cpus-per-gpu": "1"}, False, False),
    ({"mem-per-gpu": "4G"}, True, True),
    ({"mem-per-gpu": "0"}, False, False),
    ({"mem-per-gpu": "4G", "gres": "gpu:a100:1"}, False, False),
    ({"mem-per-gpu": "4G", "gres": "nvme:1"}, True, True),
    ({"cpus-per-gpu": "4"}, False, True),
    ({"cpus-per-gpu": "4", "gpus-per-node": "1"}, False, False),
    ({"gpus-per-task": "1"}, True, True),
    ({"gpus-per-task": "1", "ntasks": "2"}, False, False),
    ({"gpus-per-task": "1", "ntasks-per-node": "2"}, False, True),
    ({"gpus-per-task": "1", "nodes": "2"}, False, False),
    ({"gpus-per-task": "1", "nodes": "1-2"}, True, True),
    ({"gpus-per-task": "a100"}, True, False),
    ({"gpus-per-task": "1", "gres": "gpu:1"}, True, True),
    ({"gpus-per-socket": "1"}, True, True),
    ({"gpus": "4", "gpus-per-node": "2"}, False, False),
    ({"gpus": "2", "gpus-per-node": "4"}, True, True),
    ({"gpus": "2", "gres": "gpu:4"}, True, True),
    ({"gpus": "8", "gres": "gpu:4"}, False, False),
    ({"gpus": "a100:2", "gpus-per-node": "1"}, True, True),
    ({"gpus": "a100:2", "gres": "gpu:1"}, True, True),
    ({"gpus": "2", "gres": "gpu:3090:1"}, True, True),
    ({"gpus-per-task": "1", "gres": "gpu:a100", "ntasks": "1"}, True, True),
    ({"gpus": "a100:2", "gres": "gpu:a100:1"}, False, False),
    ({"gpus": "a100:2", "gpus-per-node": "3090:1"}, False, False),
    ({"gpus": "a100:3", "gpus-per-node": "a100:2"}, True, True),
    ({"gpus": "3", "gpus-per-node": "1,1"}, False, False),
    ({"gpus": "1", "nodes": "2-4"}, True, True),
    ({"gpus": "1", "nodes": "1-2"}, False, False),
    ({"gpus": "0", "nodes": "2"}, False, False),
    ({"gpus": "1", "nodelist": "n[1-2]"}, True, True),
    ({"gpus": "1", "nodelist": "n["}, False, False),
    ({"gpus": "a100:1,3090:1", "nodes": "2"}, True, True),
    ({"gpus": "1", "gpus-per-task": "1", "ntasks": "2"}, True, True),
    ({"gpus": "4", "gpus-per-task": "2", "ntasks": "2"}, False, False),
    ({"gpus": "a100:2", "gpus-per-task": "3090:1"}, True, True),
    ({"gpus": "a100:2", "gpus-per-task": "3090:1", "ntasks": "2"}, False, False),
    ({"gpus": "a100:2", "gpus-per-task": "a100:1"}, False, False),
    ({"gpus": "a100:2", "gpus-per-task": "3090:1,a100:1"}, False, True),
    ({"gpus": "a100:2,3090:2", "gpus-per-task": "a100:1,3090:2", "ntasks": "2"}, True, False),
    ({"gpus": "2", "gpus-per-task": "a100"}, True, False),
    ({"gpus": "2", "gpus-per-task": "a100:1"}, True, True),
    ({"gpus-per-node": "1g.10gb:1", "gres": "nvme:1"}, False, False),
    ({"exclusive": None, "oversubscribe": None}, False, True),
    ({"distribution": "arbitrary"}, True, True),
    ({"distribution": "arbitrary", "nodelist": "n1"}, False, False),
]


@pytest.mark.parametrize("given,old,new", TOGETHER)
def test_options_that_sbatch_refuses_together(given, old, new):
    assert (bool(clashes(given, (22, 5))), bool(clashes(given, (24, 11)))) == (old, new)
    assert bool(clashes(given)) == (old and new)


@pytest.mark.parametrize("given,old,new", TOGETHER)
def test_the_linter_names_them_at_the_last_of_their_lines(given, old, new):
    lines = ["#SBATCH --%s" % name + ("" if value is None else "=" + value) for name, value in given.items()]
    found = lint("#!/bin/bash\n%s\ntrue\n" % "\n".join(lines), (22, 5))
    assert bool([one for one in found if one.code == "contradiction" and one.severity == "error"]) == old


def test_a_heterogeneous_job_is_no_array():
    text = "#!/bin/bash\n#SBATCH --array=0-9\n%s#SBATCH --nodes=1\ntrue\n"
    assert (2, "contradiction") in [(one.line, one.code) for one in lint(text % "#SBATCH hetjob\n")]
    assert "contradiction" not in [one.code for one in lint(text % "")]


def test_the_components_of_a_heterogeneous_job_do_not_contradict_each_other():
    text = "#!/bin/bash\n#SBATCH --mem=4G\n#SBATCH hetjob\n#SBATCH --mem-per-cpu=1G\ntrue\n"
    assert "contradiction" not in [one.code for one in lint(text)]


@pytest.mark.parametrize(
    "line,code",
    [
        ("--mail=END", "misspelt-option"),
        ("--node=2", "misspelt-option"),
        ("-", "misspelt-option"),
        ("--immediate", "misspelt-option"),
        ("--mem\n#SBATCH --nodes=1", "bad-value"),
        ("--part=gpu", None),
        ("--sprea", None),
        ("--propagate -1", "misspelt-option"),
        ("-P gpu", "misspelt-option"),
        ("--N 2", "misspelt-option"),
        ("--G1", "misspelt-option"),
        ("--contain=x", None),
        ("--mem\n#SBATCH 4G", None),
        ("--comment\n#SBATCH --nodes=two", None),
        ("--some-plugin=5", None),
    ],
)
def test_what_getopt_makes_of_the_words(line, code):
    errors = [one.code for one in lint("#!/bin/bash\n#SBATCH %s\ntrue\n" % line) if one.severity == "error"]
    assert errors == ([code] if code else [])


def test_each_option_without_a_row_that_has_patterns_has_words_for_a_message():
    counts = {name for name, rows in OTHERS.items() if rows[0][0].startswith((r"\s*\+?0*[1-9]", r"(\s*"))}
    free = {name for name, rows in OTHERS.items() if rows[0][0] == ".*"}
    assert set(OTHERS) <= table.KNOWN
    assert set(OTHERS) - counts - free - set(WORDS) == set()
    assert all(verdict(name, example) == "right" for name, (_expected, example) in WORDS.items())
