# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The choice of one environment's torch, for its nodes, C libraries and platform. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from .machines import machines
from .nodes import Groups, HostVars, nodes
from .plan import Asked, Plan, plan


class Request(t.NamedTuple):
    """What is asked for.

    asked: the role's variables, as :class:`Asked` takes them; what the nodes declare is not among them yet. With
        ``gpus`` None, those of the nodes count.
    name, groups, host: whose nodes the environment is for, see :func:`nodes`.
    needs_engine: whether the site's engine is looked for.
    """

    asked: t.Mapping[str, t.Any]
    name: str
    groups: t.Sequence[str]
    host: str
    needs_engine: bool


class Choice(t.NamedTuple):
    """The plan, and whether the machine that makes the environment has the site's engine."""

    plan: Plan
    has_engine: bool


def choice(request: Request, hostvars: HostVars, groups: Groups, here: t.Callable[[], str]) -> Choice:
    """Choose the newest build that runs on all nodes of the environment.

    :arg here: asks the machine that makes the environment; it prints its C library, its processor and ``engine``, a
        line each.
    :raises UserError: the nodes contradict each other, or no build fits.
    """
    found = nodes(hostvars, groups, request.groups, request.name, request.host)
    given = dict(request.asked)
    if found.drivers:
        given["drivers"] = found.drivers
    # An empty list means that no GPU counts.
    if given.get("gpus", ()) is None:
        given["gpus"] = found.gpus
    asked = Asked.of(given)
    # Without any of these there is nothing to choose: the channels decide.
    is_declared = any((asked.source, asked.cuda, asked.drivers, asked.gpus))
    printed = here() if is_declared or request.needs_engine else ""
    if is_declared:
        all_of_them = machines(hostvars, found.names, request.host, printed)
        asked = asked._replace(glibc=all_of_them.glibc + asked.glibc, platform=asked.platform or all_of_them.platform)
    return Choice(plan(asked), "engine" in printed.split())
