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
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.model import PLATFORMS, Tables
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.rows import tables

FOLDER = pathlib.Path(__file__).parent / "data"
# How names are read: module_utils/_gpu/name_table.py is generated from these.
_OF_NAMES = ("aliases", "divisible", "generations", "words")


def read(name: str | pathlib.Path) -> dict[str, t.Any]:
    """Return the content of one file in data/."""
    # The C loader, where PyYAML has it, is ten times as fast.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with open(FOLDER / name, encoding="utf-8") as stream:
        return yaml.load(stream, Loader=loader)


@functools.lru_cache(maxsize=len(PLATFORMS))
def shipped(platform: str = PLATFORMS[0]) -> Tables:
    """Return all data of the collection for a platform.

    The files in data/ are about the first platform and hold what all share; builds for another one have a folder there.
    """
    if platform == PLATFORMS[0]:
        parts = (
            tables({key: rows for key, rows in read(file).items() if key not in _OF_NAMES})
            for file in sorted(FOLDER.glob("*.yml"))
        )
        return functools.reduce(Tables.extended, parts)
    first = shipped()
    parts = (tables(read(file), first, platform) for file in sorted((FOLDER / platform).glob("*.yml")))
    return functools.reduce(Tables.extended, parts, first.without_builds())


def with_rows(rows: t.Any, platform: str = PLATFORMS[0]) -> Tables:
    """Return the data for a platform with a site's rows, of which those for other platforms do not count.

    :raises UserError: a row is wrong, or contradicts others.
    """
    known = shipped(platform)
    if not rows:
        return known
    site = tables(rows, known).only(platform)
    result = known.extended(site)
    wrong = duplicates(site) + contradictions(result)
    if wrong:
        raise UserError(
            "compatibility rows that agree with each other and with those of the collection",
            "; ".join(wrong),
            "correct the rows of the site",
        )
    return result
