# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one module of this collection in its own process, as Ansible does: ``run_module.py NAME < OPTIONS``.

HPC_TEST_ROOT names root's home directory, as if the user database had it: root's real one is not for tests.
"""

from __future__ import annotations

import importlib
import json
import os
import pathlib
import pwd
import sys

from ansible.module_utils import _internal
from ansible.module_utils.testing import patch_module_args
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]


def move_root(home: str) -> None:
    """Let the user database have this home directory for root."""
    real = pwd.getpwuid

    def looked_up(uid: int) -> pwd.struct_passwd:
        found = real(uid)
        return pwd.struct_passwd((*found[:5], home, *found[6:])) if uid == 0 else found

    pwd.getpwuid = looked_up


if __name__ == "__main__":
    if os.environ.get("HPC_TEST_ROOT"):
        move_root(os.environ.pop("HPC_TEST_ROOT"))
    _AnsibleCollectionFinder(paths=[str(CHECKOUT / ".collections")])._install()
    _internal.is_controller = False
    with patch_module_args(json.load(sys.stdin)):
        importlib.import_module("ansible_collections.hpc.pytorch.plugins.modules." + sys.argv[1]).main()
