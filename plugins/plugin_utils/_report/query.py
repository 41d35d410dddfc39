# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluates a JMESPath expression over the report. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError

try:
    import jmespath
    from jmespath import exceptions
except ImportError:
    jmespath = None


def select(expression: str, report: t.Any) -> t.Any:
    """Evaluate the expression.

    :raises UserError: jmespath is not installed, or the expression is wrong. If it is known, the error names the column
        of the expression, counted from 1.
    """
    if jmespath is None:
        raise UserError(
            "the Python library jmespath on the controller, for torch_check_query",
            "no such library",
            "install jmespath for the Python that runs ansible-playbook, or leave torch_check_query out",
        )
    try:
        return jmespath.search(expression, report)
    except (ValueError, TypeError, RecursionError) as error:
        raise UserError(
            "torch_check_query to be a JMESPath expression over the report",
            "%r%s: %s" % (expression, _where(error, expression), _why(error)),
            "correct it there; docs/report.md has the fields and examples, jmespath.org the language",
        ) from error


def _where(error: Exception, expression: str) -> str:
    position = getattr(error, "lex_position", None)
    if position is None:
        position = getattr(error, "lexer_position", None)
    if position is None:
        # An error about a function has only its name; one about an unknown function, only in its message.
        names = [getattr(error, "function_name", None) or "", *str(error).replace("()", "").split()]
        position = next((expression.find(name + "(") for name in names if name and name + "(" in expression), None)
    return "" if position is None else " at column %d" % (min(position, len(expression)) + 1)


def _why(error: Exception) -> str:
    if isinstance(error, exceptions.JMESPathTypeError):
        # Its own message holds the value, which may be the whole report.
        return "function %s() takes %s, not %s" % (
            error.function_name,
            " or ".join(error.expected_types),
            error.actual_type,
        )
    # Only the first line; the others repeat the expression with an arrow below it.
    first = str(error).partition("\n")[0].partition(": Parse error at column")[0]
    return first.rstrip(":")[:300] or type(error).__name__
