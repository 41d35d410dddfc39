# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module's work and turns UserError and OSError into ``fail_json``. Private to hpc.pytorch."""

from __future__ import annotations

import sys
import typing as t

from .errors import UserError


def answer(module: t.Any, work: t.Callable[[], dict[str, t.Any]]) -> None:
    """Exit *module* with the result of *work*, or fail it with the error that *work* raises.

    :arg module: an AnsibleModule.
    """
    try:
        _answer(module, work)
    finally:
        # py-rattler's threads may crash the interpreter at its end, so the result is written out before.
        sys.stdout.flush()


def _answer(module: t.Any, work: t.Callable[[], dict[str, t.Any]]) -> None:
    try:
        result = work()
    except UserError as error:
        module.fail_json(**error.as_result())
    except OSError as error:
        path = " to %s" % error.filename if error.filename else ""
        problem = UserError("access%s" % path, error.strerror or str(error), "check owner, mode, free space and quota")
        module.fail_json(**problem.as_result())
    else:
        module.exit_json(**result)
