# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""conda_env with state absent. Private to hpc.pytorch."""

from __future__ import annotations

import os
import typing as t

from ..._common.errors import UserError
from ..._files.paths import require_visible
from ..._files.trust import require_trusted_place
from ..env.packages import actions_between, diff_between
from ..env.prefix import is_base, kind_of
from ..env.records import installed_packages
from .environments_txt import remove_env_entry, warning_unless_done
from .lifecycle import remove, remove_abandoned


def remove_env(prefix: str, home: str, listed: bool, check_mode: bool) -> dict[str, t.Any]:
    """Remove the env at *prefix*; return the module's result.

    :arg listed: whether the env is taken off conda's list of envs.
    :raises UserError: *prefix* is not an env that may be removed.
    """
    result: dict[str, t.Any] = {"prefix": prefix, "actions": [], "changed": False}
    require_trusted_place(prefix, "a place for the env at")
    require_visible(prefix)
    if not os.path.lexists(prefix):
        if not check_mode and os.path.isdir(os.path.dirname(prefix)):
            remove_abandoned(prefix)
        return result
    _require_removable(prefix, home)
    packages = installed_packages(prefix)
    warnings: list[str] = []
    if not check_mode:
        remove(prefix)
        if listed:
            warnings = warning_unless_done("still", lambda: remove_env_entry(prefix, home))
    return dict(
        result,
        changed=True,
        actions=actions_between(packages, []),
        diff=diff_between(packages, [], prefix),
        warnings=warnings,
    )


def _require_removable(prefix: str, home: str) -> None:
    """Refuse anything that is not an env of its own: ``/``, a home directory, a symlink, the base.

    :raises UserError: nothing was touched.
    """
    found = None
    if os.path.islink(prefix):
        found = "a symlink to %s" % os.readlink(prefix)
    elif _holds(os.path.realpath(prefix), os.path.realpath(home)):
        found = "a folder that holds a home directory"
    elif os.path.exists(os.path.join(prefix, ".bashrc")) or os.path.exists(os.path.join(prefix, ".profile")):
        found = "a home directory"
    elif kind_of(prefix) not in ("env", "unfinished"):
        found = "a folder without conda-meta, which is not a conda env"
    elif is_base(prefix):
        found = "the base, which holds conda itself"
    if found:
        raise UserError("an env to remove at %s" % prefix, found, "give the prefix of an env, or remove it by hand")


def _holds(folder: str, home: str) -> bool:
    return folder == "/" or home == folder or home.startswith(folder + "/")
