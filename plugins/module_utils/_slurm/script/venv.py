# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A venv, or uv's, for a job. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ..._common.errors import UserError, printable, shown
from .shell import said, shell_path


def require_path(params: t.Mapping[str, t.Any]) -> None:
    """Refuse what is no folder.

    :raises UserError: with what would be right.
    """
    for name in ("venv", "uv_project"):
        path = params.get(name)
        if path is not None and not (path.startswith(("/", "~/")) and printable(path) and ":" not in path):
            raise UserError("%s as an absolute path without a colon" % name, shown(path), "correct the path")


def activate(params: t.Mapping[str, t.Any]) -> str:
    """The lines that activate it, empty where there is none."""
    path, remedy = params.get("venv"), "make it, or correct venv"
    if params.get("uv_project"):
        # uv run would look whether it is up to date, in every process and without a network.
        path, remedy = params["uv_project"].rstrip("/") + "/.venv", "run uv sync in the project on a login node"
    if not path:
        return ""
    hook = shell_path(path.rstrip("/") + "/bin/activate")
    missing = said("expected the venv %s; found no bin/activate there; remedy: %s" % (path, remedy))
    return "\n".join(["set +u", "[ -r %s ] || stop_job %s" % (hook, missing), "source %s" % hook, "set -u"])
