# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the options in _torch/fleet/resources.py."""

from __future__ import annotations

from ansible_collections.hpc.pytorch.plugins.module_utils._torch.fleet.resources import RESOURCES


class ModuleDocFragment:
    DOCUMENTATION = "options:\n" + "".join(
        "  %s:\n    description: >-\n      %s\n    type: %s\n" % (resource.name, resource.description, resource.type)
        for resource in RESOURCES
    )
