# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of role torch_check that are made of the list in _torch/fleet/resources.py."""

from __future__ import annotations

import re
import typing as t

ROLE = "roles/torch_check/"
PREFIX = "torch_check_slurm_"


def outputs(current: t.Callable[[str], str], block: t.Callable[[str, str, str], str]) -> dict[str, str]:
    """The files of the role, with the block ``resources`` of each made anew."""
    from ansible_collections.hpc.pytorch.plugins.module_utils._torch.fleet.resources import RESOURCES

    task = "".join(
        '{indent}{name}: "{{{{ {prefix}{name} | default(omit, true) }}}}"\n'.format(
            indent="%(indent)s", name=resource.name, prefix=PREFIX
        )
        for resource in RESOURCES
    )
    bodies = {
        "defaults/main.yml": "".join("%s%s: null\n" % (PREFIX, resource.name) for resource in RESOURCES),
        "meta/argument_specs.yml": "".join(
            "      %s%s:\n        description: >-\n          %s\n        type: %s\n"
            % (PREFIX, resource.name, resource.description, resource.type)
            for resource in RESOURCES
        ),
        "tasks/slurm.yml": task % {"indent": " " * 4},
        "tasks/srun.yml": task % {"indent": " " * 8},
        "README.md": "| variable | default | |\n|---|---|---|\n"
        + "".join(
            "| `%s%s` | unset | %s |\n" % (PREFIX, resource.name, _markdown(resource.description))
            for resource in RESOURCES
        ),
    }
    return {ROLE + path: block(current(ROLE + path), "resources", body) for path, body in bodies.items()}


def _markdown(description: str) -> str:
    """Ansible's markup as Markdown, the first letter small: ``the memory, `--mem` ``."""
    text = re.sub(r"[A-Z]\((.*?)\)", r"`\1`", description).rstrip(".")
    return text[0].lower() + text[1:]
