# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of an app of Open OnDemand that depend on the cluster. No I/O. Private to hpc.pytorch.

The others, which start JupyterLab in the job, are in roles/ondemand_app/files.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError

from .choices import Choices, Rules, choices_of
from .form import form, label
from .submit import submit
from .value import quoted

_MANIFEST = """\
---
name: %(title)s
category: Interactive Apps
subcategory: Servers
role: batch_connect
description: %(description)s
"""


class App(t.NamedTuple):
    """What the site says about the app.

    :arg cluster: the cluster's name in Open OnDemand; empty for the name in Slurm.
    :arg jupyter_prefix: where JupyterLab is on the compute nodes.
    """

    title: str
    description: str
    cluster: str
    jupyter_prefix: str


def files(slurm: t.Mapping[str, t.Any], app: App, rules: Rules) -> dict[str, str]:
    """The text of each file, by its path in the app's folder.

    :arg slurm: what module slurm_info returned with access=true.
    :raises UserError: there is nothing to choose, or slurm_info was not asked for it.
    """
    if any("access" not in partition for partition in slurm["partitions"]):
        raise UserError("what slurm_info returns with access=true", "partitions without access", "add access: true")
    found = choices_of(slurm, rules)
    if not found.choices:
        why = "; ".join("%s: %s" % pair for pair in found.left_out.items()) or "Slurm shows no partition"
        raise UserError("a partition that a session can run in", why, "correct Slurm's partitions, or run it later")
    cluster = app.cluster or slurm["cluster"]
    return {
        "manifest.yml": _MANIFEST % {"title": quoted(app.title), "description": quoted(app.description)},
        "form.yml.erb": form(found.choices, cluster, app.jupyter_prefix, rules),
        "submit.yml.erb": submit(found.choices, label, rules),
        "choices.json": _json(found, cluster, rules),
    }


def _json(found: Choices, cluster: str, rules: Rules) -> str:
    """The same choices for another portal."""
    choices = [
        {
            "value": choice.value,
            "label": label(choice),
            "partition": choice.partition,
            "default": choice.default,
            "gpu_type": choice.gpu_type,
            "max_gpus": choice.gpus,
            "max_cpus": choice.cpus,
            "max_memory_gb": choice.memory_gb,
            "max_hours": choice.hours,
            "groups": choice.groups,
            "accounts": choice.accounts,
            "qos": choice.qos,
            **({"features": choice.features} if rules.features else {}),
        }
        for choice in found.choices
    ]
    shown = {"cluster": cluster, "choices": choices, "left_out": dict(found.left_out)}
    return json.dumps(shown, indent=2) + "\n"
