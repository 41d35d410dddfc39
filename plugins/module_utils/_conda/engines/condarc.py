# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""conda's configuration files: which exist, and which channels and caches they name. Private to hpc.pytorch."""

from __future__ import annotations

import glob
import hashlib
import os
import sys
import typing as t

from ansible.module_utils.common.respawn import has_respawned, probe_interpreters_for_module

from ..._common.errors import UserError
from ..._common.redact import filled_in
from ..._files.environment import set_own_environment
from ..._files.files import read_regular
from ..._files.trust import untrusted_because
from ..._source.lock import ChannelNames
from .venv import ENGINE_PREFIXES, respawn_in

# Bytes. YAML of megabytes would take minutes to read.
_LARGEST = 1024 * 1024
_SYSTEM_PYTHONS = ("/usr/bin/python3", "/usr/libexec/platform-python")


class Condarc(t.NamedTuple):
    """What condarc files say: the entries that win come first; *channel_priority* is empty if no file sets it."""

    channels: tuple[str, ...]
    pkgs_dirs: tuple[str, ...]
    channel_priority: str


def condarc_files(engine_prefix: str | None) -> list[str]:
    """Existing condarc files, the one that wins first: conda's own search path with the engine's prefix as its root.

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
    """Hash of the files' names and contents, to notice that the site has changed them."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.encode() + b"\0" + read_regular(path, _LARGEST) + b"\0")
    return digest.hexdigest()


def read_condarc(paths: t.Iterable[str]) -> Condarc:
    """Merge the condarc files at *paths*.

    Environment variables in them are filled in, as conda does. Needs PyYAML, which the engine's venv has.

    :raises UserError: a file is not a YAML mapping, or a channel names a variable that is not set.
    """
    channels: dict[str, None] = {}
    pkgs_dirs: dict[str, None] = {}
    priority = ""
    for path in paths:
        content = _content_of(path)
        channels.update(dict.fromkeys(filled_in(_strings(content.get("channels")), os.environ)))
        pkgs_dirs.update(dict.fromkeys(map(os.path.expandvars, _strings(content.get("pkgs_dirs")))))
        if content.get("channel_priority") is not None and not priority:
            priority = _priority(content["channel_priority"])
    return Condarc(tuple(channels), tuple(pkgs_dirs), priority)


def read_names(paths: t.Iterable[str], environment: t.Mapping[str, str]) -> ChannelNames:
    """What the condarc files at *paths* make of the names of channels, for conda, mamba and micromamba.

    Needs PyYAML if there are files.

    :raises UserError: a file is not a YAML mapping.
    """
    alias = environment.get("CONDA_CHANNEL_ALIAS", "")
    addresses: dict[str, list[str]] = {}
    for path in paths:
        content = _content_of(path)
        alias = alias or str(content.get("channel_alias") or "")
        for key in ("custom_channels", "custom_multichannels", "mirrored_channels"):
            found = content.get(key)
            for name, value in found.items() if isinstance(found, dict) else ():
                # A custom channel's address is that of the folder that holds it.
                ending = "/%s" % name if key == "custom_channels" else ""
                addresses.setdefault(str(name), []).extend(text.rstrip("/") + ending for text in _strings(value))
        if content.get("default_channels"):
            addresses.setdefault("defaults", []).extend(_strings(content["default_channels"]))
    return ChannelNames(alias or ChannelNames().alias, addresses)


def respawn_with_yaml() -> None:
    """Run this module again in an interpreter that has PyYAML. Does not return.

    :raises UserError: no trusted interpreter has it.
    """
    candidates = [os.path.join(os.path.expanduser(prefix), "bin", "python") for prefix in ENGINE_PREFIXES]
    candidates += _SYSTEM_PYTHONS
    trusted = [
        path for path in candidates if os.path.exists(path) and not (os.geteuid() == 0 and untrusted_because(path))
    ]
    # ansible-core imports PyYAML in each of them.
    os.chdir("/")
    set_own_environment()
    python = None if has_respawned() else probe_interpreters_for_module(trusted, "yaml")
    if python is None:
        raise UserError(
            "channels, or a Python with PyYAML that can read them in the condarc",
            "no PyYAML for %s" % ", ".join([sys.executable, *trusted]),
            "set channels, or install PyYAML for one of these",
        )
    respawn_in(python)


def _content_of(path: str) -> dict[str, t.Any]:
    # Imported here: without a condarc a creation does not wait for it.
    import yaml

    try:
        content = yaml.safe_load(read_regular(path, _LARGEST)) or {}
        if not isinstance(content, dict):
            raise ValueError("not a mapping")
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UserError("a condarc at %s" % path, str(error), "correct the file") from error
    return content


def _strings(value: t.Any) -> list[str]:
    values = [value] if isinstance(value, str) else value or []
    return [str(each) for each in values]


def _priority(value: t.Any) -> str:
    # conda still accepts the booleans of its older versions.
    return {True: "flexible", False: "disabled"}[value] if isinstance(value, bool) else str(value)
