# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter credentials: the entry point of module_utils/_common/redact.py."""

from __future__ import annotations

DOCUMENTATION = r"""
name: credentials
short_description: Find the addresses that hold credentials
version_added: 1.0.0
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Returns each text that holds an address with a user, a password, a token or a query string, without those.
  - A variable such as V(${TOKEN}), which conda fills in, is not a credential.
positional: _input
options:
  _input:
    description: A text, or lists and mappings of texts.
    type: raw
    required: true
seealso:
  - module: hpc.pytorch.conda_env
"""

EXAMPLES = r"""
- name: Refuse passwords in a file that every user reads
  ansible.builtin.assert:
    that: conda_channels | hpc.pytorch.credentials | length == 0
"""

RETURN = r"""
_value:
  description: The texts with credentials, without them, in their order. An empty list if there are none.
  type: list
  elements: str
  sample: ["https://host.example.org/channel"]
"""

import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.redact import without_credentials, written_out


def credentials(value: t.Any) -> list[str]:
    """Find the addresses that hold credentials; see DOCUMENTATION."""
    if isinstance(value, str):
        return [without_credentials(value)] if written_out(value) else []
    if isinstance(value, t.Mapping):
        return [found for each in value.values() for found in credentials(each)]
    if isinstance(value, t.Sequence):
        return [found for each in value for found in credentials(each)]
    return []


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"credentials": credentials}
