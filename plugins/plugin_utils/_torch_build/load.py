# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loads the compatibility data of the collection. Nothing else reads those files. Private to hpc.pytorch."""

from __future__ import annotations

import functools
import pathlib
import typing as t

import yaml
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.contradictions import contradictions, duplicates
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.model import Tables
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.rows import tables

FOLDER = pathlib.Path(__file__).parent / "data"
# How names are read: module_utils/_gpu/name_table.py is generated from these.
_OF_NAMES = ("aliases", "divisible", "generations", "words")


def read(name: str) -> dict[str, t.Any]:
    """Return the content of one file in data/."""
    # The C loader, where PyYAML has it, is ten times as fast.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with open(FOLDER / name, encoding="utf-8") as stream:
        return yaml.load(stream, Loader=loader)


@functools.lru_cache(maxsize=1)
def shipped() -> Tables:
    """Return all data of the collection."""
    parts = (
        tables({key: rows for key, rows in read(path.name).items() if key not in _OF_NAMES})
        for path in sorted(FOLDER.glob("*.yml"))
    )
    return functools.reduce(Tables.extended, parts)


def with_rows(rows: t.Any) -> Tables:
    """Return the data with a site's rows.

    :raises UserError: a row is wrong, or contradicts others.
    """
    known = shipped()
    if not rows:
        return known
    site = tables(rows, known)
    result = known.extended(site)
    wrong = duplicates(site) + contradictions(result)
    if wrong:
        raise UserError(
            "compatibility rows that agree with each other and with those of the collection",
            "; ".join(wrong),
            "correct the rows of the site",
        )
    return result
