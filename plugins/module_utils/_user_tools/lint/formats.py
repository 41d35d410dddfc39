# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings as sbatch-lint and guide-lint print them: lines as gcc writes them, JSON, SARIF. No I/O.

Private to hpc.pytorch.

SARIF is OASIS' format for the results of static analysis, version 2.1.0: sarif-spec, sarif-2.1/schema/.
"""

from __future__ import annotations

import json
import typing as t
import urllib.parse

from ..._common.lines import visible
from ..._slurm.lint.finding import Code, Finding
from .findings import Checked
from .scripts import STDIN, shown

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def as_lines(checked: t.Sequence[Checked]) -> str:
    """``train.sh:4: warning: message [code]; remedy``, a line for each finding."""
    return "".join(
        "%s:%d: %s: %s [%s]; %s\n"
        % (visible(shown(each.path)), found.line, found.severity, found.message, found.code, found.remedy)
        for each in checked
        for found in each.findings
    )


def as_json(checked: t.Sequence[Checked]) -> str:
    """A list with a dictionary for each finding: file, line, code, severity, message, remedy."""
    return _json([dict(file=shown(each.path), **found._asdict()) for each in checked for found in each.findings])


def as_sarif(checked: t.Sequence[Checked], tool: str, codes: t.Sequence[Code]) -> str:
    """A SARIF log of one run of *tool*, which has these codes."""
    places = {code.name: index for index, code in enumerate(codes)}
    rules = [
        {
            "id": code.name,
            "shortDescription": {"text": code.mistake},
            "help": {"text": code.remedy},
            "defaultConfiguration": {"level": code.severity},
        }
        for code in codes
    ]
    problems = [
        {"level": "error", "message": {"text": str(each.error)}, "locations": [_location(each.path)]}
        for each in checked
        if each.error
    ]
    run = {
        "tool": {"driver": {"name": tool, "rules": rules}},
        "invocations": [{"executionSuccessful": not problems, "toolExecutionNotifications": problems}],
        "results": [_result(each.path, found, places) for each in checked for found in each.findings],
    }
    return _json({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def codes_as_lines(codes: t.Sequence[Code]) -> str:
    """Every code, as ``no-mem (warning): mistake; remedy``."""
    return "".join("%s (%s): %s; %s\n" % (code.name, code.severity, code.mistake, code.remedy) for code in codes)


def codes_as_json(codes: t.Sequence[Code]) -> str:
    """Every code as a dictionary: name, severity, mistake, remedy."""
    return _json([code._asdict() for code in codes])


def _result(path: str, found: Finding, places: t.Mapping[str, int]) -> dict[str, t.Any]:
    return {
        "ruleId": found.code,
        "ruleIndex": places[found.code],
        "level": found.severity,
        "message": {"text": "%s; remedy: %s" % (found.message, found.remedy)},
        "locations": [_location(path, found.line)],
    }


def _location(path: str, line: int | None = None) -> dict[str, t.Any]:
    place: dict[str, t.Any] = {"artifactLocation": {"uri": _uri(path)}}
    if line is not None:
        place["region"] = {"startLine": line}
    return {"physicalLocation": place}


def _uri(path: str) -> str:
    """Relative as the user gave it, so that a service finds the file in its checkout."""
    if path == STDIN:
        return "stdin"
    # A name need not be UTF-8.
    quoted = urllib.parse.quote(path.encode("utf-8", "surrogateescape"))
    return "file://" + quoted if quoted.startswith("/") else quoted


def _json(value: t.Any) -> str:
    return json.dumps(value, indent=2) + "\n"
