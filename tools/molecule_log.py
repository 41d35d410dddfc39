# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print why a scenario failed, in few lines: ``python molecule_log.py SCENARIO <log``.

Molecule's own last lines name a command and a return code. A person wants the step, the host, the task and the remedy.
"""

from __future__ import annotations

import re
import sys

_STEP = re.compile(r"^INFO +\[\S+ > (\w+)\] Executing$")
_TASK = re.compile(r"^(?:TASK|RUNNING HANDLER) \[(.+)\] \*+$")
_FAILED = re.compile(r"^(?:fatal|failed): \[([^\]]+)\].*=>")
_ERROR = re.compile(r"^\[ERROR\]: (?:Task failed: )?(?:Module failed: |Action failed: )?(.+)$")
_TEST = re.compile(r"^(?:FAILED|ERROR) (\S+::.+)$")
_CHANGED = re.compile(r"^CRITICAL +(Idempotence test failed.*)$")
_ITEM = re.compile(r"^\* (\[.+)$")


def explain(lines: list[str]) -> list[str]:
    """The step that failed, then at most fifteen lines: a host, its task and its error, or a test."""
    step, task, error = "", "", ""
    found: list[str] = []
    for line in lines:
        line = re.sub(r"\x1b\[[0-9;]*m", "", line.rstrip())
        if match := _STEP.match(line):
            # Only the step that failed counts; what an earlier one rescued is no reason.
            step, found = match.group(1), []
        elif match := _TASK.match(line):
            task, error = match.group(1), ""
        elif match := _ERROR.match(line):
            error = match.group(1)
        elif match := _FAILED.match(line):
            found.append("host %s, task %s: %s" % (match.group(1), task, error or "see above"))
        elif match := _TEST.match(line):
            found.append("test %s" % match.group(1))
        elif match := _CHANGED.match(line):
            found.append(match.group(1))
        elif (match := _ITEM.match(line)) and step == "idempotence":
            found.append("changed again: %s" % match.group(1))
        elif line.startswith(("CRITICAL ", "ERROR ")) and step == "" and not found:
            found.append(line)
        if found and line.startswith("INFO ") and line.endswith("Executed: Successful"):
            step, found = "", []
        if re.match(r"^ERROR +\[.*Executed: Failed$", line):
            break
    shortened = [text if len(text) <= 600 else text[:600] + " ..." for text in found[-15:]]
    return ["in step %s" % (step or "unknown")] + (
        shortened or ["nothing in the log names a host: read it from the end"]
    )


def main(scenario: str) -> None:
    """Read the log on standard input, print the reasons."""
    reasons = explain(sys.stdin.read().splitlines())
    print("\nmolecule: scenario %s failed %s" % (scenario, reasons[0]))
    for reason in reasons[1:]:
        print("  " + reason)
    print(
        "  to debug it: tools/molecule.sh create -s %s, then check, converge, verify; destroy removes the machines"
        % scenario
    )


if __name__ == "__main__":
    main(sys.argv[1])
