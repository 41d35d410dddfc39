# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The linter of job scripts calls an error only what sbatch refuses: Debian's sbatch is the judge."""

from __future__ import annotations

import re

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.lint.script import lint
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.gres import parse_gpu_request, parse_request
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch import options, script_text, table, taken

COMPLETE = "#SBATCH --time=1:00:00 --mem=8G --cpus-per-task=4\n"
CODE = 'srun --cpus-per-task="$SLURM_CPUS_PER_TASK" python x.py\n'


def script(*lines):
    return "#!/bin/bash\n" + COMPLETE + "".join("#SBATCH %s\n" % line for line in lines) + CODE


def errors(text):
    return [(finding.line, finding.code) for finding in lint(text) if finding.severity == "error"]


# Directives that sbatch takes, and in which the linter finds nothing.
RIGHT = [
    "--tasks-per-node=2",
    "--tasks-per-node 2",
    "--tasks=2",
    "--array=[1-3]",
    "--array=[1-3]%2",
    "--array=1-3,[5]",
    "--array=[0-10:2]",
    "--distribution=nopack",
    "--distribution=Pack",
    "-m block,nopack",
    "-m *:cyclic",
    "-m block:",
    "--distribution=plane=4",
    "--gres=gpu:3090:1",
    "--gres=gpu:1g.10gb:1",
    "--gres=gpu:2080ti",
    "--gres=gpu:3",
    "--gres=gpu:1,",
    "--gpus=2080ti:2",
    "--gpus=a100",
    "-G 3090:1",
    "--gpus-per-node=1g.5gb:2",
    "--gpus-per-node=a100,3090:2",
    "--dependency=1234",
    "--export=A-B,1A,ALL",
    "--exclusive=exclusive",
    "--exclusive=USER",
    "--gpu-bind=Closest,verbose",
    "--hint=Nomultithread,compute_bound",
    "--mail-type=BEGIN,",
    "--mail-user=<you@example.org>",
    "--nodes=+1",
    "--open-mode=a",
    "--partition=a,",
    "--signal=99",
    "--signal=USR1@",
    "--time=-1",
    "--time=1-",
    "--kill-on-invalid-dep yes",
    "-J -x",
    "--comment -x",
    "--comment --walltime=3",
    "-o -%j",
    "-J '#SBATCH -p x'",
    "-HJx",
    "-vvN1",
    "-sH -N1",
    "--nice=5",
    "-koff",
    "--begin now",
    "-b now",
]
# Directives that sbatch refuses, with the linter's code.
REFUSED = [
    ("--gres=1", "bad-value"),
    ("--gres=3090:1", "bad-value"),
    ("--gres=gpu:a:b:2", "bad-value"),
    ("--gpus=a100:", "bad-value"),
    ("--gpus=3090:x", "bad-value"),
    ("--distribution=blockk", "bad-value"),
    ("--distribution=plane=4:block", "bad-value"),
    ("--distribution=plane=0", "bad-value"),
    ("--distribution=nopack:block", "bad-value"),
    ("--distribution=", "bad-value"),
    ("--mem=32Gi", "bad-value"),
    ("--mem=", "bad-value"),
    ("--mem=$X", "variable-in-directive"),
    ("--time=1h", "bad-value"),
    ("--time=$X", "variable-in-directive"),
    ("--tasks-per-node=x", "bad-value"),
    ("--requeue=1", "bad-value"),
    ("--workdir=/x", "misspelt-option"),
    ("--name=x", "misspelt-option"),
    ("--memory=4G", "misspelt-option"),
    ("--walltime=3", "misspelt-option"),
    ("-gres=gpu:1", "misspelt-option"),
    ("-J a b", "misspelt-option"),
    ("gpu", "misspelt-option"),
    ("-n -4", "bad-value"),
    ("-t -x", "bad-value"),
    ("--mem --time=3", "bad-value"),
    ("-N --ntasks=4", "bad-value"),
    ("-J", "bad-value"),
    ("--comment", "bad-value"),
    ("--nice 5", "misspelt-option"),
    ("--exclusive user", "misspelt-option"),
    ("--propagate ALL", "misspelt-option"),
    ("--get-user-env 5", "misspelt-option"),
    ("-k off", "misspelt-option"),
    ("-W x", "misspelt-option"),
]


@pytest.mark.parametrize("line", RIGHT)
def test_what_sbatch_takes_has_no_finding(sbatch, line):
    text = script(line).replace("--time=1:00:00 ", "" if line.startswith("--time") else "--time=1:00:00 ")
    assert lint(text) == []
    # Without the other lines, which would exclude some of these.
    output = sbatch("#!/bin/bash\n#SBATCH %s\ntrue\n" % line)
    assert "Unable to contact slurm controller" in output, output


