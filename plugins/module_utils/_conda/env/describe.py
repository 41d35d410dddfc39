# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands at a prefix, read without an engine and without executing anything. Private to hpc.pytorch."""

from __future__ import annotations

import os
import typing as t

from ..._common.errors import UserError
from . import prefix as env
from .pip_records import damaged_distributions
from .request import checked_prefix
from .verify import damaged_packages


def describe_env(params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The result of conda_env_info for its options *params*.

    :raises UserError: a prefix or name that cannot be.
    """
    prefix = checked_prefix(params["prefix"], params["name"], params["envs_dir"], os.path.expanduser("~"))
    prefix = os.path.realpath(prefix)
    state = env.kind_of(prefix)
    is_env = state in ("env", "unfinished")
    problems: list[str] = []
    packages = []
    try:
        packages = env.installed_packages(prefix) if is_env else []
    except UserError as error:
        problems.append(str(error))
    result = {
        "changed": False,
        "prefix": prefix,
        "state": state,
        "base": is_env and env.is_base(prefix),
        "engine": env.read_record(prefix).get("engine"),
        "packages": [package.as_result() for package in packages],
        "problems": problems,
    }
    if params["verify"]:
        readable = is_env and not problems
        result["damaged"] = sorted(damaged_packages(prefix)) if readable else []
        result["damaged_pip"] = [each.name for each in damaged_distributions(prefix)] if readable else []
    return result
