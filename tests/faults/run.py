#!/usr/bin/env python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do to conda_env what happens on clusters, and write down what it survived: ``run.py [--moments N] [--page FILE] [NAME...]``.

A family of faults is a file ``fault_NAME.py`` with a docstring and ``run(lab, moments)`` that returns rows. The page keeps the sections of families
that were not run. The exit status is 1 if something was not survived.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import pathlib
import sys
import tempfile
import typing as t

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

from lab import Row, open_lab
from page import updated


def families() -> dict[str, pathlib.Path]:
    """Name to file."""
    return {path.stem[len("fault_") :]: path for path in sorted(FOLDER.glob("fault_*.py"))}


def title_of(path: pathlib.Path) -> str:
    """A family's section of the page: the first line of its docstring."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or path.stem).splitlines()[0].rstrip(".")


def load(path: pathlib.Path) -> t.Any:
    """Import a file of this folder by its path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError("%s cannot be imported" % path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(arguments: t.Sequence[str] | None = None) -> int:
    """Run the families that were asked for, or all of them."""
    known = families()
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="one of: %s" % ", ".join(known))
    parser.add_argument("--moments", type=int, default=100, help="how often to kill (default: %(default)s)")
    parser.add_argument("--page", type=pathlib.Path, help="write the table there")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.names) - set(known))
    if unknown or options.moments < 1:
        parser.error(
            "expected moments >= 1 and names among %s; found %s"
            % (", ".join(known), ", ".join(unknown) or options.moments)
        )
    sections: dict[str, list[Row]] = {}
    # Not in /tmp itself, which everybody can write: root makes no env there.
    with tempfile.TemporaryDirectory(prefix="hpc.pytorch-faults-") as folder, open_lab(pathlib.Path(folder)) as lab:
        for name in options.names or known:
            family = load(known[name])
            title = title_of(known[name])
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
        options.page.write_text(updated(page, order, sections), encoding="utf-8")
    return 0 if all(row.survived == row.tries for rows in sections.values() for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
