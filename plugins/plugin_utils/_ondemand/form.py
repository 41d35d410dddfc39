# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of a session: form.yml.erb of Open OnDemand. No I/O. Private to hpc.pytorch.

Every choice sets the limits of the other fields with ``data-max-FIELD``; nothing depends on two fields at once, but for
accounts, qualities of service and features, which a choice may refuse (``data-option-for-node-type-CHOICE: false``):
https://osc.github.io/ood-documentation/latest/how-tos/app-development/interactive/dynamic-form-widgets.html
"""

from __future__ import annotations

import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import counted

from .choices import Choice, Rules
from .value import quoted

# The user's groups, as Slurm sees them; a number without a name is no group that a partition could name.
_GROUPS = """<%-
require "etc"

mine = Process.groups.push(Process.gid).uniq.map do |number|
  Etc.getgrgid(number).name
rescue ArgumentError
  nil
end
-%>
"""

_FIELDS = """\
  num_gpus:
    widget: number_field
    label: GPUs
    value: "1"
    min: 0
    max: %(gpus)d
    step: 1
    required: true
  num_cores:
    widget: number_field
    label: CPUs
    value: "1"
    min: 1
    max: %(cpus)d
    step: 1
    required: true
  memory_gb:
    widget: number_field
    label: Memory in GB
    value: "1"
    min: 1
    max: %(memory_gb)d
    step: 1
    required: true
  bc_num_hours:
    widget: number_field
    label: Hours
    value: "1"
    min: 1
    max: %(hours)d
    step: 1
    required: true
"""


def form(choices: t.Sequence[Choice], cluster: str, jupyter_prefix: str, rules: Rules) -> str:
    """The text of form.yml.erb.

    :arg choices: at least one.
    :arg cluster: the cluster's name in Open OnDemand.
    :arg jupyter_prefix: where JupyterLab is; the scripts of the session read it.
    """
    restricted = any(choice.groups is not None for choice in choices)
    accounts, qos = rules.accounts, rules.qos
    features = [name for name in rules.features if any(name in choice.features for choice in choices)]
    fields = ["node_type", *(["account"] if accounts else []), *(["qos"] if qos else [])]
    fields += ["feature"] if features else []
    fields += ["jupyter_prefix", "num_gpus", "num_cores", "memory_gb", "bc_num_hours"]
    lines = [
        "---",
        "cluster: %s" % quoted(cluster),
        "form:",
        *("  - %s" % field for field in fields),
        "attributes:",
        # Fixed: no field of the form.
        "  jupyter_prefix: %s" % quoted(jupyter_prefix),
        "  node_type:",
        "    widget: select",
        "    label: Where it runs",
        "    options:",
        *(line for choice in choices for line in _option(choice)),
    ]
    if accounts:
        lines += ["  account:", "    widget: select", "    label: Account", "    options:"]
        lines += [_refusable(name, "accounts", choices) for name in accounts]
    if qos:
        lines += ["  qos:", "    widget: select", "    label: Quality of service", "    options:"]
        lines += [_refusable(name, "qos", choices) for name in qos]
    if features:
        lines += ["  feature:", "    widget: select", "    label: Feature of the node", "    options:"]
        lines += ['      - ["any", ""]', *(_refusable(name, "features", choices) for name in features)]
    most = {name: max(getattr(choice, name) for choice in choices) for name in ("gpus", "cpus", "memory_gb", "hours")}
    return (_GROUPS if restricted else "") + "\n".join(lines) + "\n" + _FIELDS % most


def label(choice: Choice) -> str:
    """What a person reads: ``titan: up to 2 GPUs (titan), 16 CPUs, 3 GB, 1 hour``."""
    parts = []
    if choice.gpus:
        kind = " (%s)" % choice.gpu_type if choice.gpu_type else ""
        parts.append("%s%s" % (counted(choice.gpus, "GPU"), kind))
    parts.append(counted(choice.cpus, "CPU"))
    if choice.memory_gb:
        parts.append("%d GB" % choice.memory_gb)
    parts.append(counted(choice.hours, "hour"))
    features = ", with %s" % " ".join(choice.features) if choice.features else ""
    return "%s: up to %s%s" % (choice.partition, ", ".join(parts), features)


def _option(choice: Choice) -> list[str]:
    """The lines of a choice; who is in none of its groups does not get them."""
    limits = [
        "data-max-num-gpus: %d" % choice.gpus,
        "data-hide-num-gpus: %s" % ("false" if choice.gpus else "true"),
        "data-max-num-cores: %d" % choice.cpus,
        # A field that is hidden has a value all the same, and it must be a number.
        "data-max-memory-gb: %d" % max(choice.memory_gb, 1),
        "data-hide-memory-gb: %s" % ("false" if choice.memory_gb else "true"),
        "data-max-bc-num-hours: %d" % choice.hours,
    ]
    lines = [
        "      - [",
        "          %s, %s," % (quoted(label(choice)), quoted(choice.value)),
        *("          %s," % limit for limit in limits),
        "        ]",
    ]
    if choice.groups is None:
        return lines
    groups = ", ".join(quoted(group) for group in choice.groups)
    return ["<%%- if ([%s] & mine).any? -%%>" % groups, *lines, "<%- end -%>"]


def _refusable(name: str, field: str, choices: t.Sequence[Choice]) -> str:
    """An account, quality of service or feature, with the choices that refuse it.

    :arg field: which one, as a choice has it: ``accounts``, ``qos`` or ``features``.
    """
    refusing = [choice.value for choice in choices if name not in getattr(choice, field)]
    return "      - [%s]" % ", ".join(
        [quoted(name), quoted(name), *("data-option-for-node-type-%s: false" % value for value in refusing)]
    )
