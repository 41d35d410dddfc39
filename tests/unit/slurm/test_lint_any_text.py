# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The linter of job scripts reads any text: no exception, and findings that point into the script."""

from __future__ import annotations

import os

import hypothesis
import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.lint.finding import SEVERITIES
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.lint.script import lint
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch import table
from hypothesis import strategies as st

HEAD = "#!/bin/bash\n#SBATCH --time=1:00:00 --mem=8G --cpus-per-task=4\n"
COUNTS = [option.directive for option in table.OPTIONS if option.expected == "a whole number from 1"]

# What people write where sbatch wants a number, and what Python and sbatch read differently.
NO_NUMBERS = ["<N>", "four", "=16", "4;", "4.0", "1k", "0", "-1", "1_000", "\u00b2", "\u0664", "", "9" * 5000, "4,4"]

VALUES = NO_NUMBERS + [
    "1-",
    "gpu:",
    "gpu::2",
    ":",
    ",",
    "[1-3]",
    "'a b'",
    '"a',
    "$X",
    "~/%j",
    "%",
    "a/%A/%j",
    "\\",
    "\x1b[31m",
    "\ud800",
    "x" * 300,
]
NAMES = (
    [option.directive for option in table.OPTIONS] + sorted(table.KNOWN) + ["gers", "ntask", "", "-", "a_b", "\u2013"]
)
CODE = [
    "srun",
    "srun -",
    "srun python x.py -c4",
    "sbatch -N 2 job.sh",
    "python x.py <options>",
    "cat <<END",
    "END",
    "<<",
    "x=$((1<<20))",
    'echo "use <<EOF"',
    "'",
    '"',
    "`",
    "$(",
    ")" * 30,
    ") " * 30 + "x",
    "done; " * 30 + "x &",
    "fi",
    "&",
    "\\",
    "|",
    "#",
    "MASTER_PORT=",
    "CUDA_VISIBLE_DEVICES=",
    "PYTHONPATH=:",
    "conda activate",
    "module load",
    "source ~/.bashrc",
    "time -p",
    "env -i A=b",
    "A=b " * 30,
    "A=(",
    "$A",
    '"${A[@]}"',
    "${A:-",
    "[[ a",
    "((",
    "'\n",
    "\\\n",
    "bash -c",
    "eval",
    "torchrun --nproc_per_node=2 x.py",
    "srun torchrun --node_rank=$SLURM_NODEID",
    "export RANK=$SLURM_PROCID",
    "apptainer exec",
    "# sbatch-lint: ignore=no-mem,x",
    "<a>",
    "{1..3}",
]

directives = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["#SBATCH --", "#SBATCH -", "#SBATCH ", "# SBATCH --", "#SBTACH --", " #SBATCH --", "#SBATCH"]),
    st.sampled_from(NAMES) | st.text(max_size=5),
    st.sampled_from(["=", " ", "", " = "]),
    st.sampled_from(VALUES) | st.text(max_size=8),
)
code = st.lists(st.sampled_from(CODE) | st.text(max_size=8), max_size=4).map(" ".join)
lines = st.lists(directives | code, max_size=12)
scripts = st.builds(
    lambda head, rest, end: end.join([head, *rest, ""]),
    st.sampled_from(["#!/bin/bash", "#!/bin/sh -l", "#!", ""]),
    lines,
    st.sampled_from(["\n", "\r\n"]),
)


# make fuzz tries more, other ones in each run.
MORE = int(os.environ.get("HPC_FUZZ_EXAMPLES", "0"))


def searched(examples):
    """Try that many examples, the same ones in each run."""
    settings = hypothesis.settings(
        max_examples=max(MORE, examples),
        deadline=None,
        derandomize=not MORE,
        database=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
    seed = hypothesis.seed(int(os.environ.get("HPC_FUZZ_SEED", "0")))
    return lambda test: settings(seed(test)) if MORE else settings(test)


def check(text):
    findings = lint(text)
    last = text.count("\n") + 1
    for finding in findings:
        assert 1 <= finding.line <= last and finding.code in SEVERITIES
        assert finding.message.isprintable() and finding.remedy.isprintable()
    assert [finding.line for finding in findings] == sorted(finding.line for finding in findings)


@searched(400)
@hypothesis.given(scripts)
def test_a_script_of_odd_pieces_is_read(text):
    check(text)


@searched(200)
@hypothesis.given(st.text())
def test_any_text_is_read(text):
    check(text)


@pytest.mark.parametrize("directive", COUNTS)
def test_a_count_that_is_no_number_is_a_bad_value(directive):
    head = HEAD.replace(" --cpus-per-task=4", "") if directive == "cpus-per-task" else HEAD
    for value in NO_NUMBERS:
        text = head + "#SBATCH --%s=%s\nsrun -c4 python x.py\n" % (directive, value)
        assert "bad-value" in [finding.code for finding in lint(text)], value


@pytest.mark.parametrize("line", ["-n=16", "-n four", "-n <N>", "-n4;", "-c 4;"])
def test_a_short_option_with_no_number_is_a_bad_value(line):
    head = HEAD.replace(" --cpus-per-task=4", "")
    text = head + "#SBATCH %s\nsrun -c4 python x.py\n" % line
    assert (3, "bad-value") in [(finding.line, finding.code) for finding in lint(text)]


@pytest.mark.parametrize("value", ["1", "16", "+4", "04"])
def test_a_count_that_sbatch_reads_is_right(sbatch, value):
    text = HEAD + "#SBATCH --ntasks=%s\nsrun -c4 python x.py\n" % value
    assert lint(text) == []
    assert "Unable to contact slurm controller" in sbatch(text)


@pytest.mark.parametrize("value", ["<N>", "four", "4;", "4.0", "1k", "0", "-1", "1_000", "4,4"])
def test_sbatch_refuses_a_count_that_is_no_number(sbatch, value):
    assert "Invalid numeric value" in sbatch("#!/bin/bash\n#SBATCH --ntasks=%s\ntrue\n" % value)


@pytest.mark.parametrize(
    "end",
    [
        ")",
        "done;",
        "fi ",
        "}",
        "A=b ",
        "&",
        "<<x ",
        "'",
        "[[ ",
        "((",
        "<a> ",
        "${",
        "A=(",
        "$(",
        "\\\n",
        "'\n",
        "A=(x)\n",
        "$A ",
        "#\n",
        "$((\n",
        "bash -c '",
    ],
)
def test_a_long_line_takes_no_time_of_its_own(end):
    check(HEAD + end * 20000 + "x\n")
