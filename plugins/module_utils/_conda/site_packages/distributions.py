# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Python distributions an env's site-packages hold, and which of them conda brought. Private to hpc.pytorch.

A distribution is known by its folder of metadata: ``torch-2.13.0.dist-info``, or ``six-1.16.0-py3.11.egg-info``.
"""

from __future__ import annotations

import os
import re
import typing as t

from ..env.pip_records import normalized
from ..env.prefix import site_packages_folders

_METADATA = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._]*)-(?P<version>[^-/]+)(?:\.dist-info|(?:-py\d[\d.]*)?\.egg-info)\Z"
)
_IN_SITE_PACKAGES = re.compile(r"(lib/python[\w.]+/site-packages/[^/]+\.(?:dist|egg)-info)(?:/|\Z)")


class Metadata(t.NamedTuple):
    """A distribution in site-packages. *name* is normalized; *path* is that of its metadata, relative to the prefix."""

    name: str
    version: str
    path: str


def brought_by(record: t.Mapping[str, t.Any]) -> list[Metadata]:
    """The distributions that a package of conda brought, by its record in ``conda-meta``."""
    files = record.get("files")
    # One search in a text: a large package has 15,000 files.
    text = "\n".join(path for path in files if isinstance(path, str)) if isinstance(files, list) else ""
    paths: dict[str, None] = {}
    at = text.find("-info")
    while at != -1:
        start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        end = len(text) if end == -1 else end
        match = _IN_SITE_PACKAGES.match(text[start:end])
        if match:
            paths[match.group(1)] = None
        at = text.find("-info", end)
    return [found for found in map(_metadata, paths) if found]


def installed(prefix: str) -> list[Metadata]:
    """The distributions that are in the env now, in the order of their paths. Opens no file."""
    paths = []
    for folder in site_packages_folders(prefix):
        top = os.path.relpath(folder, prefix)
        for name in sorted(os.listdir(folder)):
            if name.endswith((".dist-info", ".egg-info")):
                paths.append(os.path.join(top, name))
    return [found for found in map(_metadata, paths) if found]


def _metadata(path: str) -> Metadata | None:
    match = _METADATA.match(os.path.basename(path))
    if match is None:
        return None
    return Metadata(normalized(match.group("name")), match.group("version"), path)
