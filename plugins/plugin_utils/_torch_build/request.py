# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the filter was given: a mapping or a list before the bar, keywords behind it. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError


def request(value: t.Any, keywords: t.Mapping[str, t.Any]) -> tuple[dict[str, t.Any], t.Any]:
    """All constraints together, and the site's rows. Lists of GPUs add up; one thing said twice must be the same."""
    if value is None or isinstance(value, (str, list, tuple)):
        value = {"gpus": value}
    if not isinstance(value, t.Mapping):
        raise UserError(
            "a mapping of constraints, or a list of GPU types", repr(value), "correct what stands before the filter"
        )
    result: dict[str, t.Any] = {}
    for name in [*value, *(name for name in keywords if name not in value)]:
        one, other = _given(value.get(name)), _given(keywords.get(name))
        if name == "gpus":
            result[name] = _listed(one) + _listed(other)
        elif one is not None and other is not None and one != other:
            raise UserError("one value for %s" % name, "%r and %r" % (one, other), "give it once")
        else:
            result[name] = one if one is not None else other
    return result, result.pop("rows", None)


def _given(value: t.Any) -> t.Any:
    """None for what means nothing was asked."""
    return None if value in ("", [], {}) else value


def _listed(value: t.Any) -> list[t.Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]
