# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs on a compute node, as one task of an array: look at torch, and leave the answer in a file. Private to hpc.pytorch."""

from __future__ import annotations

import json
import os
import socket
import sys
import typing as t

from ..._common.errors import UserError
from ..._common.files import write_atomically
from ..diagnose.stages import Asked
from ..diagnose.verdict import result
from ..run import run_probe

# Names in the folder that this program and the module share.
ORDERS = "orders.json"
RESULTS = "results"


def main() -> None:
    """``python BUNDLE FOLDER NUMBER``: do the order of that number."""
    folder, number = sys.argv[1:3]
    with open(os.path.join(folder, ORDERS), encoding="utf-8") as stream:
        order = json.load(stream)[int(number)]
    answer = dict(look(order), node=os.environ.get("SLURMD_NODENAME") or socket.gethostname())
    write_atomically(os.path.join(folder, RESULTS, number + ".json"), json.dumps(answer).encode("utf-8"), 0o600)


def look(order: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What torch_info would return, or under ``refused`` why it would fail."""
    asked = Asked(**order["asked"])
    try:
        return result(
            run_probe(asked.prefix, asked.python, order["timeout"], order["device_timeout"], asked.expect_devices),
            asked,
        )
    except UserError as error:
        return {"refused": {"expected": error.expected, "found": error.found, "remedy": error.remedy}}
    except OSError as error:
        what = "%s: %s" % (error.filename, error.strerror) if error.filename else str(error)
        return {"refused": {"expected": "access", "found": what, "remedy": "check owner, mode and free space"}}
