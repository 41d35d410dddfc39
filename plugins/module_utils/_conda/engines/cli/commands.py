# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command lines, variables and files for conda, mamba and micromamba. No I/O. Private to hpc.pytorch.

Where the options are documented:

- conda: "conda install" and "conda remove" in its command reference, the settings and their ``CONDA_`` variables in its
  user guide, "Using the .condarc conda configuration file".
- mamba 2 and micromamba 2, which share one command line: "Micromamba User Guide" and ``micromamba install --help``;
  ``custom_channels``, which mean the same as in conda: ``libmamba/src/core/channel_context.cpp``.
- explicit files: conda's user guide, "Building identical conda environments"; a hash after ``#`` is md5 in every
  version, and may be sha256 from conda 24.9 on (conda/conda#14048) and, as ``sha256:HEX``, in libmamba
  (``PackageInfo::from_url``).

Every user of a node can read command lines, so they hold no credentials: a channel that needs them is on the command
line by name, and its address is in a condarc of ours.
"""

from __future__ import annotations

import json
import re
import typing as t

from ...._common.errors import UserError
from ...._common.redact import without_credentials, without_query
from .tool import Tool

# The server with everything up to a token; then the path that names the channel there.
_ADDRESS = re.compile(r"((?i:https?)://[^/]+(?:/.*?/t/[^/]+|/t/[^/]+)?)/?(.*)\Z")

# Exported CONDA_ and MAMBA_ variables that a command keeps; the others would change the solution, or are an active
# env's.
_KEPT = (
    "CONDA_OVERRIDE_",
    "CONDA_SSL_VERIFY",
    "CONDA_PROXY_SERVERS",
    "CONDA_CLIENT_",
    "CONDA_REMOTE_",
    "CONDA_CHANNEL_ALIAS",
    "CONDA_CUSTOM_",
    "CONDA_DEFAULT_CHANNELS",
    "CONDA_PKGS_DIRS",
    "CONDA_ROOT",
    "CONDA_SOLVER",
    "CONDA_OFFLINE",
    "CONDA_FETCH_THREADS",
    "CONDA_ALWAYS_COPY",
    "CONDA_ALLOW_SOFTLINKS",
    "CONDARC",
    "MAMBARC",
    "MAMBA_ROOT_PREFIX",
    "MAMBA_SSL_VERIFY",
)


def named_channels(channels: t.Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """The channels for a command line, and ``custom_channels`` of a condarc for those with credentials.

    ``["https://user:pw@host/lab"]`` is ``(["lab"], {"lab": "https://user:pw@host"})``.

    :raises UserError: an address that these tools take only on the command line.
    """
    shown: list[str] = []
    custom: dict[str, str] = {}
    for channel in map(without_query, channels):
        clean = without_credentials(channel).rstrip("/")
        if clean == channel.rstrip("/"):
            shown.append(channel)
            continue
        server, name = _ADDRESS.match(channel.rstrip("/")).groups()  # type: ignore[union-attr]
        if not name:
            raise UserError(
                "a channel in a folder of its server, since its address has credentials",
                clean,
                "publish it at a path such as %s/NAME, or use engine rattler" % clean,
            )
        if name in custom:
            raise UserError(
                "channels with credentials at different paths",
                "%s on two servers" % name,
                "publish one at another path, or use engine rattler",
            )
        custom[name] = server
        shown.append(name)
    return shown, custom


def condarc(custom: t.Mapping[str, str]) -> str:
    """A condarc (JSON, which YAML takes) that gives names to addresses with credentials."""
    return json.dumps({"custom_channels": dict(custom)})


def solve_command(
    tool: Tool, prefix: str, specs: t.Sequence[str], channels: t.Sequence[str], priority: str
) -> list[str]:
    """The dry run that prints what would be installed into *prefix*.

    :raises UserError: a spec is an option, or would show a secret.
    """
    for spec in specs:
        if spec.startswith("-"):
            raise UserError("a match spec", "%r, which is an option" % spec, "correct packages")
        if without_credentials(spec) != spec:
            raise UserError(
                "packages without credentials, since everybody on the node can read %s's command line" % tool.kind,
                without_credentials(spec),
                "give the channel with its credentials in channels, or use engine rattler",
            )
    command = [
        tool.executable,
        "install",
        "--prefix",
        prefix,
        "--dry-run",
        "--json",
        "--yes",
        "--quiet",
        "--override-channels",
    ]
    for channel in channels:
        command += ["--channel", channel]
    command += {"strict": ["--strict-channel-priority"], "disabled": ["--no-channel-priority"]}.get(priority, [])
    return command + list(specs)


def in_words(command: t.Sequence[str]) -> list[str]:
    """*command* with an answer for people: with ``--json`` libmamba does not name the spec that is in the way."""
    return [argument for argument in command if argument != "--json"]


def install_command(tool: Tool, prefix: str, explicit_file: str, download_only: bool = False) -> list[str]:
    """Install exactly the packages of an explicit file into *prefix*, or only download them."""
    command = [tool.executable, "install", "--prefix", prefix, "--file", explicit_file, "--json", "--yes", "--quiet"]
    return command + (["--download-only"] if download_only else [])


def remove_command(tool: Tool, prefix: str, names: t.Sequence[str]) -> list[str]:
    """Remove exactly these packages from *prefix*."""
    force = "--force-remove" if tool.kind == "conda" else "--force"
    command = [tool.executable, "remove", "--prefix", prefix, force, "--json", "--yes", "--quiet"]
    return command + (["--offline"] if tool.kind == "conda" else []) + list(names)


def variables(
    given: t.Mapping[str, str],
    cuda: str | None,
    package_cache: str | None,
    condarc_path: str | None,
    priority: str,
) -> dict[str, str]:
    """The tool's environment: *given* without foreign settings, without questions and without telemetry.

    :arg given: this process's variables, without those that concern Python.
    """
    kept = {
        key: value for key, value in given.items() if not key.startswith(("CONDA", "MAMBA")) or key.startswith(_KEPT)
    }
    kept.pop("_CE_CONDA", None)
    kept.update(
        LC_ALL="C.UTF-8",
        CONDA_NUMBER_CHANNEL_NOTICES="0",
        CONDA_NOTIFY_OUTDATED_CONDA="false",
        CONDA_REPORT_ERRORS="false",
        CONDA_ANACONDA_ANON_USAGE="false",
        # No menu entries in a home directory; conda_env lists the env itself if the caller wants that.
        CONDA_SHORTCUTS="false",
        CONDA_REGISTER_ENVS="false",
    )
    if priority == "flexible":
        kept.update(CONDA_CHANNEL_PRIORITY="flexible", MAMBA_CHANNEL_PRIORITY="flexible")
    if cuda:
        kept["CONDA_OVERRIDE_CUDA"] = "" if cuda == "none" else cuda
    if package_cache:
        kept["CONDA_PKGS_DIRS"] = package_cache
    if condarc_path:
        kept["CONDARC"] = condarc_path
    return kept


def explicit_text(records: t.Iterable[t.Mapping[str, t.Any]], kind: str) -> str:
    """The explicit file of *records*, in their order, each with its best known hash."""
    lines = []
    for record in records:
        digest = record.get("sha256")
        if digest:
            digest = digest if kind == "conda" else "sha256:" + digest
        else:
            digest = record.get("md5")
        lines.append(record["url"] + ("#" + digest if digest else ""))
    return "\n".join(["@EXPLICIT"] + lines) + "\n"
