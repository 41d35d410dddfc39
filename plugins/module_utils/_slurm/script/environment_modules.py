# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environment modules in a job script. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import shlex
import typing as t

from ..._common.errors import UserError, printable, shown
from .shell import is_path, literal, quoted, required, shell_path

# A batch shell is not a login shell, so it has not read profile.d.
_MODULE_COMMAND = """\
if ! type module >/dev/null 2>&1; then
    for init in "${LMOD_PKG:-}/init/bash" "${MODULESHOME:-}/init/bash" \\
        /etc/profile.d/lmod.sh /etc/profile.d/z00_lmod.sh /etc/profile.d/modules.sh \\
        /usr/share/lmod/lmod/init/bash /usr/share/modules/init/bash; do
        if [ -r "$init" ]; then
            source "$init" || true
            break
        fi
    done
fi
type module >/dev/null 2>&1 || stop_job 'expected the command module; found none on this node; \
remedy: install Lmod or Environment Modules here, or leave modules out'"""


def names(given: t.Sequence[str] | None) -> list[str]:
    """Read the option ``modules``, the modules to load in this order.

    :raises UserError: a name that is not a module's name.
    """
    for name in given or []:
        if not re.fullmatch(r"[A-Za-z0-9_][\w.+@/-]*", name, re.ASCII):
            raise UserError("modules to be names such as anaconda3 or cuda/10.1", shown(name), "correct modules")
    return list(given or [])


def folders(given: t.Sequence[str] | None) -> list[str]:
    """Read the option ``modules_use``, the folders of modulefiles in this order.

    :raises UserError: a path that is not absolute.
    """
    for folder in given or []:
        if not (is_path(folder) and printable(folder) and ":" not in literal(folder)):
            raise UserError("modules_use to be absolute paths without a colon", shown(folder), "correct modules_use")
    return list(given or [])


def load(modules: t.Sequence[str], use: t.Sequence[str] = (), purge: bool = False) -> str:
    """Render the lines that purge, use and load modules; they also find the command module."""
    # Module systems read unset variables, and some of their commands fail on purpose.
    lines = [text for text in (required(*use), "set +eu", _MODULE_COMMAND) if text]
    if purge:
        lines.append("module purge")
    lines += ["module use %s" % shell_path(folder) for folder in use]
    lines += ["module load {0} || stop_job {1}".format(shlex.quote(name), quoted(_no_module(name))) for name in modules]
    return "\n".join([*lines, "set -eu"])


def _no_module(name: str) -> str:
    return "expected the module %s; found that it does not load; remedy: see module avail on this node" % name
