# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The request for an env: checked, in a canonical form, with a hash. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import os
import re
import typing as t

from ..._common.errors import UserError, one_line, shown
from ..._common.redact import require_clear, shown_channels, without_credentials
from ..._common.versions import is_version
from ..._files.files import sha256_of_json

# conda refuses "/", " ", ":" and "#" in names; the other characters would break shebangs, shells or job scripts.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*\Z")
_PREFIX = re.compile(r"/[A-Za-z0-9_.+@=,~/-]*\Z")
_RESERVED_NAMES = ("base", "root")
# A path that pip reads relative to the requirements file, which is a temporary file of ours.
_RELATIVE_FILE = re.compile(r"(-[rcef]|--(?:requirement|constraint|editable|find-links))[ =]*([^/\s=$].*)")
# Where a requirement's own options, or a comment, begin.
_AFTER_REQUIREMENT = re.compile(r"\s+(?:-|#)")

# Raised when the meaning of our record changes: then the engine checks every env once.
SCHEMA = 1


class WheelRules(t.NamedTuple):
    """What pip must not bring, and an index with CPU builds that it uses if that answers.

    :arg refuse: patterns of projects, such as ``nvidia-*``.
    :arg max_megabytes: the size of the largest wheel; 0 for no limit.
    :arg cpu_index: an address; empty for none.
    """

    refuse: tuple[str, ...] = ()
    max_megabytes: int = 0
    cpu_index: str = ""


class EnvRequest(t.NamedTuple):
    """What the caller requests. Paths are absolute, *packages* sorted and unique, *pip* as :func:`checked_pip_lines`.

    *channels* and *channel_priority* are empty if a condarc decides; then *condarc_sha256* stands for its content.
    """

    prefix: str
    packages: tuple[str, ...]
    channels: tuple[str, ...]
    channel_priority: str
    pip: tuple[str, ...]
    cuda: str | None
    prune: bool
    compiled: bool
    lock_sha256: str | None
    condarc_sha256: str | None
    # Version and CUDA that the torch must have in the end. It decides nothing, so it is not part of the hash.
    expect_torch: tuple[str, str] | None = None
    # Neither do these: they say only what is an error.
    wheels: WheelRules = WheelRules()

    def sha256(self) -> str:
        """Hash of everything that decides what the env holds: without its prefix and credentials."""
        decisive = self._replace(
            prefix="",
            channels=tuple(shown_channels(self.channels)),
            packages=tuple(map(without_credentials, self.packages)),
            pip=tuple(without_credentials(line) for line in self.pip),
        )
        values = decisive._asdict()
        del values["expect_torch"], values["wheels"]
        return sha256_of_json([SCHEMA, values])


def checked_prefix(prefix: str | None, name: str | None, envs_dir: str | None, home: str) -> str:
    """The absolute path of *prefix*, or of *name* below *envs_dir*.

    :arg home: the user's home directory; without *envs_dir* names are below its ``.conda/envs``.
    :raises UserError: a path or name that does not work in shells, shebangs or conda.
    """
    if name is not None:
        if not _NAME.match(name) or ".." in name:
            raise UserError(
                "an env name of the letters A-Z a-z, digits and . _ + - (no folder, no blank)",
                "name %r" % one_line(name),
                "choose such a name",
            )
        if name in _RESERVED_NAMES:
            raise UserError(
                "an env name other than %s" % " and ".join(_RESERVED_NAMES),
                "name %r, which conda reserves for its base" % name,
                "choose another name, or give the base's path as prefix",
            )
        prefix = os.path.join(envs_dir or os.path.join(home, ".conda", "envs"), name)
    if not prefix:
        raise UserError("prefix or name", "neither", "give one of them")
    if ".." in prefix.split("/"):
        raise UserError("a prefix without '..'", "prefix %r" % one_line(prefix), "write the path out")
    if not _PREFIX.match(prefix):
        raise UserError(
            "an absolute prefix of letters A-Z a-z, digits and . _ + @ = , ~ - / (others break shebangs and PATH)",
            "prefix %r" % one_line(prefix),
            "choose such a path",
        )
    # normpath keeps two leading slashes.
    return os.path.normpath("/" + prefix.lstrip("/"))


def checked_specs(values: t.Iterable[str], what: str) -> tuple[str, ...]:
    """*values*, sorted and unique, one line each. The engine checks their syntax."""
    specs = set()
    for value in values:
        spec = value.strip()
        if not spec or not spec.isprintable():
            raise UserError("one %s a list item" % what, "%r" % one_line(value), "remove it or write it on one line")
        require_clear([spec], "packages")
        specs.add(spec)
    return tuple(sorted(specs))


def checked_pip_lines(values: t.Iterable[str]) -> tuple[str, ...]:
    """Lines of a requirements file: options in the given order, which counts, then requirements, sorted and unique.

    Lines that a backslash continues are joined. pip checks the syntax.
    """
    options: list[str] = []
    requirements = set()
    for value in values:
        line = re.sub(r"\\\r?\n\s*", " ", value).strip()
        # pip would join a line that ends with a backslash with the next one.
        if not line or not line.isprintable() or line.startswith("#") or line.endswith("\\"):
            raise UserError(
                "one line of a pip requirements file a list item", "%r" % one_line(value), "correct or remove it"
            )
        require_clear([line], "pip")
        relative = _RELATIVE_FILE.match(line)
        if relative and "://" not in relative.group(2):
            raise UserError(
                "an absolute path or a URL after %s" % relative.group(1), "%r" % one_line(value), "write the path out"
            )
        if line.startswith("-") and not line.startswith(("-e", "--editable")):
            options.append(line)
        else:
            requirements.add(line)
    return tuple(options) + tuple(sorted(requirements))


def pip_requirements(lines: t.Iterable[str]) -> tuple[str, ...]:
    """The requirements in *lines* without options, hashes and credentials, to be shown."""
    return tuple(
        without_credentials(_AFTER_REQUIREMENT.split(line, maxsplit=1)[0]) for line in lines if not line.startswith("-")
    )


def checked_channels(values: t.Iterable[str]) -> tuple[str, ...]:
    """The channels, unique, in the given order, which is their priority."""
    channels: list[str] = []
    for value in values:
        channel = value.strip()
        if not channel or not channel.isprintable() or " " in channel:
            raise UserError(
                "a channel's name, URL or path without blanks",
                # With escapes: an address ends at a blank, and so would what is hidden of it.
                "%r" % without_credentials("%20".join(value.split())),
                "correct the channels list",
            )
        require_clear([channel], "channels")
        if channel not in channels:
            channels.append(channel)
    return tuple(channels)


def checked_torch(value: t.Mapping[str, str | None] | None) -> tuple[str, str] | None:
    """Version and CUDA of the option ``expect_torch``, each empty for any; None if it expects nothing.

    :raises UserError: one of them is not a version.
    """
    version, cuda = ((value or {}).get(name) or "" for name in ("version", "cuda"))
    for name, text in (("version", version), ("cuda", cuda)):
        if text and not is_version(text):
            raise UserError("%s in expect_torch to be a version such as 12.8" % name, shown(text), "correct it")
    return (version, cuda) if version or cuda else None


def checked_cuda(value: str | None) -> str | None:
    """A CUDA version such as ``12.8``, ``none`` for no ``__cuda`` at all, or None to detect it."""
    if value is None or value == "":
        return None
    if value == "none" or re.match(r"\d+(\.\d+){0,2}\Z", value):
        return value
    raise UserError("cuda to be a version such as 12.8, or none", shown(value), "correct it")
