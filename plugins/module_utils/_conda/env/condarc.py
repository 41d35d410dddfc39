# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""conda's configuration files: which there are, and what they say of channels. Private to hpc.pytorch."""

from __future__ import annotations

import glob
import hashlib
import os
import typing as t

from ..._common.errors import UserError
from ..._common.redact import filled_in


def condarc_files(engine_prefix: str | None) -> list[str]:
    """Existing condarc files, those that win first: conda's own search path with the engine's prefix as its root.

    Source: "Searching for .condarc" in conda's user guide.
    """
    home = os.path.expanduser("~")
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    folders = [os.path.join(home, ".conda"), os.path.join(config, "conda")]
    folders += [root for root in (os.environ.get("CONDA_ROOT"), engine_prefix) if root]
    folders += ["/var/lib/conda", "/etc/conda"]
    candidates = [os.environ.get("CONDARC", ""), os.path.join(home, ".condarc")]
    for folder in folders:
        candidates += sorted(glob.glob(os.path.join(glob.escape(folder), "condarc.d", "*.y*ml")), reverse=True)
        candidates += [os.path.join(folder, ".condarc"), os.path.join(folder, "condarc")]
    return [path for path in candidates if path and os.path.isfile(path)]


def sha256_of_files(paths: t.Iterable[str]) -> str:
    """Hash of their names and contents: enough to notice that the site changed its mind."""
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as stream:
            digest.update(path.encode() + b"\0" + stream.read() + b"\0")
    return digest.hexdigest()


def read_condarc(paths: t.Iterable[str]) -> dict[str, t.Any]:
    """``channels`` and ``pkgs_dirs`` (merged, those that win first), and ``channel_priority`` where one is set.

    Variables of the environment are filled in, as conda does. Needs PyYAML: the engine's side has it.

    :raises UserError: a file that is no YAML mapping, or a channel with a variable that is not set.
    """
    merged: dict[str, t.Any] = {"channels": [], "pkgs_dirs": []}
    for path in paths:
        # Where there is no condarc, a creation need not wait for it.
        import yaml

        try:
            with open(path, encoding="utf-8") as stream:
                content = yaml.safe_load(stream) or {}
            if not isinstance(content, dict):
                raise ValueError("it is no mapping")
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise UserError("a condarc at %s" % path, str(error), "correct the file") from error
        pkgs_dirs = map(os.path.expandvars, _strings(content.get("pkgs_dirs")))
        for key, values in (
            ("channels", filled_in(_strings(content.get("channels")), os.environ)),
            ("pkgs_dirs", pkgs_dirs),
        ):
            merged[key] += [value for value in values if value not in merged[key]]
        if content.get("channel_priority") is not None and "channel_priority" not in merged:
            merged["channel_priority"] = _priority(content["channel_priority"])
    return merged


def _strings(value: t.Any) -> list[str]:
    values = [value] if isinstance(value, str) else value or []
    return [str(each) for each in values]


def _priority(value: t.Any) -> str:
    # conda still takes the booleans of its older versions.
    return {True: "flexible", False: "disabled"}[value] if isinstance(value, bool) else str(value)
