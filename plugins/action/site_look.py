# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs hpc.pytorch.site_look."""

from __future__ import annotations

from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_step.action import UserStepAction


class ActionModule(UserStepAction):
    """See the module's documentation; this only names a Python that runs no module."""
