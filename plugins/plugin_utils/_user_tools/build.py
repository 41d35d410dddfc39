# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the tools for users, each one file that runs without Ansible. Reads only our own code. Private to hpc.pytorch.

A new tool is a module with ``main`` and ``MANUAL`` in module_utils/_user_tools, and a row in TOOLS.
"""

from __future__ import annotations

import shlex
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.bundle import make_bundle
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError, shown
from ansible_collections.hpc.pytorch.plugins.module_utils._user_tools import torch_verdict
from ansible_collections.hpc.pytorch.plugins.module_utils._user_tools.lint import guide_lint, sbatch_lint
from ansible_collections.hpc.pytorch.plugins.module_utils._user_tools.manual import Manual, man_page
from ansible_collections.hpc.pytorch.plugins.module_utils._user_tools.program import UNUSABLE

from .._version import collection_version

# A tool's name, and where it is in module_utils.
TOOLS: dict[str, tuple[str, Manual]] = {
    manual.name: (module, manual)
    for module, manual in (
        ("_user_tools.lint.sbatch_lint", sbatch_lint.MANUAL),
        ("_user_tools.torch_verdict", torch_verdict.MANUAL),
        ("_user_tools.lint.guide_lint", guide_lint.MANUAL),
    )
}

# Root's own first: an environment that the user has activated may have an old Python, or a slow one on a network. The
# patterns find newer ones where python3 is the 3.6 of EL8.
_PYTHONS = "/usr/bin/python3 python3 /usr/bin/python3.[89] /usr/bin/python3.1[0-9] /usr/local/bin/python3.[0-9]*"
# The zip comes after the last line, which a shell never reaches.
_START = """#!/bin/sh
# %(name)s: a Python program in a zip archive, which begins after these lines. Read about it: %(name)s --help
for python in %(pythons)s; do
    if "$python" -ISc 'import sys; sys.exit(sys.version_info < (3, 8))' </dev/null >/dev/null 2>&1; then
        exec "$python" -I "$0" "$@"
    fi
done
echo "%(name)s: expected Python 3.8 or newer; found none; remedy: load a module that has it, such as python" >&2
exit %(status)d
"""


def program(name: str, python: str = "") -> bytes:
    """The tool as an executable file: a few lines of shell, and a zip.

    :arg python: the Python that runs it, an absolute path; empty searches for one at each start.
    """
    start = _START % {"name": name, "pythons": shlex.quote(python) if python else _PYTHONS, "status": UNUSABLE}
    return start.encode() + make_bundle(
        TOOLS[name][0], name, UNUSABLE, compressed=False, arguments=[collection_version()]
    )


def page(name: str) -> str:
    """The tool's man page."""
    return man_page(TOOLS[name][1])


def files(names: t.Iterable[str], python: str = "") -> list[tuple[str, bytes, int]]:
    """Path below the prefix, content and mode of each file of the tools.

    :raises UserError: there is no such tool.
    """
    found = []
    for name in names:
        if name not in TOOLS:
            raise UserError("names of tools", shown(name), "choose from %s" % ", ".join(TOOLS))
        found.append(("bin/" + name, program(name, python), 0o755))
        found.append(("share/man/man1/%s.1" % name, page(name).encode(), 0o644))
    return found
