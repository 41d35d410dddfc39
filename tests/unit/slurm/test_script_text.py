# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""#SBATCH lines: sbatch reads what we write, and our reader splits lines as it does. No controller is needed."""

from __future__ import annotations

import re

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch import script_text

HOSTILE = [
    "two words",
    "  spaces around  ",
    "it's",
    'a "quoted" word',
    "'",
    '"',
    "\\",
    "end\\",
    "\\\\n",
    "$(touch EXECUTED)",
    "`touch EXECUTED`",
    "${HOME}",
    "$HOME",
    "a; touch EXECUTED",
    "a && touch EXECUTED",
    "a | b > c",
    "#SBATCH --partition=gold",
    "x #SBATCH --partition=gold",
    "x # y",
    "--partition=gold",
    "x --partition=gold",
    "-p gold",
    ":colon",
    "a:b",
    "*?[a]{b,c}",
    "!history",
    "~/x",
    "../../etc/passwd",
    "%x-%j",
    "h\u00e4tte \u6f22\u5b57",
    "a hetjob b",
    "HetJob",
    "packjob",
    "=",
    "a=b=c",
    "EOF",
    "x" * 300,
]


def arguments(output):
    """The arguments in the output of sbatch."""
    return re.findall(r'^sbatch: debug2: Found in script, argument "(.*)"$', output, re.MULTILINE)


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_comes_back_as_it_was(value):
    line = script_text.line("job-name", value)
    assert "\n" not in line
    assert script_text.split(line[len("#SBATCH") :]) == ["--job-name=" + value]


def test_sbatch_reads_every_value_as_it_was(sbatch):
    lines = [script_text.line("comment", value) for value in HOSTILE]
    output = sbatch("\n".join(["#!/bin/bash", *lines, "true", ""]))
    assert arguments(output) == ["--comment=" + value for value in HOSTILE], output


@pytest.mark.parametrize(
    "line",
    [
        "--a=b --c d",
        "--a='b c' --d=\"e f\"  # comment",
        "--a=\"x\\\"y\" --b='it\\'s'",
        "--a=b#c --d",
        "--a=\\#b",
        "--a=x\\ y",
        "-J name\t-N 2",
        "--a=''",
        "--a=b'c'\"d\"",
    ],
)
def test_our_reader_splits_a_line_as_sbatch_does(sbatch, line):
    output = sbatch("#!/bin/bash\n#SBATCH %s\ntrue\n" % line)
    assert script_text.split(line) == arguments(output), output


def test_reading_stops_at_the_first_command():
    script = "#!/bin/bash\n#SBATCH --a=1\n\n# note\n#SBATCH --flag\necho\n#SBATCH --b=2\n"
    text = script_text.read(script)
    assert [(one.name, one.value) for one in text.directives] == [("a", "1"), ("flag", None)]
    assert [one.line for one in text.late] == [7]


def test_an_open_quote_is_an_error():
    with pytest.raises(ValueError, match="unmatched"):
        script_text.split("--a='b")
