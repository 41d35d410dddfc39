# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the engines of _conda/engines/registry.py into the documentation of conda_env and the specs of torch_env."""

from __future__ import annotations

import typing as t

MODULE = "plugins/modules/conda_env.py"
SPECS = "roles/torch_env/meta/argument_specs.yml"


def outputs(current: t.Callable[[str], str], block: t.Callable[[str, str, str], str]) -> dict[str, str]:
    """The new text of each file that lists the engines.

    :raises ValueError: a file no longer holds its marks.
    """
    from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines import registry
    from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.cli.tool import OLDEST

    choices = "choices: [%s]\n" % ", ".join(registry.CHOICES)
    oldest = ", ".join("V(%s) %d.%d" % (name, *version) for name, version in OLDEST.items())
    default = "      - What solves and installs. V(%s) is V(%s).\n" % (registry.AUTO, registry.DEFAULT)
    versions = "      - The oldest versions that can be used are %s.\n" % oldest
    module = block(current(MODULE), "engine choices", "    " + choices)
    module = block(module, "engines", default + versions)
    others = ["V(%s)" % name for name in registry.ENGINES if name != registry.DEFAULT]
    spec = (
        "        description: >-\n"
        "          Program that solves and installs. V(%s) is V(%s).\n"
        "          %s must already be installed.\n" % (registry.AUTO, registry.DEFAULT, _all_of(others))
    )
    return {
        MODULE: module,
        SPECS: block(block(current(SPECS), "engines", spec), "engine choices", "        " + choices),
    }


def _all_of(names: list[str]) -> str:
    """``a, b and c``."""
    return ", ".join(names[:-1]) + " and " + names[-1]
