# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our reader splits lines of bash into words as bash does, and finds the program behind its prefixes."""

from __future__ import annotations

import subprocess

import hypothesis
import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.bash.command_text import Text
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.bash.shell_words import split_line
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.calls.programs import srun_options, started
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch.script_text import read
from hypothesis import strategies as st


def texts(line):
    return [[word.text for word in command.words] for command in split_line(line).commands]


WORDS = [
    ("w a 'b c' \"d e\" f\\ g", [["w", "a", "b c", "d e", "f g"]]),
    ("w 'it'\\''s' \"a\\\"b\" \"a\\nb\" ''", [["w", "it's", 'a"b', "a\\nb", ""]]),
    ("w a#b 'c # d' # e", [["w", "a#b", "c # d"]]),
    ("w a; w b && w c || w d", [["w", "a"], ["w", "b"], ["w", "c"], ["w", "d"]]),
    ("w a >/dev/null 2>&1", [["w", "a"]]),
    ("w a &> /dev/null", [["w", "a"]]),
    ("w 2 >/dev/null 2a", [["w", "2", "2a"]]),
    ("w <<< 'x y' z", [["w", "z"]]),
    ("w 'a;b' \"c|d\" e\\;f", [["w", "a;b", "c|d", "e;f"]]),
    ("w --a='b c' --d=\"e\"f", [["w", "--a=b c", "--d=ef"]]),
    ("(w a); { w b; }", [["w", "a"], ["{", "w", "b"], ["}"]]),
    ("x=$((1<<20)); w a", [["x=$((1<<20))"], ["w", "a"]]),
    ("((x=1<<2)); w a", [["w", "a"]]),
    ("if (( 1 < 2 )); then w a; fi", [["if"], ["then", "w", "a"], ["fi"]]),
    ("for ((i=0; i<1; i++)); do w a; done", [["for"], ["do", "w", "a"], ["done"]]),
    ("w ${A:-${B:-c}}${C[${#D[@]}]} e", [["w", "${A:-${B:-c}}${C[${#D[@]}]}", "e"]]),
    ("[[ a < b && ( c > d ) ]] && w a", [["[[", "a", "b", "c", "d", "]]"], ["w", "a"]]),
]


@pytest.mark.parametrize("line,expected", WORDS)
def test_a_line_is_split(line, expected):
    assert texts(line) == expected


def said_by_bash(line):
    done = subprocess.run(
        ["bash", "-c", "w() { printf '<%s>' \"$@\"; printf '\\n'; }\n" + line + "\n"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )
    return done.stdout


# What bash does not print as words, and commands that call nothing.
NOT_PRINTED = ("/dev/null", "||", "''", "${", "((1", "if ((", "for ((", "[[")


@pytest.mark.parametrize("line", [line for line, _words in WORDS if not any(part in line for part in NOT_PRINTED)])
def test_bash_splits_it_so(line):
    ours = [[word for word in command if word != "{"] for command in texts(line)]
    calls = [command[1:] for command in ours if command[:1] == ["w"]]
    assert said_by_bash(line) == "".join("".join("<%s>" % word for word in call) + "\n" for call in calls)


plain = st.text(alphabet="ab=-/.,:%@+ \t'\"\\#;&|", min_size=1, max_size=6)


def quoted(text, kind):
    if kind == "single":
        return "'%s'" % text.replace("'", "'\\''")
    if kind == "double":
        return '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')
    return "".join("\\" + char for char in text)


@hypothesis.settings(max_examples=60, deadline=None, derandomize=True, database=None)
@hypothesis.given(st.lists(st.tuples(plain, st.sampled_from(["single", "double", "escaped"])), min_size=1, max_size=5))
def test_a_quoted_word_comes_back_as_it_was_and_as_bash_reads_it(given):
    line = "w " + " ".join(quoted(text, kind) for text, kind in given)
    assert texts(line) == [["w", *(text for text, _kind in given)]]
    assert said_by_bash(line) == "".join("<%s>" % text for text, _kind in given) + "\n"


