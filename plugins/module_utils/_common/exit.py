# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module's work and turns UserError and OSError into ``fail_json``. Private to hpc.pytorch."""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
import typing as t

from ansible.module_utils.common.respawn import has_respawned

from .errors import UserError
from .process import end_on_signals

# Set by the action plugin of a step that has a time limit: seconds.
LIMIT = "HPC_PYTORCH_SECONDS"


def answer(module: t.Any, work: t.Callable[[], dict[str, t.Any]], writes: t.Sequence[str] = ()) -> None:
    """Exit *module* with the result of *work*, or fail it with the error that *work* raises.

    :arg module: an AnsibleModule.
    :arg writes: the options that name where *work* and the programs it starts write. If one of those disks is full,
        the message says so, whatever a program made of it.
    """
    seconds = os.environ.get(LIMIT, "")
    if seconds.isdigit():
        _limit(int(seconds))
    try:
        # Programs, and the Python that may run this module again, import and read from their current folder.
        os.chdir("/")
        end_on_signals()
        _answer(module, work, writes)
    except KeyboardInterrupt:
        # Nobody reads an answer. As a shell says it.
        raise SystemExit(130) from None
    finally:
        # py-rattler's threads may crash the interpreter at its end, so the result is written out before.
        sys.stdout.flush()


def _limit(seconds: int) -> None:
    """End the work after *seconds* with an error, so that nothing of a step is left when its caller gives up on it."""

    def end(_signal: int, _frame: t.Any) -> None:
        raise UserError(
            "the step to end within %d seconds" % seconds,
            "it still at work or waiting, such as for a lock that another process holds",
            "end what holds it up, or raise the limit (hpc_user_timeout, torch_env_user_timeout)",
        )

    signal.signal(signal.SIGALRM, end)
    # The engine's process ends first: the one that started it would kill it before it has cleaned up.
    signal.alarm(max(1, seconds - 2) if has_respawned() else seconds)


def _answer(module: t.Any, work: t.Callable[[], dict[str, t.Any]], writes: t.Sequence[str]) -> None:
    try:
        try:
            result = work()
        finally:
            signal.alarm(0)
    except Exception as error:
        problem = _problem(error, module.params, writes)
        if problem is None:
            from .redact import has_credentials, without_credentials

            trace = traceback.format_exc()
            if has_credentials(trace):
                # A library has quoted the address that it was given.
                raise RuntimeError(without_credentials(trace)) from None
            raise
        module.fail_json(**problem.as_result())
    else:
        # exit_json takes warnings too, but tells every user that a later Ansible will not.
        for warning in result.pop("warnings", ()):
            module.warn(warning)
        module.exit_json(**result)


def _problem(error: Exception, params: t.Mapping[str, t.Any], writes: t.Sequence[str]) -> UserError | None:
    """What to tell the user about *error*; None if it is a mistake of ours."""
    # A program on another machine may have found its disk full.
    if writes or not isinstance(error, UserError):
        # Imported here: a module that succeeds needs none of it.
        from .disk import full_disk

        places = [value for value in map(params.get, writes) if isinstance(value, str) and os.path.isabs(value)]
        if writes:
            # Programs write there, too. Not tempfile.gettempdir(), which fails on a full disk.
            places += [os.environ.get("TMPDIR", "/tmp"), os.path.expanduser("~")]
        full = full_disk(error, *places)
        if full is not None:
            details = error.details if isinstance(error, UserError) else {}
            return UserError(full.expected, full.found, full.remedy, **details)
    if isinstance(error, UserError):
        return error
    if isinstance(error, OSError):
        path = " to %s" % error.filename if error.filename else ""
        remedy = "check owner, mode, free space and quota"
        if error.errno == errno.EROFS:
            remedy = "mount the file system so that it can be written to, or choose another place, then run again"
        return UserError("access%s" % path, error.strerror or str(error), remedy)
    return None
