# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What conda, mamba and micromamba are called with: command lines, variables, files. No I/O. Private to hpc.pytorch.

Where the options are documented:

- conda: "conda install" and "conda remove" in its command reference, the settings and their ``CONDA_`` variables in its
  user guide, "Using the .condarc conda configuration file".
- mamba 2 and micromamba 2, which share one command line: "Micromamba User Guide" and ``micromamba install --help``; that
  ``custom_channels`` means the same as in conda: ``libmamba/src/core/channel_context.cpp``.
- explicit files: conda's user guide, "Building identical conda environments"; a hash after ``#`` is md5 in every version,
  and may be sha256 from conda 24.9 on (conda/conda#14048) and, as ``sha256:HEX``, in libmamba (``PackageInfo::from_url``).

Everybody on a node can read a command line, so no credentials are on it: a channel that needs some is named there, and its
address stands in a condarc of ours.
"""

from __future__ import annotations

import json
import re
import typing as t

from ...._common.errors import UserError
from ...._common.redact import without_credentials

KINDS = ("conda", "mamba", "micromamba")
# The first of each that has all we use: sha256 in explicit files; one command line for mamba and micromamba.
OLDEST = {"conda": (24, 9), "mamba": (2, 0), "micromamba": (2, 0)}

# The server, with a token and what stands before it; then the path that names the channel there.
_ADDRESS = re.compile(r"(https?://[^/]+(?:/.*?/t/[^/]+|/t/[^/]+)?)/?(.*)\Z")

# What a shell or a site may have exported that would change what is solved, or what an active env would bring in.
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


class Tool(t.NamedTuple):
    """One of KINDS, where it is and which version."""

    kind: str
    executable: str
    version: str


def kind_of_tool(said: str, name: str) -> tuple[str, str] | None:
    """Kind and version by what ``--version`` said: ``conda 26.7.1``; mamba and micromamba print the bare version.

    :arg name: the executable's file name, which tells the latter two apart.
    """
    lines = [line.split() for line in said.splitlines() if line.strip()]
    for words in lines:
        if words[0] in KINDS and len(words) > 1 and words[1][:1].isdigit():
            return words[0], words[1]
    if lines and re.match(r"\d+\.\d+", lines[0][0]):
        return ("micromamba" if name.startswith("micromamba") else "mamba"), lines[0][0]
    return None


def is_too_old(kind: str, version: str) -> bool:
    """Whether that version lacks what is used here."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < OLDEST[kind]


def named_channels(channels: t.Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """The channels as they may stand on a command line, and ``custom_channels`` of a condarc for those with credentials.

    :raises UserError: an address whose secret these tools could only be given on the command line.
    """
    shown: list[str] = []
    custom: dict[str, str] = {}
    for channel in channels:
        clean = without_credentials(channel).rstrip("/")
        if clean == channel.rstrip("/"):
            shown.append(channel)
            continue
        server, name = _ADDRESS.match(channel.rstrip("/")).groups()  # type: ignore[union-attr]
        if not name:
            raise UserError(
                "a channel that is a folder of its server, since its address has credentials",
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


def addresses_with_credentials(channels: t.Iterable[str]) -> dict[str, str]:
    """For each channel with credentials: its address without, and with them."""
    pairs = ((without_credentials(channel).rstrip("/"), channel.rstrip("/")) for channel in channels)
    return {clean: full for clean, full in pairs if clean != full}


def with_credentials(url: str, addresses: t.Mapping[str, str]) -> str:
    """*url* as it has to be asked for, whatever the tool left of the credentials in it."""
    clean = without_credentials(url)
    for address, full in addresses.items():
        if clean.startswith(address + "/"):
            return full + clean[len(address) :]
    return clean


def solve_command(
    tool: Tool, prefix: str, specs: t.Sequence[str], channels: t.Sequence[str], priority: str
) -> list[str]:
    """Say what would be installed into *prefix*. Nothing is written there.

    :raises UserError: a spec that would be an option, or show a secret.
    """
    for spec in specs:
        if spec.startswith("-"):
            raise UserError("a match spec", "%r, which is an option" % spec, "correct packages")
        if without_credentials(spec) != spec:
            raise UserError(
                "packages without credentials, since everybody on the node can read %s's command line" % tool.kind,
                without_credentials(spec),
                "give the channel with its credentials in channels, or use the engine rattler",
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


def install_command(tool: Tool, prefix: str, explicit_file: str, download_only: bool = False) -> list[str]:
    """Bring exactly the packages of an explicit file into *prefix*, or into the package cache alone."""
    command = [tool.executable, "install", "--prefix", prefix, "--file", explicit_file, "--json", "--yes", "--quiet"]
    return command + (["--download-only"] if download_only else [])


def remove_command(tool: Tool, prefix: str, names: t.Sequence[str]) -> list[str]:
    """Take exactly these packages out of *prefix*."""
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
    """The tool's environment: *given* without foreign settings, nothing asked, nothing reported to anybody.

    :arg given: this process's, cleaned of what concerns Python.
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
        # Menu entries belong into nobody's home; conda_env lists the env itself where the play wants that.
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
    """The explicit file of *records*, in their order, each with the best hash that is known."""
    lines = []
    for record in records:
        digest = record.get("sha256")
        if digest:
            digest = digest if kind == "conda" else "sha256:" + digest
        else:
            digest = record.get("md5")
        lines.append(record["url"] + ("#" + digest if digest else ""))
    return "\n".join(["@EXPLICIT"] + lines) + "\n"
