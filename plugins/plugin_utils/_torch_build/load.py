# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The compatibility data that the collection ships: the one place that reads it. Private to hpc.pytorch."""

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


def read(name: str) -> dict[str, t.Any]:
    """One file of data/, as it is."""
    # The C loader, where PyYAML has it, is ten times as fast.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with open(FOLDER / name, encoding="utf-8") as stream:
        return yaml.load(stream, Loader=loader)


@functools.lru_cache(maxsize=1)
def shipped() -> Tables:
    """All of data/."""
    result = Tables()
    for path in sorted(FOLDER.glob("*.yml")):
        part = tables(read(path.name))
        result = Tables(
            **{
                name: getattr(result, name) or getattr(part, name)
                for name in (
                    "builds",
                    "architectures",
                    "toolkits",
                    "families",
                    "toolkit_drivers",
                    "gpus",
                    "ambiguous",
                    "pytorch_channel_last",
                )
            }
        )
    return result


def with_rows(rows: t.Any) -> Tables:
    """The data with a site's rows, which are checked: each for itself, and together."""
    known = shipped()
    if not rows:
        return known
    site = tables(rows, known)
    result = known.extended(site)
    wrong = duplicates(site) + contradictions(result)
    if wrong:
        raise UserError(
            "compatibility rows that agree with each other and with ours",
            "; ".join(wrong),
            "correct the rows of the site",
        )
    return result
