# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The founding guide's test.sh. Private to hpc.pytorch."""

from __future__ import annotations

import shlex
import typing as t

from ..._common.errors import UserError
from . import exports as variables, modules as environment_modules
from .kinds import Plan
from .shell import inside_double_quotes, shell_path

# What the guide's script has no place for.
_TODAY = (
    "launcher",
    "launcher_options",
    "srun",
    "srun_options",
    "nproc_per_node",
    "rendezvous",
    "rendezvous_port",
    "venv",
    "uv_project",
    "container",
    "checkpoint_seconds",
    "modules_use",
    "modules_purge",
)


def require_plain(params: t.Mapping[str, t.Any]) -> None:
    """Refuse what the guide does not do.

    :raises UserError: an option of today.
    """
    given = [name for name in _TODAY if params.get(name) not in (None, False, [], {})]
    if params.get("kind") not in (None, "single", "array"):
        given.insert(0, "kind: %s" % params["kind"])
    if given:
        raise UserError("what the guide's script does with style: guide", ", ".join(given), "choose style: current")


def lines(params: t.Mapping[str, t.Any], _plan: Plan, blocks: t.Mapping[str, str]) -> t.Iterator[str]:
    """The founding guide's test.sh, command for command."""
    script = ["echo $CUDA_VISIBLE_DEVICES"]
    script += ["module load %s" % shlex.quote(name) for name in environment_modules.read(params.get("modules"))]
    prefix = params.get("conda_prefix")
    if prefix:
        script.append('export PATH="%s/bin:$PATH"' % inside_double_quotes(prefix.rstrip("/")))
    if params.get("conda_env"):
        script.append("source activate %s" % shell_path(params["conda_env"]))
    script += [variables.line(name, value) for name, value in variables.read(params.get("exports"))]
    script += [blocks[name] for name in ("pre", "command", "post") if blocks[name]]
    yield "\n".join(script)
