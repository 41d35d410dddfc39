# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The request for an engine: checked, with the places of its venvs. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import os
import re
import typing as t

from ..._common.errors import UserError, shown
from ..._common.redact import without_credentials
from ..._files.paths import require_absolute

# ``name[extra]==1.0 ; marker``, as pip reads it without any address, path or option of its own.
_REQUIREMENT = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]*\s*(\[[A-Za-z0-9._,\s-]*\])?\s*([=<>!~][A-Za-z0-9._*+!,=<>~\s]*)?"
    r"(;[A-Za-z0-9._*+!,=<>~\s'\"()-]*)?\Z"
)
_OPTION = re.compile(r"\s-")
_HASH = re.compile(r"\s--hash=sha256:[0-9a-f]{64}(?=\s|\Z)")


class EngineRequest(t.NamedTuple):
    """An engine that users find at *prefix*, a symlink to ``.NAME/venv.XXXXXXXX`` next to it.

    :arg requirements: the text of its requirements file.
    :arg condarc: what its ``.condarc`` leads to, or None for no such symlink.
    """

    prefix: str
    requirements: str
    condarc: str | None

    @property
    def parent(self) -> str:
        """The folder that holds prefix and store."""
        return os.path.dirname(self.prefix)

    @property
    def store(self) -> str:
        """The folder that holds the venvs of this prefix."""
        return os.path.join(self.parent, "." + os.path.basename(self.prefix))

    @property
    def lines(self) -> list[str]:
        """The requirements without comments, one a line, as pip gets them."""
        return _logical_lines(self.requirements)

    @property
    def names(self) -> list[str]:
        """The requirements without hashes, for messages."""
        return [_name(line) for line in self.lines]


def engine_request(prefix: str, requirements: str, condarc: str | None) -> EngineRequest:
    """The request, checked.

    :raises UserError: an option is not valid.
    """
    require_absolute("prefix", prefix)
    require_absolute("condarc", condarc)
    # normpath keeps two leading slashes.
    path = os.path.normpath("/" + prefix.lstrip("/"))
    if ".." in prefix.split("/") or path == "/":
        raise UserError(
            "prefix to be the path of a folder, without '..'", shown(prefix), "choose a path such as /opt/engine"
        )
    _require_names(requirements)
    return EngineRequest(path, requirements, condarc)


def _require_names(requirements: str) -> None:
    lines = _logical_lines(requirements)
    if not requirements.replace("\n", "").replace("\t", "").isprintable():
        raise UserError("requirements without control characters", shown(requirements), "write them as plain text")
    if not lines:
        raise UserError("requirements with at least one package", "none", "give the text of a requirements file")
    for line in lines:
        if not _REQUIREMENT.match(_name(line)) or _OPTION.search(_name(line)):
            # Other lines name files and servers. Where packages come from is pip's configuration, which root owns.
            raise UserError(
                "requirements to be packages with versions and hashes (name==1.0 --hash=sha256:...)",
                shown(without_credentials(line)),
                "name the package alone; set the place that it comes from in pip's configuration",
            )


def _name(line: str) -> str:
    return _HASH.sub("", line).strip()


def _logical_lines(text: str) -> list[str]:
    """The lines of a requirements file, joined at backslashes, without comments."""
    joined = re.sub(r"\\\n", " ", re.sub(r"(?m)^[ \t]*#.*\n?", "", text))
    lines = (re.sub(r"(^|\s)#.*$", "", line).strip(" \t") for line in joined.split("\n"))
    return [line for line in lines if line]
