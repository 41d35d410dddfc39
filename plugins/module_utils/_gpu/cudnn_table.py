# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GPUs without kernels in cuDNN. Generated from plugin_utils/_torch_build/data/cudnn.yml: change that file, and run
``make generate``. Private to hpc.pytorch.
"""

from __future__ import annotations

# By compute capability: the first cuDNN that has no kernels for it.
FIRST_WITHOUT: dict[str, str] = {
    "3.5": "8.8",
    "3.7": "8.8",
    "5.0": "9.11",
    "5.2": "9.11",
    "6.0": "9.11",
    "6.1": "9.11",
    "7.0": "9.11",
}
