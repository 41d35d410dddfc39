# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks in a job script that say what is intended: ``# sbatch-lint: ignore=no-mem``."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.filter.sbatch_lint import sbatch_lint
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.lint.script import lint

HEAD = "#!/bin/bash\n#SBATCH --time=1:00:00 --cpus-per-task=4\n"
PORT = "export MASTER_PORT=29500"


def found(text):
    return [(one.line, one.code) for one in lint(text + "\n", (24, 11))]


@pytest.mark.parametrize(
    "text",
    [
        "#!/bin/bash\n# sbatch-lint: ignore=no-mem\n" + HEAD[12:] + "python x.py",
        HEAD + "# sbatch-lint: ignore=no-mem  this partition gives whole nodes\npython x.py",
        HEAD + "#sbatch-lint:ignore = no-mem,bashrc , fixed-port\nsource ~/.bashrc\n" + PORT,
        HEAD + "\n# sbatch-lint: ignore=no-mem\n# sbatch-lint: ignore=fixed-port\n\n" + PORT,
    ],
)
def test_a_mark_at_the_top_is_for_the_whole_script(text):
    assert found(text) == []


@pytest.mark.parametrize(
    "rest,lines",
    [
        (PORT, [4]),
        ("# sbatch-lint: ignore=fixed-port\n" + PORT, []),
        ("# sbatch-lint: ignore=fixed-port\n\n# x\n" + PORT + "\n" + PORT, [8]),
        ("# sbatch-lint: ignore=bashrc\n" + PORT, [5]),
        (PORT + "  # sbatch-lint: ignore=fixed-port", []),
        (PORT + "  # x # sbatch-lint: ignore=fixed-port", []),
        (PORT + "  # sbatch-lint: ignore=secret\n" + PORT, [4, 5]),
        ("torchrun \\\n  --master_port=12345 \\\n  x.py # sbatch-lint: ignore=fixed-port", []),
        ("# sbatch-lint: ignore=fixed-port\ntorchrun \\\n  --master_port=12345 \\\n  x.py", []),
        ("if true; then\n  # sbatch-lint: ignore=fixed-port\n  %s\nfi" % PORT, []),
        # Text, not comments.
        ("echo '# sbatch-lint: ignore=fixed-port'\n" + PORT, [5]),
        ("cat <<E\n# sbatch-lint: ignore=fixed-port\nE\n" + PORT, [7]),
        ("echo '\n# sbatch-lint: ignore=fixed-port\n'\n" + PORT, [7]),
    ],
)
def test_a_later_mark_is_for_a_command(rest, lines):
    text = HEAD.replace(" --cpus", " --mem=8G --cpus") + "echo\n" + rest
    assert found(text) == [(line, "fixed-port") for line in lines]


def test_a_mark_at_the_end_of_a_directive_is_for_that_line():
    text = HEAD + "#SBATCH --mem=1G --output=x.out %s\n#SBATCH --error=x.err\npython x.py"
    assert found(text % "") == [(3, "output-overwritten"), (4, "output-overwritten")]
    assert found(text % "# sbatch-lint: ignore=output-overwritten") == [(4, "output-overwritten")]


@pytest.mark.parametrize(
    "mark,word",
    [
        ("ignore=no-such", "no-such"),
        ("ignore=no-mem,no-such", "no-such"),
        ("ignore", "ignore"),
        ("ignore=", "ignore="),
        ("off", "off"),
        ("", "nothing"),
    ],
)
@pytest.mark.parametrize("where", ["# sbatch-lint: %s\npython x.py", "python x.py # sbatch-lint: %s"])
def test_a_mark_that_means_nothing_is_a_finding(mark, word, where):
    (finding,) = [one for one in lint(HEAD + where % mark + "\n") if one.code != "no-mem"]
    assert finding.code == "unknown-ignore" and finding.severity == "warning" and word in finding.message


def test_the_filter_and_a_mark_ignore_errors_and_warnings():
    text = "#!/bin/bash\n# sbatch-lint: ignore=misspelt-option\n#SBATCH --gers=gpu:1\npython x.py\n"
    assert [one["code"] for one in sbatch_lint(text, ignore=["no-mem", "no-time"])] == ["no-cpus"]


def test_other_comments_are_no_marks():
    assert found(HEAD + "# see sbatch-lint and its ignore=no-mem\npython x.py") == [(1, "no-mem")]
