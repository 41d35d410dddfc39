# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible loads with the first filter of the collection: it loads every filter, in each process that needs one."""

from __future__ import annotations

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
ROOMS = "ansible_collections.hpc.pytorch.plugins."
LOAD = """
import sys
from ansible.plugins.loader import filter_loader, init_plugin_loader
init_plugin_loader([%r])
for name in %r:
    filter_loader.get("hpc.pytorch." + name)
print(*sorted(name for name in sys.modules if name.startswith(%r)))
"""


def loaded_with(*names: str) -> set[str]:
    code = LOAD % (str(ROOT / ".collections"), names, ROOMS)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name[len(ROOMS) :] for name in done.stdout.split()}


def test_the_first_filter_does_not_load_what_only_another_one_needs():
    loaded = loaded_with("user_names")
    files = {"filter." + path.stem for path in (ROOT / "plugins/filter").glob("*.py")}
    assert files <= loaded, "Ansible no longer loads every filter: then they may import what they need at the top"
    rooms = {".".join(name.split(".")[:2]) for name in loaded if name.count(".") > 1}
    assert rooms.isdisjoint(
        {
            "module_utils._slurm",
            "module_utils._guide",
            "module_utils._user_tools",
            "plugin_utils._torch_build",
            "plugin_utils._ondemand",
        }
    )
