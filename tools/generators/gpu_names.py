# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of GPU names for code on the target, from the compatibility data, which only the controller can read."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build import load

TABLE = "plugins/module_utils/_gpu/name_table.py"
HEAD = '''\
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of GPUs. Generated from plugin_utils/_torch_build/data/gpus.yml: change that file, and run
``make generate``. Private to hpc.pytorch.
"""

from __future__ import annotations

'''


def outputs(current: t.Callable[[str], str], block: t.Callable[[str, str, str], str]) -> dict[str, str]:
    """The table as a Python module."""
    data = load.read(load.FOLDER / "gpus.yml")
    models = {plain(name): row["capability"] for row in data["gpus"] for name in row["names"]}
    aliases = {plain(other): plain(name) for name, others in data["aliases"].items() for other in others}
    several = {plain(row["name"]): tuple(map(plain, row["could_be"])) for row in data["ambiguous"]}
    sizes = {plain(name): min(memory) for name, memory in data["divisible"].items()}
    parts = [
        ("By model: its compute capability.", "MODELS: dict[str, str]", models),
        ("By another name of it: the model.", "ALIASES: dict[str, str]", aliases),
        ("By a name that several models have: these.", "AMBIGUOUS: dict[str, tuple[str, ...]]", several),
        (
            "By a model that MIG divides: the GB of memory of its smallest board.",
            "DIVISIBLE: dict[str, int]",
            sizes,
        ),
        (
            "By architecture: its compute capabilities.",
            "GENERATIONS: dict[str, tuple[str, ...]]",
            {name: tuple(values) for name, values in data["generations"].items()},
        ),
    ]
    lines = []
    for comment, name, table in parts:
        lines += ["# " + comment, "%s = {" % name]
        lines += ["    %s: %s," % (json.dumps(key), _written(value)) for key, value in table.items()]
        lines += ["}"]
    lines.append("# Words that a name has besides the model, as regular expressions.")
    for kind in ("brand", "board"):
        lines.append("%s: tuple[str, ...] = (" % kind.upper())
        lines += ["    r%s," % json.dumps(word).replace("\\\\", "\\") for word in data["words"][kind]]
        lines.append(")")
    return {TABLE: HEAD + "\n".join(lines) + "\n"}


def plain(name: str) -> str:
    """A name as the table has it: ``rtx-2080-ti`` is ``rtx2080ti``."""
    return name.replace("-", "")


def _written(value: t.Any) -> str:
    if isinstance(value, tuple):
        return "(%s%s)" % (", ".join(map(json.dumps, value)), "," if len(value) == 1 else "")
    return json.dumps(value)
