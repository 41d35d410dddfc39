# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that runs on a compute node as a task of an array: it probes torch and writes the answer to a file.

Private to hpc.pytorch.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import typing as t

from ..._common.errors import UserError
from ..._files.files import write_atomically
from ..asked import Asked
from ..diagnose.verdict import result
from ..run import run_probe
from .outcome import refusal

# Names in the folder that this program and the module share.
ORDERS = "orders.json"
RESULTS = "results"


def main() -> None:
    """``python BUNDLE FOLDER NUMBER``: carry out the order of that number."""
    folder, number = sys.argv[1:3]
    with open(os.path.join(folder, ORDERS), encoding="utf-8") as stream:
        order = json.load(stream)[int(number)]
    answer = dict(probe(order), node=os.environ.get("SLURMD_NODENAME") or socket.gethostname())
    write_atomically(os.path.join(folder, RESULTS, number + ".json"), json.dumps(answer).encode("utf-8"), 0o600)


def probe(order: t.Mapping[str, t.Any]) -> t.Mapping[str, t.Any]:
    """What torch_info would return, or why it would fail."""
    asked = Asked(**order["asked"])
    try:
        return result(
            run_probe(asked.prefix, asked.python, order["timeout"], order["device_timeout"], asked.expect_devices),
            asked,
        )
    except (UserError, OSError) as error:
        return refusal(error)
