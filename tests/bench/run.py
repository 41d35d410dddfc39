#!/usr/bin/env python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the benches of this folder and print their tables: ``run.py [--rounds N] [NAME...]``.

A bench is a file ``bench_NAME.py`` with ``run(rounds)`` that returns rows. Two things are compared by doing them in
turn (A B A B), so that other load on the machine slows both. Medians are printed; nothing is asserted, since another
machine has other times.
"""

from __future__ import annotations

import pathlib
import statistics
import sys
import time
import typing as t

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.append(str(FOLDER.parent))

from own_home import move_in
from parts import load, parse, parser_of, parts


class Row(t.NamedTuple):
    """One line of the table: the seconds of each round, and of what it is compared with."""

    name: str
    seconds: t.Sequence[float]
    against: t.Sequence[float] = ()
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Median of the pairs' ratios, which a slow moment of the machine disturbs less than a ratio of medians."""
        pairs = [mine / other for mine, other in zip(self.seconds, self.against) if other > 0]
        return statistics.median(pairs) if pairs else None


def paired(
    first: t.Callable[[], object], second: t.Callable[[], object], rounds: int
) -> tuple[list[float], list[float]]:
    """Time two callables in turn; returns the seconds of each."""
    times = in_turns((first, second), rounds)
    return times[0], times[1]


def in_turns(whats: t.Sequence[t.Callable[[], object]], rounds: int) -> list[list[float]]:
    """Time callables one after the other, and all of them again, *rounds* times; returns the seconds of each."""
    times: list[list[float]] = [[] for _what in whats]
    for _unused in range(rounds):
        for kept, what in zip(times, whats):
            begin = time.perf_counter()
            what()
            kept.append(time.perf_counter() - begin)
    return times


def table(rows: t.Sequence[Row]) -> str:
    """The rows as a table in Markdown."""
    lines = [
        ("what", "times", "median s", "least s", "most s", "ratio", "note"),
        ("---", "--:", "--:", "--:", "--:", "--:", "---"),
    ]
    for row in rows:
        ratio = row.ratio
        lines.append(
            (
                row.name,
                str(len(row.seconds)),
                *("%.3f" % figure(row.seconds) for figure in (statistics.median, min, max)),
                "" if ratio is None else "%.2f" % ratio,
                row.note,
            )
        )
    widths = [max(len(cell) for cell in column) for column in zip(*lines)]
    return "\n".join("| %s |" % " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) for line in lines)


def benches() -> dict[str, pathlib.Path]:
    """Name to file."""
    return parts(FOLDER, "bench_")


def main(arguments: t.Sequence[str] | None = None) -> int:
    """Run the benches that were asked for, or all of them."""
    known = benches()
    parser = parser_of(__doc__ or "", known)
    parser.add_argument("--rounds", type=int, default=7, help="how often each pair is timed (default: %(default)s)")
    options = parse(parser, arguments, known, "rounds")
    # The benches say `from run import Row`.
    sys.modules.setdefault("run", sys.modules[__name__])
    for name in options.names:
        bench = load(known[name])
        print("\n%s: %s" % (name, (bench.__doc__ or "").splitlines()[0]), flush=True)
        print(table(bench.run(options.rounds)), flush=True)
    return 0


if __name__ == "__main__":
    move_in()
    sys.exit(main())
