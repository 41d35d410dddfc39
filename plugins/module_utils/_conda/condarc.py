# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""conda's configuration files: which there are, and what they say of channels. Private to hpc.pytorch."""

from __future__ import annotations

import hashlib
import os
import typing as t

from .._host.errors import UserError


def condarc_files(engine_prefix: t.Optional[str]) -> t.List[str]:
    """Existing condarc files, those that win first: conda's own search path with the engine's prefix as its root.

    Source: "Searching for .condarc" in conda's user guide.
    """
    home = os.path.expanduser("~")
    candidates = [os.environ.get("CONDARC", "")]
    candidates += [os.path.join(home, name) for name in (".condarc", ".conda/.condarc", ".config/conda/.condarc")]
    for root in (os.environ.get("CONDA_ROOT", ""), engine_prefix or ""):
        if root:
            candidates += [os.path.join(root, ".condarc")]
    candidates += ["/var/lib/conda/.condarc", "/etc/conda/.condarc"]
    return [path for path in candidates if path and os.path.isfile(path)]


def sha256_of_files(paths: t.Iterable[str]) -> str:
    """Hash of their names and contents: enough to notice that the site changed its mind."""
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as stream:
            digest.update(path.encode() + b"\0" + stream.read() + b"\0")
    return digest.hexdigest()


def read_condarc(paths: t.Iterable[str]) -> t.Dict[str, t.Any]:
    """``channels`` (merged, those that win first) and the first ``channel_priority``, ``pkgs_dirs``.

    Needs PyYAML: the engine's side has it.

    :raises UserError: a file that is no YAML mapping.
    """
    import yaml

    merged: t.Dict[str, t.Any] = {"channels": []}
    for path in paths:
        try:
            with open(path, encoding="utf-8") as stream:
                content = yaml.safe_load(stream) or {}
            if not isinstance(content, dict):
                raise ValueError("it is no mapping")
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise UserError("a condarc at %s" % path, str(error), "correct the file") from error
        for channel in content.get("channels") or []:
            if str(channel) not in merged["channels"]:
                merged["channels"].append(str(channel))
        for key in ("channel_priority", "pkgs_dirs"):
            if content.get(key) and key not in merged:
                merged[key] = content[key]
    return merged
