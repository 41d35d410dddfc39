# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page docs/faults.md: the tables, each with the conditions under which it came about."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import tempfile
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.disk import file_system_of
from lab import SILENCE, Row

HEAD = (
    """\
# What conda_env and a whole site.yml survive

`make faults` does these things and writes this page; it fails if one of them was not survived.

**conda_env.** Survived means that before the rerun neither `conda_env_info`, `source activate` nor a job script used a
broken env; that a failure was one line that says what to do, and nothing was lost; that the next run succeeded, every
file of the env was what its packages contain, pip's records were complete, its Python ran, and nothing was left behind
in the package cache, in the env or next to it. The env holds python, pip and numpy as conda packages, a pip requirement
of 60 modules, and all bytecode. Moments of kill -9 are fractions of the processor time that a whole run takes, measured
before on the same machine: half of them before the env is marked as being changed, half from there to the end. A silent
server was given up after %d seconds here, instead of the 300 of a real run. The engine is rattler where none is named.

**A whole site.yml.** This machine is login and compute, as with `make site`, and everything is below one folder: the
engine (py-rattler from an index), a channel with the system's Python and three wheels, the base, the env, its check,
the report and a job. Survived means that no broken env was taken for a complete one; that a failure was one line that
names the path and what is short; that the rerun ended with status 0, the tree of files was that of a run without a
fault (nothing missing, nothing left behind, also in the folder for temporary files), the files that a user had put
there were untouched, and a third run reported changed=0. Moments of kill -9 are a number of tasks that have begun and
the processor time since the last one began, spread evenly over the processor time of a run that was measured before.

Capitals such as ENV and SITE stand for paths.
"""
    % SILENCE
)


def updated(
    page: str, order: t.Sequence[str], sections: t.Mapping[str, t.Sequence[Row]], keep_rows: t.Container[str] = ()
) -> str:
    """The page with new *sections*, by title. Other sections of *order* stay as they are; the rest is removed.

    :arg keep_rows: titles of sections in which rows of other faults stay, too.
    """
    kept = {block.splitlines()[0]: block.rstrip() for block in page.split("\n## ")[1:]}
    for title, rows in sections.items():
        older = _rows(kept.get(title, "")) if title in keep_rows else {}
        kept[title] = _section(title, {**older, **{row.fault: _line(row) for row in rows}}.values())
    return "\n\n## ".join([HEAD.rstrip(), *(kept[title] for title in order if title in kept)]) + "\n"


def _rows(section: str) -> dict[str, str]:
    """Fault to line."""
    return {line.split(" | ")[0][2:]: line for line in section.splitlines()[4:] if line.startswith("| ")}


def _line(row: Row) -> str:
    return "| %s | %d | %d | %s |" % (row.fault, row.tries, row.survived, row.reads.replace("|", "\\|"))


def _section(title: str, rows: t.Iterable[str]) -> str:
    lines = [title, "", "| fault | tries | survived | what a person reads |", "| --- | --: | --: | --- |", *rows]
    return "\n".join([*lines, "", conditions()])


def conditions() -> str:
    """What the figures depend on."""
    return "%s, as %s: Python %s, py-rattler %s, Linux %s on %s, %d processors, file system %s." % (
        datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        "root" if os.geteuid() == 0 else "a user",
        platform.python_version(),
        importlib.metadata.version("py-rattler"),
        platform.release().split("-")[0],
        platform.machine(),
        os.cpu_count() or 0,
        file_system_of(tempfile.gettempdir()),
    )
