# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of drivers and of cuDNN for code on the target, from the compatibility data, which only the controller can
read.
"""

from __future__ import annotations

import typing as t

from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build import load
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.model import Tables

FOLDER = "plugins/module_utils/_gpu"
HEAD = '''\
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""%s. Generated from plugin_utils/_torch_build/data/%s.yml: change that file, and run
``make generate``. Private to hpc.pytorch.
"""

from __future__ import annotations

'''


def outputs(current: t.Callable[[str], str], block: t.Callable[[str, str, str], str]) -> dict[str, str]:
    """The tables as Python modules."""
    tables = load.shipped()
    return {FOLDER + "/driver_table.py": drivers(tables), FOLDER + "/cudnn_table.py": cudnn(tables)}


def drivers(tables: Tables) -> str:
    """The text of driver_table.py."""
    lines = [
        "# By major version of CUDA: the oldest driver for all of its toolkits, and the toolkits that need another one."
    ]
    lines += ["FAMILIES: dict[int, tuple[str, dict[str, str]]] = {"]
    for major, family in sorted(tables.driver_families.items()):
        exceptions = ", ".join('"%s": "%s"' % item for item in sorted(family.exceptions.items()))
        lines.append('    %d: ("%s", {%s}),' % (major, family.least, exceptions))
    lines += ["}", "# By CUDA: the first driver that came with that toolkit, where its major version is not above."]
    lines += ["TOOLKITS: dict[str, str] = {"]
    for cuda, driver in sorted(
        tables.first_drivers.items(), key=lambda item: [int(part) for part in item[0].split(".")]
    ):
        if int(cuda.split(".", maxsplit=1)[0]) not in tables.driver_families:
            lines.append('    "%s": "%s",' % (cuda, driver))
    return HEAD % ("The oldest driver for each CUDA", "drivers") + "\n".join(lines) + "\n}\n"


def cudnn(tables: Tables) -> str:
    """The text of cudnn_table.py."""
    lines = ["# By compute capability: the first cuDNN that has no kernels for it."]
    lines += ["FIRST_WITHOUT: dict[str, str] = {"]
    lines += ['    "%s": "%s",' % item for item in sorted(tables.first_cudnn_without.items())]
    return HEAD % ("GPUs without kernels in cuDNN", "cudnn") + "\n".join(lines) + "\n}\n"
