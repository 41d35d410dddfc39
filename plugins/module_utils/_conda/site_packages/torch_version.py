# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads which torch an env holds, without importing it, and compares it with the chosen one. Private to hpc.pytorch."""

from __future__ import annotations

import ast
import os
import re
import typing as t

from ..._common.errors import UserError
from ..._common.lines import lines_of
from ..._common.versions import key
from ..env.prefix import site_packages_folders
from ..env.records import read_in_env
from .distributions import installed

_SETTING = re.compile(r"(?P<name>__version__|cuda|hip)\s*(?::[^=]*)?=\s*(?P<value>None|'[^']*'|\"[^\"]*\")\s*\Z")
_NUMBERS = re.compile(r"\d{1,9}(?:\.\d{1,9}){0,5}", re.ASCII)


class Torch(t.NamedTuple):
    """The torch of an env: ``Torch("2.14.1+cu126", "12.6")``.

    :arg version: with its local part.
    :arg cuda: what it was built for; None for a build without CUDA; empty if that is not known.
    """

    version: str
    cuda: str | None

    def label(self) -> str:
        """``torch 2.14.1 for CUDA 12.6``, for messages."""
        built = {None: ", a build without CUDA", "": ""}.get(self.cuda, " for CUDA %s" % self.cuda)
        return "torch %s%s" % (self.version, built)


def installed_torch(prefix: str) -> Torch | None:
    """The torch that the env's Python imports, by ``torch/version.py``, else by its metadata; None if it has none.

    torch writes the file when it is built (tools/generate_torch_version.py in its source).
    """
    for folder in site_packages_folders(prefix):
        try:
            text = read_in_env(prefix, os.path.join(folder, "torch", "version.py")).decode("utf-8", "replace")
        except OSError:
            continue
        found = _settings(text)
        if found.get("__version__"):
            return Torch(str(found["__version__"]), found.get("cuda", ""))
    for each in installed(prefix):
        if each.name == "torch":
            return Torch(each.version, _cuda_of_tag(each.version))
    return None


def _settings(text: str) -> dict[str, str | None]:
    matches = (_SETTING.match(line) for line in lines_of(text)[:200])
    return {match.group("name"): ast.literal_eval(match.group("value")) for match in matches if match}


def _cuda_of_tag(version: str) -> str | None:
    """``2.14.1+cu126`` is for 12.6, ``2.14.1+cpu`` for none; without such a tag it is unknown: empty."""
    tag = version.partition("+")[2].lower()
    match = re.match(r"cu(\d{1,3})(\d)\Z", tag)
    if match:
        return "%s.%s" % match.groups()
    return None if tag.startswith(("cpu", "rocm", "xpu")) else ""


def contradicts(found: Torch, version: str, cuda: str) -> bool:
    """Whether the torch is certainly another than the chosen one. A developer's version of a release counts as that.

    :arg version: the release, or the first numbers of it; empty for any.
    :arg cuda: the CUDA, or the first number of it; empty for any, also for none.
    """
    if version and not _is_of(found.version, version):
        return True
    if not cuda or found.cuda == "":
        return False
    return found.cuda is None or not _is_of(found.cuda, cuda)


def _is_of(found: str, series: str) -> bool:
    """Whether *found* belongs to *series*: 2.6.0a0+git123 belongs to 2.6.0 and to 2.6. True if one is no version."""
    has, wanted = (_NUMBERS.match(text) for text in (found, series))
    if not has or not wanted:
        return True
    length = len(wanted.group().split("."))
    parts = (has.group().split(".") + ["0"] * length)[:length]
    return key(".".join(parts)) == key(wanted.group())


def require_torch(prefix: str, version: str, cuda: str) -> None:
    """Refuse an env whose torch is another than the chosen one. An env without torch passes.

    :raises UserError: with both.
    """
    found = installed_torch(prefix)
    if found is not None and contradicts(found, version, cuda):
        raise UserError(
            "%s in %s" % (Torch(version or "of any version", cuda).label(), prefix),
            found.label(),
            "remove what brings it: a requirement or an index (--extra-index-url, --find-links) in pip, in pip.conf or "
            "in PIP_* variables, or a channel; then run again",
        )
