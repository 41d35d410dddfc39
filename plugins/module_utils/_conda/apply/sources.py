# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As root, an env is made only from files that root alone can write, since root executes its programs.

Private to hpc.pytorch. This is about files of this machine; an address on the network is the caller's own trust.
"""

from __future__ import annotations

import os
import typing as t

from ..._common.errors import UserError
from ..._files.environment import clean_environment
from ..._files.trust import require_trusted_place


def require_trusted_sources(lock_file: str | None, pip: t.Collection[str], condarcs: t.Iterable[str]) -> None:
    """Refuse, as root, condarc files, a lock file, or files and settings of pip that another user can write.

    :arg pip: lines of a requirements file.
    :raises UserError: nothing was read yet but what pip would read.
    """
    for path in condarcs:
        require_trusted_place(path, "a condarc at")
    if lock_file:
        if os.path.lexists(lock_file) and not os.path.isfile(lock_file):
            raise UserError(
                "lock_file to be a file or a new path",
                "%s, which is neither" % lock_file,
                "remove it, or correct lock_file",
            )
        require_trusted_place(lock_file, "a lock file at")
    if pip and os.geteuid() == 0:
        # Imported here: most envs have no requirements of pip.
        from ..._source.pip import require_trusted_pip, require_trusted_pip_settings

        require_trusted_pip(pip)
        require_trusted_pip_settings(clean_environment())
