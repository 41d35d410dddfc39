# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuses an ansible-core that is too old. Private to hpc.pytorch.

Ansible only warns (``requires_ansible``), and goes on until a template fails: before 2.19 each gave text, so an unset
option became an empty text, which is "not a valid boolean". And pip says nothing when it installs such a version, the
newest one for an old Python.
"""

from __future__ import annotations

import sys

from ansible.release import __version__
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError

# As requires_ansible in meta/runtime.yml.
OLDEST = (2, 19)


def require_core() -> None:
    """Refuse an ansible-core that templates otherwise than the roles need.

    :raises UserError: it is too old.
    """
    # Such as 2.15.13 or 2.22.0rc1.
    if tuple(int(part) for part in __version__.split(".")[:2]) < OLDEST:
        raise UserError(
            "ansible-core %d.%d or newer" % OLDEST,
            "ansible-core %s, on Python %d.%d" % (__version__, *sys.version_info[:2]),
            "install ansible-core %d.%d or newer in a venv that is made with Python 3.11 or newer" % OLDEST,
        )
