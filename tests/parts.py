# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choose parts of a folder by name, for the run.py of the benches and of the families of faults."""

from __future__ import annotations

import argparse
import importlib.util
import pathlib
import typing as t


def parts(folder: pathlib.Path, prefix: str) -> dict[str, pathlib.Path]:
    """Name to file: ``bench_report.py`` is ``report`` for the prefix ``bench_``."""
    return {path.stem[len(prefix) :]: path for path in sorted(folder.glob(prefix + "*.py"))}


def load(path: pathlib.Path) -> t.Any:
    """Import a part by its path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError("%s cannot be imported" % path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def parser_of(description: str, known: t.Iterable[str]) -> argparse.ArgumentParser:
    """A parser of ``run.py [NAME...]``; without names all parts are chosen."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="one of: %s" % ", ".join(known))
    return parser


def parse(
    parser: argparse.ArgumentParser, arguments: t.Sequence[str] | None, known: t.Iterable[str], count: str
) -> argparse.Namespace:
    """The options; an unknown name, or fewer than one of *count* (an option's name), ends the program."""
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.names) - set(known))
    number = getattr(options, count)
    if unknown or number < 1:
        parser.error(
            "expected %s >= 1 and names among %s; found %s"
            % (count, ", ".join(known), ", ".join(unknown) or str(number))
        )
    options.names = options.names or list(known)
    return options
