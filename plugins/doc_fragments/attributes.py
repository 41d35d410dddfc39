# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attributes that modules of this collection share."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and say what would change, without changing it.
  diff_mode:
    description: Says in diff mode what changed, or would.
  platform:
    description: Where it runs.
    platforms: linux
    support: full
"""
    FULL_SUPPORT = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check_mode and return changed status prediction without modifying target.
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in check_mode), when in diff mode.
    support: full
"""
    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - This module changes nothing.
  diff_mode:
    support: N/A
    details:
      - This module changes nothing.
"""
    ACTION = r"""
options: {}
attributes:
  action:
    description: Has an action plugin that runs on the controller.
    support: full
"""
    ACTION_GROUP = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/hpc.pytorch.all) in C(module_defaults) to set defaults for every module.
    support: full
    membership:
      - hpc.pytorch.all
"""
