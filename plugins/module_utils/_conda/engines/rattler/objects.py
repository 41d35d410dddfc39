# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Converts between our types and py-rattler's. Imported in the engine's venv only. Private to hpc.pytorch."""

from __future__ import annotations

import os
import pathlib
import typing as t

from ...._common.errors import UserError
from ...._common.redact import has_credentials, without_credentials
from ...env.packages import Package
from ...package.described import Described
from .panic import require_no_panic

# What conda expands "defaults" to. Larger organisations need a paid licence for it, so it is never our default.
_DEFAULTS = ("https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r")


def match_spec(spec: str) -> t.Any:
    """A match spec.

    :raises UserError: it cannot be parsed.
    """
    import rattler
    from rattler.exceptions import InvalidMatchSpecError

    try:
        return rattler.MatchSpec(spec)
    except InvalidMatchSpecError as error:
        raise UserError(
            "a match spec such as 'numpy', 'python=3.11' or 'pytorch>=2.5,<3'",
            "%r: %s" % (without_credentials(spec), without_credentials(str(error))),
            "correct packages",
        ) from error


def name_of(match_spec: t.Any) -> str:
    """The package name that a match spec asks for."""
    return str(match_spec.name.normalized)


def channels_of(channels: t.Iterable[str]) -> list[t.Any]:
    """Channels by name, URL or path.

    :raises UserError: one of them is not valid.
    """
    import rattler

    found = []
    for channel in channels:
        for name in _DEFAULTS if channel == "defaults" else (os.path.expanduser(channel),):
            try:
                found.append(rattler.Channel(name))
            except Exception as error:
                raise UserError(
                    "a channel's name, URL or absolute path",
                    without_credentials("%s: %s" % (channel, error)),
                    "correct the channels",
                ) from error
    return found


def channel_priority(name: str) -> t.Any:
    """rattler's value for ``strict``, ``flexible`` or ``disabled``."""
    import rattler

    # rattler has no "flexible"; conda-forge recommends strict.
    return rattler.ChannelPriority.Disabled if name == "disabled" else rattler.ChannelPriority.Strict


def virtual_packages(cuda: str | None) -> list[t.Any]:
    """The virtual packages of this machine, such as ``__glibc``.

    :arg cuda: the version of ``__cuda``, ``none`` for no such package, or None to detect it.
    """
    import rattler
    from rattler.virtual_package import Override

    overrides = rattler.VirtualPackageOverrides.from_env()
    if cuda:
        overrides.cuda = Override.string("" if cuda == "none" else cuda)
    return rattler.VirtualPackage.detect(overrides)


def prefix_records(prefix: str) -> list[t.Any]:
    """The records of an env."""
    import rattler

    folder = pathlib.Path(prefix, "conda-meta")
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            found.append(rattler.PrefixRecord.from_path(path))
        except Exception as error:
            raise UserError(
                "a package record at %s" % path,
                str(error),
                "remove the env (state absent) and make it again",
            ) from error
        except BaseException as error:
            require_no_panic(error, "a package record at %s" % path)
            raise
    return found


def package_of(record: t.Any) -> Package:
    """The package that a record of a channel describes."""
    return Package(
        name=record.name.normalized,
        version=str(record.version),
        build=str(record.build),
        channel=without_credentials(record.channel or ""),
        url=without_credentials(record.url),
    )


def described(record: t.Any) -> Described:
    """What a channel's index says about a package, to be judged.

    :raises UserError: a value is not of its type.
    """
    try:
        return Described(
            name=record.name.normalized,
            version=str(record.version),
            build=str(record.build),
            subdir=record.subdir,
            file_name=record.file_name,
            url=str(record.url),
            channel=record.channel or "",
            sha256=record.sha256.hex() if record.sha256 else None,
            size=record.size,
            site_packages=record.python_site_packages_path,
            build_number=record.build_number,
        )
    except (TypeError, ValueError, OverflowError) as error:
        raise UserError(
            "a package with valid values in its channel's index", str(error), "have the channel's index repaired"
        ) from error


def record_without_credentials(record: t.Any) -> t.Any:
    """*record* without credentials, which a record of another tool may hold."""
    import rattler

    if not has_credentials("%s %s" % (record.url, record.channel)):
        return record
    return rattler.RepoDataRecord(
        record,
        record.file_name,
        without_credentials(record.url),
        without_credentials(record.channel or ""),
    )
