# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The results of conda_env for an env that is present. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..._common.redact import shown_channels, without_credentials
from ..env.packages import Package, diff_between
from ..env.request import EnvRequest, pip_requirements
from ..site_packages.replaced import as_imported
from .plan import EnvPlan

Result = t.Dict[str, t.Any]


def env_result(prefix: str, engine: str, packages: list[dict[str, str]]) -> Result:
    """The result for an env that does not change."""
    return {
        "changed": False,
        "prefix": prefix,
        "engine": engine,
        "packages": packages,
        "actions": [],
        "solved": True,
    }


def shown_packages(packages: t.Iterable[Package]) -> list[dict[str, str]]:
    """The packages as the module returns them."""
    return [package.as_result() for package in sorted(packages)]


def planned_result(plan: EnvPlan) -> Result:
    """The result for an env that the plan changes, or would change."""
    prefix, packages = plan.request.prefix, as_imported(plan.solution.packages, plan.remaining())
    lock_is_missing = plan.lock_file is not None and plan.request.lock_sha256 is None
    return dict(
        env_result(prefix, plan.engine.name, shown_packages(packages)),
        changed=plan.changes_env or lock_is_missing,
        actions=plan.actions,
        diff=diff_between(as_imported(plan.before, plan.contents.replaced), packages, prefix),
        warnings=plan.warnings(),
    )


def unsolved_result(request: EnvRequest, engine: str, because: str) -> Result:
    """The result of check mode if an earlier task would bring what solving needs."""
    specs = tuple(map(without_credentials, request.packages)) + pip_requirements(request.pip)
    channels = ", ".join(shown_channels(request.channels)) or "the condarc's channels"
    return {
        "changed": True,
        "prefix": request.prefix,
        "engine": engine,
        "actions": [],
        "solved": False,
        "msg": "not solved, since %s; asked for: %s from %s" % (because, ", ".join(specs) or "nothing", channels),
        "diff": {
            "before_header": request.prefix,
            "after_header": "%s (asked for, not solved)" % request.prefix,
            "before": "",
            "after": "".join(spec + "\n" for spec in specs),
        },
    }
