# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module as run_module.py does, while another user acts once: ``run_race.py NAME SWAP < OPTIONS``.

SWAP is a JSON object: the user ``uid`` runs the shell script ``does`` right after root has read the status of the entry
``name`` for the ``time``-th time. ``broken``: nothing is judged, and links are followed.
"""

from __future__ import annotations

import importlib
import json
import os
import pathlib
import subprocess
import sys
import typing as t

from ansible.module_utils import _internal
from ansible.module_utils.testing import patch_module_args
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
PLUGINS = "ansible_collections.hpc.pytorch.plugins."


def act_once(swap: dict[str, t.Any]) -> None:
    """Let the other user act after the look."""
    real, left = os.stat, [swap["time"]]

    def looked(path: t.Any, *arguments: t.Any, **keywords: t.Any) -> t.Any:
        try:
            return real(path, *arguments, **keywords)
        finally:
            if path == swap["name"] and "dir_fd" in keywords:
                left[0] -= 1
                if left[0] == 0:
                    script = ["/bin/sh", "-euc", swap["does"]]
                    subprocess.run(script, user=swap["uid"], group=swap["uid"], extra_groups=[], check=True)

    os.stat = looked


def main() -> None:
    """Run the module."""
    _AnsibleCollectionFinder(paths=[str(CHECKOUT / ".collections")])._install()
    _internal.is_controller = False
    swap = json.loads(sys.argv[2])
    entries = importlib.import_module(PLUGINS + "module_utils._files.entries")
    folder = importlib.import_module(PLUGINS + "module_utils._files.folder")
    if swap.get("broken"):
        for name in ("STEP", "_READ", "_NEW"):
            setattr(entries, name, getattr(entries, name) & ~os.O_NOFOLLOW)
        folder._judge = folder._judge_link = lambda *_arguments: None
    act_once(swap)
    with patch_module_args(json.load(sys.stdin)):
        importlib.import_module(PLUGINS + "modules." + sys.argv[1]).main()


if __name__ == "__main__":
    main()
