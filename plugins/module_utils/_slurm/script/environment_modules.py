# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environment modules in a job script. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import itertools
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


# The commands of module that an entry may hold, and how many names follow. Lmod ends reset and a bare restore with 1
# where the site has no default modules (run with 8.6), and purge fails on purpose: these end no job.
_COMMANDS = {
    "load": (1,),
    "unload": (1,),
    "swap": (2,),
    "switch": (2,),
    "restore": (0, 1),
    "reset": (0,),
    "purge": (0,),
}
_AFRESH = ("reset", "restore", "purge")
_NAME = r"[A-Za-z0-9_][\w.+@/-]*"


def entries(given: t.Sequence[str] | None) -> list[str]:
    """Read the option ``modules``: names to load, and commands such as ``swap gcc gcc/12``, in this order.

    :raises UserError: an entry that is neither.
    """
    for entry in given or []:
        command, *names = words(entry)
        if len(names) not in _COMMANDS.get(command, ()) or not all(
            re.fullmatch(_NAME, name, re.ASCII) for name in names
        ):
            raise UserError(
                "modules to be names such as anaconda3 or cuda/10.1, or %s with names" % ", ".join(_COMMANDS),
                shown(entry),
                "correct modules",
            )
    return list(given or [])


def words(entry: str) -> list[str]:
    """The words of an entry after ``module``: ``words("cuda")`` is ``["load", "cuda"]``."""
    found = entry.split(" ")
    return found if found[0] in _COMMANDS else ["load", entry]


def folders(given: t.Sequence[str] | None) -> list[str]:
    """Read the option ``modules_use``, the folders of modulefiles in this order.

    :raises UserError: a path that is not absolute.
    """
    for folder in given or []:
        if not (is_path(folder) and printable(folder) and ":" not in literal(folder)):
            raise UserError("modules_use to be absolute paths without a colon", shown(folder), "correct modules_use")
    return list(given or [])


def load(modules: t.Sequence[str], use: t.Sequence[str] = (), purge: bool = False) -> str:
    """Render the lines that purge, use and load modules or run other commands; they also find the command module."""
    # Module systems read unset variables, and some of their commands fail on purpose.
    lines = [text for text in (required(*use), "set +eu", _MODULE_COMMAND) if text]
    if purge:
        lines.append("module purge")
    # What starts afresh would take the folders away again.
    afresh = list(itertools.takewhile(lambda entry: words(entry)[0] in _AFRESH, modules))
    lines += [_line(entry) for entry in afresh]
    lines += ["module use %s" % shell_path(folder) for folder in use]
    lines += [_line(entry) for entry in modules[len(afresh) :]]
    return "\n".join([*lines, "set -eu"])


def _line(entry: str) -> str:
    command, *names = words(entry)
    line = " ".join(["module", command, *map(shlex.quote, names)])
    return "%s || stop_job %s" % (line, quoted(_failed(command, names))) if names else line


def _failed(command: str, names: t.Sequence[str]) -> str:
    if command == "load":
        return "expected the module %s; found that it does not load; remedy: see module avail on this node" % names[0]
    done = " ".join([command, *names])
    return "expected module %s to succeed; found that it failed; remedy: see module list and module avail here" % done
