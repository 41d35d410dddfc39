# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CUDA toolkit of a part, and the files of the part that name what only the host knows of it.

Private to hpc.pytorch.
"""

from __future__ import annotations

import os
import typing as t

from .._cuda.toolkit import Toolkit, checked_toolkit

# What stands for the toolkit's version and for its folder with libraries.
VERSION, LIB_DIR = "@CUDA_TOOLKIT_VERSION@", "@CUDA_TOOLKIT_LIB_DIR@"


def find(wanted: t.Mapping[str, t.Any]) -> Toolkit:
    """The toolkit that a part wants.

    :raises UserError: there is none, or another version.
    :raises ValueError: there is something to warn of, which the role does.
    """
    toolkit, warnings = checked_toolkit(wanted["home"], wanted["version"], os.environ)
    if warnings:
        raise ValueError(warnings[0])
    return toolkit


def filled(value: t.Any, toolkit: Toolkit) -> t.Any:
    """*value* with the toolkit's version and folder in the texts that have VERSION and LIB_DIR.

    :raises ValueError: the toolkit has no libraries, and LIB_DIR is there.
    """
    if isinstance(value, dict):
        return {key: filled(each, toolkit) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, toolkit) for each in value]
    if not isinstance(value, str):
        return value
    if LIB_DIR in value and toolkit.lib_dir is None:
        raise ValueError("%s has no lib64 and no lib" % toolkit.home)
    return value.replace(VERSION, toolkit.version).replace(LIB_DIR, toolkit.lib_dir or "")
