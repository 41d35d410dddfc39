# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job scripts on a page, read as sbatch-lint reads them. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from .._slurm.lint.script import lint
from .finding import Finding
from .format.blocks import Block

# Warnings about what a script loses in silence. The others are advice, about which a site's guide may think otherwise.
_STOPS = ("misspelt-sbatch", "directive-ignored", "image-without-gpu", "rank-in-batch", "no-wait")
_SBATCH = re.compile(r"^\s*#\s*SB[A-Z]{3,5}\b", re.IGNORECASE)
_ELIDED = re.compile(r"^\s*(?:#\s*)?(?:\.\.\.+|…|\[\.\.\.\])\s*\Z")
_FILL_IN = re.compile(
    r"<[^<>\n]+>|\{\{|\{%|\[[A-Za-z][\w ./-]*\]|[xX]{2,}|\.\.\.|…|(?<=[=:\s])[NXYM](?:\Z|\s)"
    r"|\b(?:YOUR|MY|your|my)[_-]|\b_*[A-Z]+_[A-Z_]+\b|\{[\w ]+\}"
)


def job_scripts(block: Block, slurm: t.Sequence[int] | None, every_warning: bool) -> list[Finding]:
    """The findings in a block that is a whole job script; a part of one has none."""
    lines = list(block.lines)
    while lines and not lines[0].text.strip():
        lines.pop(0)
    if block.inline or len(lines) < 2 or not lines[0].text.lstrip().startswith("#!"):
        return []
    if not any(_SBATCH.match(line.text) for line in lines) or any(_ELIDED.match(line.text) for line in lines):
        return []
    # What the page's format indents, with a line that a writer has indented less.
    indent = len(lines[0].text) - len(lines[0].text.lstrip())
    text = "\n".join(re.sub(r"\A\s{0,%d}" % indent, "", line.text) for line in lines) + "\n"
    numbers = dict(enumerate(lines, 1))
    found = []
    for each in lint(text, t.cast(t.Any, slurm)):
        line = numbers.get(each.line, lines[-1])
        if each.severity != "error" and not every_warning and each.code not in _STOPS:
            continue
        if _FILL_IN.search(line.text):
            continue
        found.append(each._replace(line=line.number))
    return found
