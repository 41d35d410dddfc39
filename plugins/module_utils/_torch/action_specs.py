# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The argument specs of modules that run on the controller, for module and action alike. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from .fleet import resources

Spec = t.Dict[str, t.Dict[str, t.Any]]

TORCH_REPORT: Spec = {
    "hosts": {"type": "list", "elements": "str"},
    "formats": {
        "type": "list",
        "elements": "str",
        "choices": ["table", "json", "html"],
        "default": ["table", "json", "html"],
    },
    "folder": {"type": "str"},
    "keep": {"type": "int", "default": 0},
    "query": {"type": "str"},
}

TORCH_CHECK_RESULT: Spec = {
    "steps": {"type": "list", "elements": "dict", "default": []},
    "via": {"type": "str", "choices": ["ssh", "slurm", "srun"], "default": "ssh"},
    "node": {"type": "str", "default": ""},
    "prefix": {"type": "str", "default": ""},
}

TORCH_CHECK_ALLOCATION: Spec = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "node": {"type": "str"},
    "name": {"type": "str"},
    "watcher": {"type": "int"},
    "wait": {"type": "int", "default": 600},
    "timeout": {"type": "int", "default": 120},
    "time": {"type": "int"},
    "exclusive": {"type": "bool", "default": False},
    "partition": {"type": "str"},
    "gres": {"type": "str"},
    **resources.argument_spec(),
    "bin_dir": {"type": "path"},
}
