# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which driver runs programs of which CUDA. No I/O. Private to hpc.pytorch.

The rule is here. The numbers are data: driver_table.py is generated from plugin_utils/_torch_build/data/drivers.yml.
"""

from __future__ import annotations

import typing as t

from .._common.versions import key, major_minor
from . import driver_table


class Family(t.NamedTuple):
    """All toolkits of one major version of CUDA, from 11 on: a driver for one of them runs what any of them compiled.

    :arg least: the oldest such driver.
    :arg exceptions: single toolkits that need another one.
    """

    least: str
    exceptions: t.Mapping[str, str] = {}


FAMILIES = {major: Family(*row) for major, row in driver_table.FAMILIES.items()}


def least_driver(
    cuda: str,
    families: t.Mapping[int, Family] = FAMILIES,
    toolkits: t.Mapping[str, str] = driver_table.TOOLKITS,
) -> str | None:
    """Return the oldest driver that runs what CUDA *cuda* compiled; None if the data does not say.

    ``least_driver("12.6")`` is ``"525.60.13"``, that of every CUDA 12; below CUDA 11 each toolkit has its own.

    :arg toolkits: the first driver that came with each toolkit, by major.minor.
    """
    cuda = major_minor(cuda)
    family = families.get(int(cuda.split(".", maxsplit=1)[0]))
    return family.exceptions.get(cuda, family.least) if family else toolkits.get(cuda)


def is_past(driver: str, last: str) -> bool:
    """Return whether *driver* is of a newer branch than *last*, the last branch that drives some GPU."""
    return key(driver)[:1] > key(last)[:1]
