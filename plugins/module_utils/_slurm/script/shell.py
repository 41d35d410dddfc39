# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Quotes values for the shell, and the function with which a job script stops. No I/O. Private to hpc.pytorch.

A value may name variables of the job: ``$SCRATCH``, ``${SCRATCH}``, and ``${SLURM_TMPDIR:-/tmp/$USER}`` with a default.
The job's bash expands them between double quotes, where nothing of their values is read again. All else stays as it is:
command substitutions, arithmetic and every other ``$`` are text. ``\\$SCRATCH`` is the text ``$SCRATCH``.
"""

from __future__ import annotations

import itertools
import re
import shlex
import typing as t

STOP = """\
stop_job() {
    printf 'job script: %s\\n' "$1" >&2
    exit 1
}"""

_NAME = r"(?!_\b)[A-Za-z_][A-Za-z0-9_]*"
# A default is text with plain variables in it. bash reads quotes there in its own way, even between double quotes.
_VARIABLE = re.compile(
    r"\$(?:(?P<bare>{0})|\{{(?P<name>{0})(?::-(?P<default>(?:\$\{{{0}\}}|[^{{}}'\"`\\])*))?\}})".format(_NAME), re.ASCII
)


class Variable(t.NamedTuple):
    """A variable of the job in a value, and its default, None without one."""

    name: str
    default: str | None


def pieces(text: str) -> list[str | Variable]:
    """Split a value into texts and variables: ``pieces("a/$B")`` is ``["a/", Variable("B", None)]``."""
    return [piece for _raw, piece in _pieces(text)]


def _pieces(text: str) -> list[tuple[str, str | Variable]]:
    """Each piece after its spelling."""
    if "$" not in text:
        return [(text, text)] if text else []
    found: list[tuple[str, str | Variable]] = []
    raw = plain = ""
    index = 0
    while index < len(text):
        escaped = text[index] == "\\" and bool(_variable(text, index + 1))
        one = None if escaped else _variable(text, index)
        if one:
            if raw:
                found.append((raw, plain))
            raw = plain = ""
            found.append((one.group(), Variable(one["bare"] or one["name"], one["default"])))
            index = one.end()
        else:
            raw += text[index : index + 1 + escaped]
            plain += text[index + escaped]
            index += 1 + escaped
    return [*found, (raw, plain)] if raw else found


def _variable(text: str, index: int) -> re.Match[str] | None:
    found = _VARIABLE.match(text, index)
    # A line of a default must not start a line of the script: sbatch could read it as a directive.
    return found if found and (found["default"] or "").isprintable() else None


def variables(text: str) -> list[Variable]:
    """The variables of a value, those of defaults among them."""
    if "$" not in text:
        return []
    found: list[Variable] = []
    for piece in pieces(text):
        if isinstance(piece, Variable):
            found += [piece, *variables(piece.default or "")]
    return found


def literal(text: str) -> str:
    """The text of a value without its variables, but with their defaults."""
    return "".join(piece if isinstance(piece, str) else literal(piece.default or "") for piece in pieces(text))


def split(text: str, separator: str) -> list[str]:
    """Split a value at a character, but not within a variable: ``${A:-/b}:/c`` has two parts at its colons."""
    parts = [""]
    for raw, piece in _pieces(text):
        if isinstance(piece, Variable):
            parts[-1] += raw
        else:
            first, *rest = raw.split(separator)
            parts[-1] += first
            parts += rest
    return parts


def required(*texts: str | None) -> str:
    """Render the line that stops the job if a variable without a default is not set; empty without such variables.

    For the parts of a script that run with ``set +u``.
    """
    found = [piece for text in texts for piece in pieces(text or "") if isinstance(piece, Variable)]
    may_end = [_inside([one]) for one in found if one.default is None or variables(one.default)]
    return " ".join([":", *('"%s"' % text for text in dict.fromkeys(may_end))]) if may_end else ""


def word(text: str) -> str:
    """Quote a value as one word of shell: ``word("$A b")`` is ``"$A b"``, ``word("a b")`` is ``'a b'``."""
    found = pieces(text)
    if not any(isinstance(piece, Variable) for piece in found):
        return _plain("".join(map(str, found)))
    runs = itertools.groupby(found, lambda piece: isinstance(piece, Variable) or piece.isprintable())
    return "".join('"%s"' % _inside(list(run)) if clean else "".join(map(_plain, map(str, run))) for clean, run in runs)


def _plain(text: str) -> str:
    if text.isprintable():
        return shlex.quote(text)
    # A line of a value must not start a line of the script: sbatch could read it as a directive.
    return "$'%s'" % "".join(_ansi_c(char) for char in text)


def _ansi_c(char: str) -> str:
    if char in "\\'":
        return "\\" + char
    if char.isprintable():
        return char
    return "".join("\\%03o" % byte for byte in char.encode("utf-8"))


def _inside(found: list[str | Variable]) -> str:
    """Escape pieces for use between double quotes."""
    text = ""
    for piece, following in zip(found, [*found[1:], ""]):
        if isinstance(piece, str):
            text += re.sub(r'([\\"$`])', r"\\\1", piece)
        elif piece.default is not None:
            text += "${%s:-%s}" % (piece.name, _inside(pieces(piece.default)))
        else:
            # A name must not run into the text after it.
            alone = isinstance(following, Variable) or not following or following[0] in "/.:,- "
            text += ("$%s" if alone else "${%s}") % piece.name
    return text


def shell_path(path: str) -> str:
    """Quote a path as one word of shell: ``shell_path("~/a b")`` is ``"$HOME"/'a b'``."""
    if variables(path):
        return '"%s"' % inside_double_quotes(path)
    if path == "~":
        return '"$HOME"'
    return '"$HOME"/' + word(path[2:]) if path.startswith("~/") else word(path)


def quoted(message: str) -> str:
    """Quote a message for stop_job."""
    return shlex.quote(message)


def inside_double_quotes(path: str) -> str:
    """Escape a path for use between double quotes: ``~/a`` is ``$HOME/a``."""
    home = path == "~" or path.startswith("~/")
    return ("$HOME" if home else "") + _inside(pieces(path[1:] if home else path))


def is_path(text: str) -> bool:
    """Whether a place is given by its path, not by its name: ``/a``, ``~/a``, or a variable at the beginning."""
    return text.startswith(("/", "~/")) or any(isinstance(piece, Variable) for piece in pieces(text)[:1])