@pytest.mark.parametrize(
    "line,documents",
    [
        ("cat <<END", ["END"]),
        ("cat <<-'E O' > x", ["E O"]),
        ('cat << "A" <<B', ["A", "B"]),
        ("cat <<\\END", ["END"]),
        ("x=$((1<<20))", []),
        ("(( x << 2 ))", []),
        ('echo "use <<EOF"', []),
        ("echo '<<EOF' \\<\\<x", []),
        ("cat <<< x", []),
        ("true # <<EOF", []),
        ("x=$(cat <<END", ["END"]),
    ],
)
def test_a_here_document_is_told_from_a_shift_and_from_text(line, documents):
    assert split_line(line).documents == documents


@pytest.mark.parametrize(
    "line,expected",
    [
        ("x=${A:-$(srun a)}", [["srun", "a"], ["x=${A:-$(srun a)}"]]),
        ("x=$(srun a | head)", [["srun", "a"], ["head"], ["x=$(srun a | head)"]]),
        ("echo `srun a`", [["srun", "a"], ["echo", "`srun a`"]]),
        ('echo "$(srun "a b")"', [["srun", "a b"], ["echo", '$(srun "a b")']]),
        ("diff <(srun a) b", [["srun", "a"], ["diff", "b"]]),
        ("l=(srun --label)", [["srun", "--label"], ["l=()"]]),
        ("case $x in a) srun y;; esac", [["case", "$x", "in", "a"], ["srun", "y"], ["esac"]]),
        ("f() { srun x; }", [["f"], ["{", "srun", "x"], ["}"]]),
    ],
)
def test_commands_within_a_command_are_found(line, expected):
    assert texts(line) == expected


@pytest.mark.parametrize("line,background", [("a &", True), ("a && b", False), ("a &> b", False), ("a 2>&1 &", True)])
def test_a_command_in_the_background_is_known(line, background):
    assert split_line(line).commands[0].background is background


@pytest.mark.parametrize(
    "line,assignments,words",
    [
        ("A=b C=d x -y", ["A=b", "C=d"], ["x", "-y"]),
        ("then time -p stdbuf -oL -e L env -i A=b x y", ["A=b"], ["x", "y"]),
        ("timeout --signal=KILL -k 5 1h x", [], ["x"]),
        ("taskset -c 0-3 numactl --membind=0 -N 1 x", [], ["x"]),
        ("/usr/bin/env x", [], ["x"]),
        ("exec x", [], ["x"]),
        ("! x", [], ["x"]),
        ("env", [], ["env"]),
        ("A=b", ["A=b"], []),
    ],
)
def test_the_program_behind_its_prefixes_is_found(line, assignments, words):
    (command,) = split_line(line).commands
    found = started(command)
    assert [word.text for word in found.assignments] == assignments
    assert [word.text for word in found.words] == words


@pytest.mark.parametrize(
    "line,options,program",
    [
        ("-n 2 -c4 python -c x", ["-n", "-c4"], ["python", "-c", "x"]),
        ("--mpi pmix --label --cpu-bind=none x", ["--mpi", "--label", "--cpu-bind=none"], ["x"]),
        ("-lc4 -K x", ["-l", "-c4", "-K"], ["x"]),
        ("-luc 4 x", ["-l", "-u", "-c"], ["x"]),
        ("--exclusive --kill-on-bad-exit=1 x -c4", ["--exclusive", "--kill-on-bad-exit=1"], ["x", "-c4"]),
        ("--wait 0 --pty bash", ["--wait", "--pty"], ["bash"]),
        ("$A -- x", ["$A", "--"], ["x"]),
    ],
)
def test_the_options_of_srun_are_told_from_those_of_its_program(line, options, program):
    (command,) = split_line("srun " + line).commands
    assert srun_options(command.words[1:]) == (options, program)


def test_a_line_within_a_continued_command_has_its_own_number():
    batch = read("#!/bin/sh\na \\\n  b \\\n  c\nd\n")
    (command, last) = batch.commands
    assert [batch.line_at(command, command.text.index(word)) for word in "abc"] == [2, 3, 4]
    assert last == Text(5, "d") and batch.line_at(last, 0) == 5
