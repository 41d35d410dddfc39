# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""conda_env_info: what the records say, and what pip replaced of it. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..env.describe import Options, describe_env
from ..env.own_record import pip_of
from ..env.packages import Package
from .replaced import Recorded, as_imported, contents_of, not_meant, read_env


def describe_imported(options: Options) -> dict[str, t.Any]:
    """The module's result, with the versions that the env's Python imports.

    :raises UserError: the prefix or name is not valid.
    """
    recorded: Recorded = []

    def read(prefix: str) -> list[Package]:
        packages, found = read_env(prefix)
        recorded.extend(found)
        return as_imported(packages, contents_of(prefix, found).replaced)

    result = describe_env(options, read)
    replaced = contents_of(result["prefix"], recorded).replaced if recorded else []
    result["replaced"] = [each.as_result() for each in replaced]
    if replaced and result.get("damaged"):
        meant = {each.package for each in replaced}
        meant -= {each.package for each in not_meant(replaced, pip_of(result["prefix"]))}
        result["damaged"] = [name for name in result["damaged"] if name not in meant]
    return result
