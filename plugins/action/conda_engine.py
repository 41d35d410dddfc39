# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module hpc.pytorch.conda_engine and shows its progress."""

from __future__ import annotations

from ansible_collections.hpc.pytorch.plugins.plugin_utils._progress import ProgressAction


class ActionModule(ProgressAction):
    """See the module's documentation; this adds progress lines only."""