@pytest.mark.parametrize("line,code", REFUSED)
def test_what_sbatch_refuses_is_an_error(sbatch, line, code):
    assert (3, code) in errors(script(line))
    assert "Unable to contact slurm controller" not in sbatch("#!/bin/bash\n#SBATCH %s\ntrue\n" % line)


@pytest.mark.parametrize("name", sorted(set(table.BY_DIRECTIVE) - {"clusters", "array", "gres-flags"}))
def test_an_empty_value_is_an_error_where_sbatch_refuses_it(sbatch, name):
    text = "#!/bin/bash\n#SBATCH --%s=\ntrue\n" % name
    assert ("bad-value" in [code for _line, code in errors(text)]) == (
        "Unable to contact slurm controller" not in sbatch(text)
    )


@pytest.mark.parametrize("name", ["chdir", "comment", "error", "export", "job-name", "mail-user", "output"])
def test_a_variable_that_sbatch_takes_as_text_is_a_warning(sbatch, name):
    text = script("--%s=$X-%%j" % name)
    assert errors(text) == []
    assert ("variable-in-directive" in [one.code for one in lint(text)]) == (name not in ("comment", "job-name"))
    assert "Unable to contact slurm controller" in sbatch("#!/bin/bash\n#SBATCH --%s=$X-%%j\ntrue\n" % name)


@pytest.mark.parametrize(
    "line",
    [
        "#   sbatch -N 2 job.sh",
        "# sbatch --nodes=2 <job>",
        "# sbatch -p gpu",
        "#sbatch -N 2 job.sh",
        "#sbatch --export=A=1 --nodes 2 $0",
    ],
)
def test_a_line_that_shows_how_to_submit_is_a_comment(line):
    assert lint("#!/bin/bash\n%s\n%s%s" % (line, COMPLETE, CODE)) == []


@pytest.mark.parametrize("line", ["#sbatch --nodes 2", "#sbatch -p gpu # x", "  #SBATCH -N1", "#SBTACH -N1"])
def test_a_directive_that_sbatch_takes_for_a_comment_is_a_warning(sbatch, line):
    text = "#!/bin/bash\n%s\n%s%s" % (line, COMPLETE, CODE)
    assert [(one.line, one.code, one.severity) for one in lint(text)] == [(2, "misspelt-sbatch", "warning")]
    assert "Unable to contact slurm controller" in sbatch(text)


HETEROGENEOUS = [
    ["--nodes=1 --gres=gpu:1", "hetjob", "--nodes=2 --gpus-per-node=4"],
    ["--nodes=1", "hetjob", "--nodes=2", "hetjob", "--nodes=3"],
    ["--ntasks=1", "packjob", "--ntasks=4"],
    ["--ntasks=1", "HetJob --nonsense two", "--ntasks=4"],
    ["--ntasks=1", "--job-name=hetjob", "--ntasks=4"],
]


@pytest.mark.parametrize("lines", HETEROGENEOUS)
def test_each_component_of_a_heterogeneous_job_has_its_own_directives(sbatch, lines):
    text = script(*lines)
    assert lint(text) == []
    output = sbatch("#!/bin/bash\n" + "".join("#SBATCH %s\n" % line for line in lines) + "true\n")
    assert "Unable to contact slurm controller" in output, output


def test_a_mistake_within_a_component_is_found():
    assert errors(script("--nodes=1", "hetjob", "--nodes=two")) == [(5, "bad-value")]
    repeated = lint(script("--nodes=1", "hetjob", "--nodes=2", "--nodes=3"))
    assert [(one.line, one.code) for one in repeated] == [(6, "repeated-directive")]
    twice = lint(script("--gpus=1", "hetjob", "--gpus=1 --gres=gpu:1"))
    assert [(one.line, one.code) for one in twice] == [(5, "gpus-twice")]


@pytest.mark.parametrize(
    "line,remedy",
    [
        ("--workdir=/x", "write --chdir"),
        ("--walltime=3", "write --time"),
        ("-gres=gpu:1", "write --gres=gpu:1"),
        ("partition=gpu", "write --partition=gpu"),
        ("--mail-user={YOUR EMAIL}", "put the whole value of --mail-user in quotes, or write # before a comment"),
        ("-J my job", "put the whole value of -J in quotes, or write # before a comment"),
        ("--nice 5", "write --nice=5"),
        ("-k off", "write --no-kill=off"),
        ("--exclusive user", "write --exclusive=user"),
        ("-W x", "leave it out, or write # before it if it is a comment"),
        ("--hold now", "leave it out, or write # before it if it is a comment"),
    ],
)
def test_the_remedy_names_what_to_write(line, remedy):
    assert [finding.remedy for finding in lint(script(line)) if finding.severity == "error"] == [remedy]


