# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script test.sh of the founding user guide. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import shlex
import typing as t

from ..._common.errors import UserError
from . import environment_modules, variables
from .parameters import Options
from .shell import inside_double_quotes, shell_path

# Options that the guide's script does not have.
_LATER = (
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
    "login_shell",
    "always",
    "once_per_node",
)


def require_plain(options: Options) -> None:
    """Refuse options that the guide's script does not have.

    :raises UserError: one of them is set.
    """
    given = [name for name in _LATER if getattr(options, name) not in (None, False, (), "")]
    if options.kind not in ("single", "array"):
        given.insert(0, "kind: %s" % options.kind)
    if given:
        raise UserError(
            "options that style: guide has",
            ", ".join(given),
            "choose style: current, or leave them out",
        )


def lines(options: Options) -> t.Iterator[str]:
    """Render test.sh of the cluster's user guide, command for command."""
    script = ["echo $CUDA_VISIBLE_DEVICES"]
    script += [" ".join(["module", *map(shlex.quote, environment_modules.words(entry))]) for entry in options.modules]
    if options.conda_prefix:
        script.append('export PATH="%s/bin:$PATH"' % inside_double_quotes(options.conda_prefix.rstrip("/")))
    if options.conda_env:
        script.append("source activate %s" % shell_path(options.conda_env))
    script += [variables.line(name, value) for name, value in options.exports]
    script += [text for text in (options.pre, options.command, options.post) if text]
    yield "\n".join(script)
