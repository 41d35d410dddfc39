# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often the linter is right: on a set of scripts whose mistakes were written down before it read them."""

from __future__ import annotations

import pathlib
import subprocess

import pytest
import yaml
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.bash.syntax import messages
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.lint.finding import SEVERITIES
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.lint.script import lint

FOLDER = pathlib.Path(__file__).parent / "corpus"
CASES = [case for path in sorted(FOLDER.glob("*.yml")) for case in yaml.safe_load(path.read_text(encoding="utf-8"))]
VERSIONS = {"22.05": (22, 5, 8), "23.11": (23, 11, 1), "25.05": (25, 5, 0)}


def expected(case, version):
    lines = case["script"].split("\n")
    entries = case.get("findings", []) + case.get("only", {}).get(version, [])
    return sorted(
        (next(number for number, line in enumerate(lines, 1) if text in line), code)
        for entry in entries
        for code, text in entry.items()
    )


def reported(case, version):
    return [(one.line, one.code) for one in lint(case["script"], VERSIONS[version], syntax=messages)]


def differences():
    """Findings, those that are not right, and mistakes that were not found."""
    total, wrong, missed = 0, [], []
    for version in VERSIONS:
        for case in CASES:
            left = expected(case, version)
            for finding in reported(case, version):
                total += 1
                if finding in left:
                    left.remove(finding)
                else:
                    wrong.append((version, case["name"], *finding))
            missed += [(version, case["name"], *finding) for finding in left]
    return total, wrong, missed


def test_what_it_reports_is_right_and_what_is_wrong_it_reports(capsys):
    total, wrong, missed = differences()
    right = total - len(wrong)
    precision, recall = right / total, right / (right + len(missed))
    with capsys.disabled():
        figures = (len(CASES), len(VERSIONS), total, 100 * precision, 100 * recall)
        print("\nsbatch_lint: %d scripts, %d releases of Slurm, %d findings, %.1f %% right, %.1f %% found" % figures)
    assert precision >= 0.98, wrong
    assert recall >= 0.95, missed


def test_the_set_is_large_and_has_every_kind_of_script():
    assert len(CASES) >= 60 and len({case["name"] for case in CASES}) == len(CASES)
    codes = {code for case in CASES for version in VERSIONS for _line, code in expected(case, version)}
    # What YAML cannot hold, and what has no first line to be found by.
    assert set(SEVERITIES) - codes == {"crlf", "no-shebang"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_bash_reads_the_script_unless_that_is_its_mistake(case):
    code = case["script"]
    if "python3" in code.split("\n")[0]:
        return
    done = subprocess.run(["bash", "-n"], input=code, capture_output=True, text=True, check=False)
    is_meant = any(name == "not-bash" for entry in case.get("findings", []) for name in entry)
    assert done.returncode == 0 or is_meant, done.stderr
