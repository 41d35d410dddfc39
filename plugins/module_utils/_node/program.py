# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that says whether a node's files and toolkit stand, without a module. Private to hpc.pytorch.

It judges by the function that the module writes by, so it cannot judge otherwise.
"""

from __future__ import annotations

import json
import os
import sys
import typing as t

from .._common.errors import UserError
from .declare import declare
from .request import Options


def main(params: t.Mapping[str, t.Any], with_diff: bool) -> None:
    """Print the result of ``node_files`` as JSON if nothing is to be done or said. In any other case end with 1.

    :arg params: the checked options of ``node_files``.
    """
    # Programs read from their current folder.
    os.chdir("/")
    warnings: list[str] = []
    try:
        result = declare(Options.of(params), False, with_diff, os.environ, warnings.append)
    except (UserError, OSError):
        raise SystemExit(1) from None
    if result["changed"] or warnings:
        raise SystemExit(1)
    sys.stdout.write(json.dumps(result) + "\n")