@pytest.mark.parametrize(
    "name,value",
    [
        ("gres", "gpu:3090:1"),
        ("gres", "gpu:1g.10gb:1,nvme:1"),
        ("gpus", "2080ti:2"),
        ("gpus_per_node", "1g.5gb:2"),
        ("gpus_per_task", "3090:1"),
        ("array", "[1-3]"),
        ("distribution", "nopack"),
    ],
)
def test_the_module_writes_what_sbatch_takes(name, value):
    assert options.collect({name: value}) == {name.replace("_", "-"): value}


@pytest.mark.parametrize("line", ["--cluster=gpu", "--cluster gpu,mpi"])
def test_clusters_has_another_name_that_no_manual_has(sbatch, line):
    assert lint(script(line)) == []
    # It then asks for the cluster, which no database knows here.
    assert re.search(r"^sbatch: cluster +: gpu", sbatch("#!/bin/bash\n#SBATCH %s\ntrue\n" % line), re.MULTILINE)


@pytest.mark.parametrize(
    "name,option",
    [
        ("cluster", "clusters"),
        ("tasks-per-node", "ntasks_per_node"),
        ("workdir", "chdir"),
        ("name", "job_name"),
        ("share", "{oversubscribe: true}"),
        ("immediate", "leave it out"),
    ],
)
def test_an_older_name_in_directives_is_refused_with_todays(name, option):
    with pytest.raises(UserError) as caught:
        options.collect({"directives": {name: "2"}})
    assert option in caught.value.remedy


@pytest.mark.parametrize(
    "line",
    [
        "--mail-user='{YOUR EMAIL}'",
        "-J 'my job'",
        "-J my # job",
        "--nice=5",
        "--no-kill=off",
        "--exclusive=user",
        "-W # x",
    ],
)
def test_a_remedy_carried_out_leaves_no_finding(sbatch, line):
    assert lint(script(line)) == []
    assert "Unable to contact slurm controller" in sbatch("#!/bin/bash\n#SBATCH %s\ntrue\n" % line)


def test_a_type_that_is_a_number_stays_a_type():
    assert parse_request("gpu:3090:2,nvme:4,gpu:1g.10gb") == [
        ("gpu", "3090", 2),
        ("nvme", None, 4),
        ("gpu", "1g.10gb", 1),
    ]
    assert parse_gpu_request("3090:2,a100,4") == [("gpu", "3090", 2), ("gpu", "a100", 1), ("gpu", None, 4)]


def test_each_row_is_about_an_option_and_not_about_its_valid_values():
    assert taken.EMPTY <= set(table.BY_DIRECTIVE)
    assert taken.verdict("gpus", "all") == taken.verdict("nodes", "two") == "refused"


@pytest.mark.parametrize(
    "line,expected",
    [
        ("-J -x --hold", [("job-name", "-x"), ("hold", None)]),
        ("--comment --mem=4G -N2", [("comment", "--mem=4G"), ("nodes", "2")]),
        ("-HsN 2", [("hold", None), ("oversubscribe", None), ("nodes", "2")]),
        ("--nice -N2", [("nice", None), ("nodes", "2")]),
        # A site's own option: whether it takes a value is not known, so an option after it stays one.
        ("--site-own -N2", [("site-own", None), ("nodes", "2")]),
        ("--site-own 5 -N2", [("site-own", "5"), ("nodes", "2")]),
    ],
)
def test_an_option_with_a_value_takes_the_next_word_whatever_it_is(line, expected):
    assert [(one.name, one.value) for one in script_text.read("#SBATCH " + line).directives] == expected


@pytest.mark.parametrize("name", sorted(set(table.GONE) - {"immediate", "share"}))
def test_an_option_of_others_is_refused_with_the_right_one(sbatch, name):
    (finding,) = [one for one in lint(script("--%s=4" % name)) if one.severity == "error"]
    assert finding.code == "misspelt-option" and finding.remedy == "write --%s" % table.GONE[name]
    assert table.GONE[name] in table.BY_DIRECTIVE
    assert "unrecognized option" in sbatch("#!/bin/bash\n#SBATCH --%s=4\ntrue\n" % name)
