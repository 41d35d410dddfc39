# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The founding guide's test.sh. Private to hpc.pytorch."""

from __future__ import annotations

import shlex
import typing as t

from . import exports as variables
from .shell import inside_double_quotes, shell_path


def lines(
    params: t.Mapping[str, t.Any],
    modules: t.Sequence[str],
    exports: t.Sequence[t.Tuple[str, str]],
    blocks: t.Mapping[str, str],
) -> t.Iterator[str]:
    """The founding guide's test.sh, command for command."""
    lines = ["echo $CUDA_VISIBLE_DEVICES"]
    lines += ["module load %s" % shlex.quote(name) for name in modules]
    prefix = params.get("conda_prefix")
    if prefix:
        lines.append('export PATH="%s/bin:$PATH"' % inside_double_quotes(prefix.rstrip("/")))
    if params.get("conda_env"):
        lines.append("source activate %s" % shell_path(params["conda_env"]))
    lines += [variables.line(name, value) for name, value in exports]
    lines += [blocks[name] for name in ("pre", "command", "post") if blocks[name]]
    yield "\n".join(lines)
