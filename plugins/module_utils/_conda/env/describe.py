# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""conda_env_info: describes what is at a prefix. Uses no engine and executes nothing. Private to hpc.pytorch."""

from __future__ import annotations

import os
import typing as t

from ..._common.errors import UserError
from .own_record import read_record
from .packages import Package
from .pip_records import damaged_distributions
from .prefix import is_base, kind_of
from .records import installed_packages
from .request import checked_prefix
from .verify import damaged_packages


class Options(t.NamedTuple):
    """The options of module conda_env_info, see its documentation."""

    prefix: str | None
    name: str | None
    envs_dir: str
    verify: bool


def describe_env(options: Options, read: t.Callable[[str], list[Package]] = installed_packages) -> dict[str, t.Any]:
    """The module's result.

    :arg read: returns the packages of the env at a prefix, by name.
    :raises UserError: the prefix or name is not valid.
    """
    prefix = checked_prefix(options.prefix, options.name, options.envs_dir, os.path.expanduser("~"))
    prefix = os.path.realpath(prefix)
    state = kind_of(prefix)
    is_env = state in ("env", "unfinished")
    problems: list[str] = []
    packages = []
    try:
        packages = read(prefix) if is_env else []
    except UserError as error:
        problems.append(str(error))
    result = {
        "changed": False,
        "prefix": prefix,
        "state": state,
        "base": is_env and is_base(prefix),
        "engine": _engine_of(prefix),
        "packages": [package.as_result() for package in packages],
        "problems": problems,
    }
    if options.verify:
        readable = is_env and not problems
        result["damaged"] = sorted(damaged_packages(prefix)) if readable else []
        result["damaged_pip"] = [each.name for each in damaged_distributions(prefix)] if readable else []
    return result


def _engine_of(prefix: str) -> str | None:
    """The engine that the env's record names, if it names one: in another user's env the record may hold anything."""
    engine = read_record(prefix).get("engine")
    return engine if isinstance(engine, str) and engine.isidentifier() and len(engine) <= 20 else None
