# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""conda's own memory of an env, ``conda-meta/history``. Private to hpc.pytorch."""

from __future__ import annotations

import json
import os
import time
import typing as t

from ..._common.lines import lines_of
from ..._common.redact import without_credentials
from ..._files.files import read_regular
from .packages import Package
from .prefix import append_own

# conda's history names these channels so; under another name conda would see every package as changed.
_NAMED_CHANNELS = (
    ("https://conda.anaconda.org/", ""),
    ("https://repo.anaconda.com/pkgs/main/", "defaults/"),
    ("https://repo.anaconda.com/pkgs/r/", "defaults/"),
)

_HISTORY = "conda-meta/history"
_UPDATE = "# update specs: "


def append_history(
    prefix: str, before: t.Collection[Package], after: t.Collection[Package], specs: t.Sequence[str]
) -> None:
    """Add a revision in the form that conda reads (``conda list --revisions``, its own solver's memory).

    Nothing is added if neither packages nor specs have changed, as when only pip acted.
    """
    old, new = {_dist(package) for package in before}, {_dist(package) for package in after}
    changes = ["-%s" % dist for dist in sorted(old - new)] + ["+%s" % dist for dist in sorted(new - old)]
    lines = [time.strftime("==> %Y-%m-%d %H:%M:%S <=="), "# cmd: hpc.pytorch.conda_env", *changes]
    gone = {package.name for package in before} - {package.name for package in after}
    if gone:
        # Otherwise conda would install again what was once requested.
        lines.append("# remove specs: %s" % json.dumps(sorted(gone)))
    if specs:
        lines.append(_UPDATE + json.dumps([without_credentials(spec) for spec in specs]))
    if changes or lines[-1] != _last_specs(prefix):
        append_own(prefix, _HISTORY, ("\n".join(lines) + "\n").encode())


def _last_specs(prefix: str) -> str:
    """The last line with requested specs; empty if there is none."""
    try:
        lines = lines_of(read_regular(os.path.join(prefix, _HISTORY), follow=False).decode("utf-8", "replace"))
    except OSError:
        return ""
    return ([""] + [line for line in lines if line.startswith(_UPDATE)])[-1]


def _dist(package: Package) -> str:
    folder = package.url.rsplit("/", 1)[0] if "/" in package.url else package.channel.rstrip("/")
    for address, name in _NAMED_CHANNELS:
        if folder.startswith(address):
            folder = name + folder[len(address) :]
    return "%s::%s-%s-%s" % (folder, package.name, package.version, package.build)
