# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of conda_env. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t


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
