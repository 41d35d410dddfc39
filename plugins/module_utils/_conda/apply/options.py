# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of conda_env. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..engines.registry import AUTO, CHOICES

# What AnsibleModule takes for the options. Here and not in the module: Ansible packs no module into another one.
ARGUMENTS: dict[str, t.Any] = {
    "argument_spec": {
        "prefix": {"type": "path"},
        "name": {"type": "str"},
        "envs_dir": {"type": "path", "default": "~/.conda/envs"},
        "packages": {"type": "list", "elements": "str", "default": []},
        "prune": {"type": "bool", "default": False},
        "pip": {"type": "list", "elements": "str", "default": []},
        "channels": {"type": "list", "elements": "str"},
        "channel_priority": {"type": "str", "choices": ["strict", "flexible", "disabled"]},
        "lock_file": {"type": "path"},
        "engine": {"type": "str", "choices": CHOICES, "default": AUTO},
        "executable": {"type": "path"},
        "cuda": {"type": "str"},
        "package_cache": {"type": "path"},
        "compile": {"type": "bool", "default": False},
        "register_envs": {"type": "bool", "default": True},
        "verify": {"type": "bool", "default": False},
        "state": {"type": "str", "choices": ["present", "absent", "latest"], "default": "present"},
        "progress_file": {"type": "path"},
        "wheel_refuse": {"type": "list", "elements": "str", "default": []},
        "wheel_max_megabytes": {"type": "int", "default": 0},
        "cpu_index": {"type": "str"},
        "expect_torch": {"type": "dict", "options": {"version": {"type": "str"}, "cuda": {"type": "str"}}},
    },
    "mutually_exclusive": [("prefix", "name")],
    "required_one_of": [("prefix", "name")],
}


class Options(t.NamedTuple):
    """The options of module conda_env, see its documentation."""

    prefix: str | None
    name: str | None
    envs_dir: str
    packages: list[str]
    prune: bool
    pip: list[str]
    channels: list[str] | None
    channel_priority: str | None
    lock_file: str | None
    engine: str
    executable: str | None
    cuda: str | None
    package_cache: str | None
    compile: bool
    register_envs: bool
    verify: bool
    state: str
    progress_file: str | None
    expect_torch: dict[str, str | None] | None = None
    wheel_refuse: t.Sequence[str] = ()
    wheel_max_megabytes: int = 0
    cpu_index: str | None = None
