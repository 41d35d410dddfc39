# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter misspelt_extra_vars: what is given with -e and is almost an option."""

from __future__ import annotations

DOCUMENTATION = r"""
name: misspelt_extra_vars
short_description: Find the extra variables that are almost options of a playbook
version_added: 1.0.0
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Compares the extra variables of the run (C(-e) on the command line) with the options of a playbook. Ansible ignores
    a name that no task reads, such as C(gpu) for C(gpus), and the playbook would do something else than was asked for.
  - Variables of the inventory do not count, and no name that is not almost an option.
  - It belongs to the playbook C(hpc.pytorch.me).
options:
  _input:
    description: The names of the options.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show what was probably meant
  ansible.builtin.debug:
    msg: "{{ ['gpus', 'partition', 'time'] | hpc.pytorch.misspelt_extra_vars }}"
"""

RETURN = r"""
_value:
  description: The option that is almost the given name, by that name.
  type: dict
  sample: {"gpu": "gpus", "partitoin": "partition"}
"""

import difflib
import typing as t

from ansible import context
from ansible.parsing.dataloader import DataLoader
from ansible.utils.vars import load_extra_vars

# As difflib measures it: gpu and gpus have 0.86, my_account and account 0.82.
_ALMOST = 0.85


def near_misses(names: t.Iterable[str], options: t.Sequence[str]) -> dict[str, str]:
    """The option that is almost the name, for each name that has one and is none itself."""
    found = {}
    for name in sorted(set(names) - set(options)):
        almost = difflib.get_close_matches(name.lower(), options, n=1, cutoff=_ALMOST)
        if almost:
            found[name] = almost[0]
    return found


def misspelt_extra_vars(options: t.Sequence[str]) -> dict[str, str]:
    """See DOCUMENTATION."""
    given = load_extra_vars(DataLoader()) if context.CLIARGS.get("extra_vars") else {}
    return near_misses(given, options)


class FilterModule:
    """The filters of this file, for Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"misspelt_extra_vars": misspelt_extra_vars}
