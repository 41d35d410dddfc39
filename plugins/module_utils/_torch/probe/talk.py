# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the probe reports. Private to hpc.pytorch.

The files of this folder are the probe: the module sends their text to the interpreter that it checks (see main.py).
So each stays ASCII, imports nothing else of the collection, and works on Python 3.6 and torch 1.4 (hence no
``from __future__ import annotations``).
"""

import json
import os


class Channel:
    """Writes records to a file descriptor, one JSON object per line. What torch prints goes elsewhere."""

    def __init__(self, descriptor):
        self._descriptor = descriptor
        # What torch starts must not keep the channel open.
        os.set_inheritable(descriptor, False)

    def send(self, **record):
        """Write one record."""
        data = (json.dumps(record) + "\n").encode("ascii")
        while data:
            data = data[os.write(self._descriptor, data) :]

    def step(self, name, task=None):
        """Report the next step before it runs, so that a hang or a crash has a name.

        A task has a time limit of its own, from its first step to the first step of another task.
        """
        self.send(kind="step", step=name, task=task)


def describe(error):
    """Return an exception as data: its type, its text and the module or library that it names."""
    try:
        text = str(error)
    except Exception:
        text = ""
    return {"type": type(error).__name__, "text": text[:4000], "name": getattr(error, "name", None)}
