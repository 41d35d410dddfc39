# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of node names: sorted naturally, folded as Slurm writes them, and unfolded. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import itertools
import math
import re
import typing as t

from ..._common.errors import UserError

# The last number of the first label: titan07 and titan07.example.org, rack2-node07.
_NUMBERED = re.compile(r"(?P<prefix>[^.]*?)(?P<number>[0-9]{1,18})(?P<suffix>[^0-9.]*(?:\..*)?)", re.DOTALL)
_RUN = re.compile(r"([0-9]{1,18})(?:-([0-9]{1,18}))?")
# More than any cluster has; a longer list is a mistake.
_MOST = 1000000


def natural(name: str) -> tuple[t.Any, ...]:
    """A sort key that puts node2 before node10."""
    parts = re.split(r"([0-9]+)", name)
    # By length and then by digits: int refuses a number of more than 4,300 digits.
    return tuple(
        part if index % 2 == 0 else (len(part.lstrip("0")), part.lstrip("0"), part) for index, part in enumerate(parts)
    )


def fold(names: t.Iterable[str], longest: int = 60) -> list[str]:
    """``titan[01-04,07]`` for titan01 to titan04 and titan07.

    :arg longest: a piece with more characters is split into several.
    """
    plain: list[str] = []
    families: dict[tuple[str, str], list[str]] = {}
    for name in sorted(set(names), key=natural):
        match = _NUMBERED.fullmatch(name)
        # Brackets and commas would be read as part of the folding.
        if match is None or re.search(r"[\[\],]", name):
            plain.append(name)
        else:
            families.setdefault((match["prefix"], match["suffix"]), []).append(match["number"])
    pieces: list[tuple[str, str]] = [(name, name) for name in plain]
    for (prefix, suffix), numbers in families.items():
        for width, values in _by_width(numbers).items():
            runs = _runs(values, width)
            first = prefix + str(values[0]).zfill(width) + suffix
            pieces.extend((first, piece) for piece in _pieces(prefix, runs, suffix, longest, len(values)))
    return [piece for _first, piece in sorted(pieces, key=lambda pair: natural(pair[0]))]


def slurm_list(names: t.Iterable[str]) -> str:
    """The names as a list that Slurm takes: ``titan[01-04,07],g1.example.org,g2.example.org``.

    Slurm has no text after the last brackets, so such names are written out.
    """
    pieces = fold(names)
    return ",".join(",".join(unfold(piece)) if "[" in piece and not piece.endswith("]") else piece for piece in pieces)


def unfold(text: str) -> list[str]:
    """The names in ``titan[01-04,07],tesla1,rack[1-2]node[3-4]``, in that order; the last brackets count fastest.

    :raises UserError: the text is not a list of nodes.
    """
    names: list[str] = []
    for piece in re.findall(r"(?:\[[^\]]*\]|[^,\s\[])+|\[", text):
        parts = re.split(r"\[([^\]]*)\]", piece)
        if "[" in "".join(parts) or "]" in "".join(parts):
            raise _not_a_list(text)
        # Every second part stood in brackets. The names are counted before they are made.
        runs = [_runs_of(part, text) if index % 2 else [] for index, part in enumerate(parts)]
        count = math.prod(sum(int(last) - int(first) + 1 for first, last in run) for run in runs if run)
        if len(names) + count > _MOST:
            raise _not_a_list(text)
        choices = [_numbers(run) if run else [part] for run, part in zip(runs, parts)]
        names.extend("".join(name) for name in itertools.product(*choices))
    return names


def _runs_of(runs: str, text: str) -> list[tuple[str, str]]:
    """``"01-03,07"`` gives ``[("01", "03"), ("07", "07")]``."""
    found: list[tuple[str, str]] = []
    for run in runs.split(","):
        match = _RUN.fullmatch(run.strip())
        if match is None or int(match.group(2) or match.group(1)) < int(match.group(1)):
            raise _not_a_list(text)
        found.append((match.group(1), match.group(2) or match.group(1)))
    return found


def _numbers(runs: t.Iterable[tuple[str, str]]) -> list[str]:
    """``[("01", "03"), ("07", "07")]`` gives ``["01", "02", "03", "07"]``."""
    return [str(number).zfill(len(first)) for first, last in runs for number in range(int(first), int(last) + 1)]


def _not_a_list(text: str) -> UserError:
    return UserError(
        "a list of nodes as Slurm writes it, such as titan[01-04,07]",
        text[:200],
        "correct the brackets and numbers in it",
    )


def _by_width(numbers: t.Sequence[str]) -> dict[int, list[int]]:
    """Numbers by the width they are padded to: 08 09 10 have width 2, 8 9 10 have width 0."""
    padded = sorted({len(number) for number in numbers if number[0] == "0" and len(number) > 1}, reverse=True)
    found: dict[int, list[int]] = {}
    for number in numbers:
        width = next(
            (width for width in padded if len(number) == width or (len(number) > width and number[0] != "0")), 0
        )
        found.setdefault(width, []).append(int(number))
    return {width: sorted(values) for width, values in found.items()}


def _runs(values: t.Sequence[int], width: int) -> list[str]:
    runs: list[list[int]] = []
    for value in values:
        if runs and value == runs[-1][1] + 1:
            runs[-1][1] = value
        else:
            runs.append([value, value])
    texts = [[str(end).zfill(width) for end in run] for run in runs]
    return [first if first == last else "%s-%s" % (first, last) for first, last in texts]


def _pieces(prefix: str, runs: t.Sequence[str], suffix: str, longest: int, count: int) -> t.Iterator[str]:
    if count == 1:
        yield prefix + runs[0] + suffix
        return
    room = max(longest - len(prefix) - len(suffix) - 2, 1)
    held: list[str] = []
    for run in runs:
        if held and len(",".join([*held, run])) > room:
            yield "%s[%s]%s" % (prefix, ",".join(held), suffix)
            held = []
        held.append(run)
    yield "%s[%s]%s" % (prefix, ",".join(held), suffix)
