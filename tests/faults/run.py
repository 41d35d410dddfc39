#!/usr/bin/env python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cause the faults of real clusters and report what is survived: ``run.py [--moments N] [--page FILE] [NAME...]``.

A family of faults is a file ``fault_NAME.py`` with a docstring and ``run(lab, moments)`` that returns rows. It may have
``open_lab(folder)`` for a setup of its own, ``NEEDS``, the name of a variable without which it is not run, and
``KEEPS_ROWS = True`` if the page keeps its rows of other runs. The page keeps the sections of families that were not
run. The exit status is 1 if something was not survived.
"""

from __future__ import annotations

import ast
import contextlib
import os
import pathlib
import sys
import tempfile
import typing as t

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))
sys.path.append(str(FOLDER.parent))

from lab import Row, open_lab
from own_home import move_in
from page import updated
from parts import load, parse, parser_of, parts


def families() -> dict[str, pathlib.Path]:
    """Name to file."""
    return parts(FOLDER, "fault_")


def title_of(path: pathlib.Path) -> str:
    """A family's section of the page: the first line of its docstring."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or path.stem).splitlines()[0].rstrip(".")


def main(arguments: t.Sequence[str] | None = None) -> int:
    """Run the families that were asked for, or all of them."""
    known = families()
    parser = parser_of(__doc__ or "", known)
    parser.add_argument("--moments", type=int, default=100, help="how often to kill (default: %(default)s)")
    parser.add_argument("--page", type=pathlib.Path, help="write the table there")
    options = parse(parser, arguments, known, "moments")
    sections: dict[str, list[Row]] = {}
    keep_rows = set()
    # Not in /tmp itself, which everybody can write: root makes no env there.
    with tempfile.TemporaryDirectory(prefix="hpc.pytorch-faults-") as folder, contextlib.ExitStack() as labs:
        shared = None
        for name in options.names:
            family = load(known[name])
            needs = getattr(family, "NEEDS", None)
            if needs and not os.environ.get(needs):
                print("\n%s: not run, as %s is not set" % (name, needs), flush=True)
                continue
            if hasattr(family, "open_lab"):
                lab = labs.enter_context(family.open_lab(pathlib.Path(folder) / name))
            else:
                # One for all families of conda_env.
                shared = lab = shared or labs.enter_context(open_lab(pathlib.Path(folder)))
            title = title_of(known[name])
            if getattr(family, "KEEPS_ROWS", False):
                keep_rows.add(title)
            print("\n%s" % title, flush=True)
            sections[title] = []
            for row in family.run(lab, options.moments):
                sections[title].append(row)
                print("  %s: %d of %d survived; %s" % (row.fault, row.survived, row.tries, row.reads), flush=True)
                for problem in row.problems:
                    print("    %s" % problem, flush=True)
    if options.page:
        page = options.page.read_text(encoding="utf-8") if options.page.exists() else ""
        order = [title_of(path) for path in known.values()]
        options.page.write_text(updated(page, order, sections, keep_rows), encoding="utf-8")
    return 0 if all(row.survived == row.tries for rows in sections.values() for row in rows) else 1


if __name__ == "__main__":
    move_in()
    sys.exit(main())
