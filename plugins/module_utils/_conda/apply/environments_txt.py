# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``~/.conda/environments.txt``: the envs outside envs_dirs that ``conda env list`` shows. Private to hpc.pytorch."""

from __future__ import annotations

import os
import typing as t

from ..._common.lines import lines_of
from ..._files.files import read_regular, write_atomically
from ..._files.trust import require_root_only


def add_env(prefix: str, home: str) -> None:
    """Add the env to conda's list of envs.

    :raises OSError: the list cannot be read or written.
    """
    _edit(home, lambda lines: lines if prefix in lines else lines + [prefix])


def remove_env_entry(prefix: str, home: str) -> None:
    """Take the env off conda's list of envs.

    :raises OSError: the list cannot be read or written.
    """
    _edit(home, lambda lines: [line for line in lines if line != prefix])


def warning_unless_done(state: str, edit: t.Callable[[], None]) -> list[str]:
    """Run *edit*; turn an OSError into a warning, since the env itself is as requested.

    :arg state: ``not`` or ``still``: whether the env is listed after a failure.
    """
    try:
        edit()
    except OSError as error:
        return ["%s listed in %s: %s" % (state, error.filename or "environments.txt", error.strerror)]
    return []


def _edit(home: str, edit: t.Callable[[list[str]], list[str]]) -> None:
    path = os.path.join(home, ".conda", "environments.txt")
    require_root_only(path)
    lines: list[str] = []
    if os.path.exists(path):
        lines = lines_of(read_regular(path).decode("utf-8", "surrogateescape"))
    wanted = edit(lines)
    if wanted != lines:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        content = "".join(line + "\n" for line in wanted)
        write_atomically(path, content.encode("utf-8", "surrogateescape"))
