# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts that are made of _torch/fleet/resources.py: variables of role torch_check, documentation of modules."""

from __future__ import annotations

import re
import typing as t

ROLE = "roles/torch_check/"
FRAGMENT = "plugins/doc_fragments/slurm_resources.py"
PREFIX = "torch_check_slurm_"


def outputs(current: t.Callable[[str], str], block: t.Callable[[str, str, str], str]) -> dict[str, str]:
    """The files of the role and the fragment of documentation, with the block ``resources`` of each made anew."""
    from ansible_collections.hpc.pytorch.plugins.module_utils._torch.fleet.resources import RESOURCES

    task = "".join(
        '{indent}{name}: "{{{{ {prefix}{name} | default(omit, true) }}}}"\n'.format(
            indent="%(indent)s", name=resource.name, prefix=PREFIX
        )
        for resource in RESOURCES
    )
    bodies = {
        FRAGMENT: "".join(_option("  ", resource.name, resource) for resource in RESOURCES),
        ROLE + "defaults/main.yml": "".join("%s%s: null\n" % (PREFIX, resource.name) for resource in RESOURCES),
        ROLE + "meta/argument_specs.yml": "".join(
            _option(" " * 6, PREFIX + resource.name, resource) for resource in RESOURCES
        ),
        ROLE + "tasks/slurm.yml": task % {"indent": " " * 4},
        ROLE + "tasks/srun.yml": task % {"indent": " " * 8},
        ROLE + "README.md": "| variable | default | |\n|---|---|---|\n"
        + "".join(
            "| `%s%s` | unset | %s |\n" % (PREFIX, resource.name, _markdown(resource.description))
            for resource in RESOURCES
        ),
    }
    return {path: block(current(path), "resources", body) for path, body in bodies.items()}


def _option(indent: str, name: str, resource: t.Any) -> str:
    """An option with its description and type, as YAML."""
    lines = ["%s:" % name, "  description: >-", "    " + resource.description, "  type: " + resource.type]
    return "".join("%s%s\n" % (indent, line) for line in lines)


def _markdown(description: str) -> str:
    """Ansible's markup as Markdown, the first letter small: ``the memory, `--mem` ``."""
    text = re.sub(r"[A-Z]\((.*?)\)", r"`\1`", description).rstrip(".")
    return text[0].lower() + text[1:]
