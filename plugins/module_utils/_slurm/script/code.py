# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of shell that come in by an option. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ..._common.errors import UserError, shown
from ..._common.spelling import distance


def read(option: str, given: t.Any) -> str:
    """The lines of such an option.

    :raises UserError: what is no text, or would be more than shell to a reader of the script.
    """
    if given is None or given == []:
        return ""
    lines: list[str] = []
    for item in given if isinstance(given, list) else [given]:
        if not isinstance(item, str):
            raise UserError("%s as text, or a list of lines" % option, shown(item), "put the line in quotes")
        for line in item.rstrip("\n").split("\n"):
            _require_plain_line(option, line)
            lines.append(line)
    if lines and (len(lines[-1]) - len(lines[-1].rstrip("\\"))) % 2:
        raise UserError(
            "%s with a last line that is whole" % option, shown(lines[-1]), "take the backslash at its end out"
        )
    return "\n".join(lines).strip("\n")


def _require_plain_line(option: str, line: str) -> None:
    if "\r" in line:
        raise UserError(
            "%s with line ends of Unix" % option, "a carriage return in %s" % shown(line), "save it without \\r"
        )
    if any(not char.isprintable() and char != "\t" and not char.isspace() for char in line):
        raise UserError("%s as printable text" % option, shown(line), "take the control characters out")
    word = re.match(r"\s*#\s*([A-Za-z]+)(.*)", line)
    if not word:
        return
    # Slurm reads #PBS and #BSUB far behind the first command, so they would be directives wherever they stand.
    exact = re.match(r"#(SBATCH|SLURM|PBS|BSUB)", line)
    misspelt = word[1].isupper() and distance(word[1], "SBATCH") <= 2 and re.match(r"\s+[-\u2010-\u2015]", word[2])
    if exact or misspelt:
        raise UserError(
            "shell in %s, and directives as options" % option,
            shown(line.strip()),
            "give it as an option of its own, or in directives",
        )
