# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The oldest driver for each CUDA. Generated from plugin_utils/_torch_build/data/drivers.yml: change that file, and run
``make generate``. Private to hpc.pytorch.
"""

from __future__ import annotations

# By major version of CUDA: the oldest driver for all of its toolkits, and the toolkits that need another one.
FAMILIES: dict[int, tuple[str, dict[str, str]]] = {
    11: ("450.80.02", {"11.0": "450.36.06"}),
    12: ("525.60.13", {}),
    13: ("580", {}),
}
# By CUDA: the first driver that came with that toolkit, where its major version is not above.
TOOLKITS: dict[str, str] = {
    "7.0": "346.46",
    "7.5": "352.31",
    "8.0": "367.48",
    "9.0": "384.81",
    "9.1": "390.46",
    "9.2": "396.26",
    "10.0": "410.48",
    "10.1": "418.39",
    "10.2": "440.33",
}
