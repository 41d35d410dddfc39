# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands of a job script over several lines, and the programs that they start, read as bash reads them."""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.bash.command_text import read_commands
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.bash.open_text import scan
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.calls.calls import calls_of
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch.script_text import read


@pytest.mark.parametrize(
    "line,opened,comment",
    [
        ("a 'b # c", ("'",), ""),
        ("a # 'b", (), "# 'b"),
        ("a#b 'c' \"d\"", (), ""),
        ("a \"b 'c\" 'd\\'", (), ""),
        ("a $'it\\'s' # x", (), "# x"),
        ("grep 'x$' y", (), ""),
        ("a \"$(b 'c", ('"', "(", "'"), ""),
        ("A=(1 2", ("array",), ""),
        ("A=( # x", ("array",), "# x"),
        ("x=$((1 << (2)))", (), ""),
        ("x=$(cat", ("(",), ""),
        ("x=`cat", ("`",), ""),
        ("x=${A:-'b'} y=${#A} z=${A#b}", (), ""),
        ('x="${A:-it\'s}"', (), ""),
        ("f() { a; } # x", (), "# x"),
        ("(a; b", (), ""),
        ("case $x in a) b;; esac", (), ""),
        ("diff <(a) <(b", ("(",), ""),
        ('a "b\\"', ('"',), ""),
        ("a \\' b", (), ""),
        ("a;# b", (), "# b"),
        ('a "b # \'c" d', (), ""),
        ("a ${X:+ # } `b # c` # d", (), "# d"),
    ],
)
def test_what_is_open_after_a_line_and_where_its_comment_begins(line, opened, comment):
    found, at = scan(line)
    assert found == opened and line[at:] == comment


@pytest.mark.parametrize("line", ["a 'b", 'a "b', "A=(1", "x=$(a", "x=`a", "x=${a", "a \"$(b 'c"])
def test_bash_waits_for_the_rest_of_what_is_open(line):
    done = subprocess.run(["bash", "-n"], input=line + "\n", capture_output=True, text=True, check=False)
    assert scan(line)[0] and done.returncode != 0


TEXTS = [
    ("a\nb", ["a", "b"]),
    ("a \\\n  b\nc", ["a  b", "c"]),
    ("a 'b\n # c\nd' e\nf", ["a 'b\n # c\nd' e", "f"]),
    ("A=(\n  1 # one\n  # two\n  2\n)\nb", ["A=( 1  2 )", "b"]),
    ("x=$(a |\n  b)\nc", ["x=$(a |\nb)", "c"]),
    ("cat <<E > x # y\nit's\nE\nb", ["cat <<E > x", "b"]),
    ("x=$(cat <<E\nit's\nE\n)\nb", ["x=$(cat <<E\n)", "b"]),
    ('echo "<<E\nit\'s"\nb', ['echo "<<E\nit\'s"', "b"]),
    ("a # b \\\nc", ["a", "c"]),
    ("a 'b\nc\nd \"e\nf", ["a 'b", "c", 'd "e', "f"]),
    ("a 'b\nc'\nd 'e\nf", ["a 'b\nc'", "d 'e", "f"]),
    ("(\n a\n)\nb", ["(", "a", ")", "b"]),
]


@pytest.mark.parametrize("text,commands", TEXTS)
def test_lines_that_belong_together_are_one_command(text, commands):
    read = read_commands(text.split("\n"), 1)
    assert [command.text for command in read.commands] == commands


def test_comments_are_kept_apart_with_their_lines():
    read = read_commands(["# a", "b # c", "d '", "# e", "' # f", "cat <<E", "# g", "E"], 1)
    assert [tuple(note) for note in read.comments] == [(1, "# a"), (2, "# c"), (5, "# f")]


def started(text):
    batch = read("#!/bin/bash\n" + text + "\n")
    return [
        (batch.line_at(call.line, call.at), *call.within, *(word.text for word in call.words))
        for call in calls_of(batch.commands)
        if call.words and call.program in ("python", "torchrun")
    ]


PYTHON = [
    ("python x.py", [(2, "python", "x.py")]),
    ("srun -n 2 --label python x.py", [(2, "srun", "python", "x.py")]),
    ("srun bash -c 'cd y\n  python x.py'", [(3, "srun", "bash", "python", "x.py")]),
    ("bash -lc \"python 'x y.py'\"", [(2, "bash", "python", "x y.py")]),
    ("bash -e run.sh -c 'python x.py'", []),
    ("srun bash -c 'cd y && exec \"$@\"' sh python x.py", [(2, "srun", "bash", "python", "x.py")]),
    ("bash -c 'echo $1' sh python x.py", []),
    ("echo python x.py", []),
    ("R='torchrun --nnodes 2'\n$R x.py", [(3, "torchrun", "--nnodes", "2", "x.py")]),
    (
        'R="torchrun \\\n --nnodes 2"\nsrun bash -c "$R x.py"',
        [(4, "srun", "bash", "torchrun", "--nnodes", "2", "x.py")],
    ),
    ("R='python x.py'\nsrun bash -c \"$R\"", [(3, "srun", "bash", "python", "x.py")]),
    ('R=(python\n x.py)\nR+=(--a)\nsrun "${R[@]}" -b', [(5, "srun", "python", "x.py", "--a", "-b")]),
    ("A=1; R=$A; python $R ${B}", [(2, "python", "1", "${B}")]),
    ("R=$R; python $R", [(2, "python", "$R")]),
    ("apptainer exec --bind a:b i.sif python x.py", [(2, "apptainer", "python", "x.py")]),
    ("apptainer pull python", []),
    ("srun singularity_wrapper exec python x.py", [(2, "srun", "singularity_wrapper", "python", "x.py")]),
    ("srun ./bind.sh python x.py", [(2, "srun", "bind.sh", "python", "x.py")]),
    ("./train", []),
    ("conda run -n e python x.py", [(2, "conda", "python", "x.py")]),
    ("conda install python", []),
    ("time mpirun -np 2 numactl -l python x.py", [(2, "mpirun", "python", "x.py")]),
    ('eval "python x.py"', [(2, "python", "x.py")]),
    ("x=$(python x.py)", [(2, "python", "x.py")]),
    ("if true; then python x.py; fi", [(2, "python", "x.py")]),
    ("R='torchrun x.py'\nrun() { \"$@\"; }\nrun R", [(2, "variable", "torchrun", "x.py")]),
    ("cat <<E\npython x.py\nE", []),
]


@pytest.mark.parametrize("text,expected", PYTHON)
def test_the_programs_that_a_script_starts_are_found(text, expected):
    assert [tuple(call) for call in started(text)] == expected


def test_a_variable_in_a_variable_ends():
    text = "".join('A%d="$A%d $A%d $A%d"\n' % (n + 1, n, n, n) for n in range(30))
    assert len(calls_of(read("#!/bin/bash\nA0='a b'\n" + text + "python $A30\n").commands)) < 100
