# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mark of an env that is being changed. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

# Below an env's prefix. While the file exists, the env is half done: jobs, checks and shells refuse it.
# Role conda's template of conda.sh names it too.
CHANGING_MARK = "conda-meta/hpc_pytorch.changing"
