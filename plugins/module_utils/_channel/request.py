# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The request for a channel: its validated options, and its key in the record. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import os
import re
import typing as t

from .._common.errors import UserError
from .._common.redact import require_clear, without_credentials
from .._files.files import sha256_of_json
from .._files.paths import require_absolute
from .._source.parse import parse

# Raise it when the same request would give other packages than before.
FORMAT = 3

_REQUIREMENT = re.compile(
    r"""^[A-Za-z0-9][A-Za-z0-9._-]*\s*          # name
    (\[[A-Za-z0-9._,\s-]*\])?\s*                # extras
    (\(?[<>=!~][<>=!~A-Za-z0-9.*+,\s_-]*\)?)?\s*  # versions
    (;[^\n\r#]*)?$                              # marker
    """,
    re.VERBOSE,
)
_CHANNEL_URL = re.compile(r"^(file|https?)://\S+$")


class Request(t.NamedTuple):
    """The options of ``conda_channel`` that decide what the channel holds."""

    path: str
    python: tuple[str, ...]
    wheels: tuple[str, ...]
    wheel_index: str | None
    wheel_find_links: tuple[str, ...]
    wheel_no_index: bool
    wheel_refuse: tuple[str, ...]
    wheel_max_megabytes: int
    cpu_index: str | None
    names: dict[str, str]
    packages: tuple[str, ...]
    upstream: tuple[str, ...]
    with_dependencies: bool
    compiled: bool = True

    def key(self) -> str:
        """A hash of what decides the packages of the channel, without credentials, which a hash could reveal."""
        asked = dict(self._asdict(), path=None)
        for name in ("wheel_index", "cpu_index"):
            asked[name] = asked[name] and without_credentials(asked[name])
        for name in ("wheel_find_links", "upstream"):
            asked[name] = [without_credentials(text) for text in asked[name]]
        if asked.pop("compiled"):
            # As before there was a choice.
            return sha256_of_json({"format": FORMAT, "request": asked})
        asked["compiled"] = False
        return sha256_of_json({"format": FORMAT, "request": asked})

    def asked_for(self) -> list[str]:
        """One line for each interpreter, wheel and package in the request."""
        return (
            ["interpreter %s" % python for python in self.python]
            + ["wheel %s" % wheel for wheel in self.wheels]
            + ["package %s" % package for package in self.packages]
        )


def request_from(params: t.Mapping[str, t.Any]) -> Request:
    """The request in a module's parameters.

    :raises UserError: a value is not valid.
    """
    request = Request(
        path=_folder(params["path"]),
        python=tuple(_absolute(python, "python") for python in params["python"]),
        wheels=tuple(_wheel(wheel) for wheel in params["wheels"]),
        wheel_index=_url(params["wheel_index"], "wheel_index"),
        wheel_find_links=tuple(_place(place) for place in params["wheel_find_links"]),
        wheel_no_index=params["wheel_no_index"],
        wheel_refuse=tuple(params["wheel_refuse"]),
        wheel_max_megabytes=params["wheel_max_megabytes"],
        cpu_index=_url(params["cpu_index"], "cpu_index"),
        names=_names(params["names"]),
        packages=tuple(_spec(package) for package in params["packages"]),
        upstream=tuple(_channel(channel) for channel in params["upstream"]),
        with_dependencies=params["with_dependencies"],
        compiled=params.get("compile", True),
    )
    for option in ("upstream", "wheel_find_links"):
        require_clear(getattr(request, option), option)
    for option in ("wheel_index", "cpu_index"):
        require_clear([getattr(request, option) or ""], option)
    if not (request.python or request.packages):
        raise UserError(
            "python or packages to name something to publish",
            "neither" if not request.wheels else "wheels without python",
            "name an interpreter in python (wheels are chosen for it), or packages of an upstream channel",
        )
    if request.packages and not request.upstream:
        raise UserError(
            "an upstream channel for packages", "none in upstream", "name the channels to copy from in upstream"
        )
    own = os.path.realpath(request.path)
    inside = [channel for channel in request.upstream if own in map(os.path.realpath, parse(channel).paths)]
    if inside:
        raise UserError(
            "upstream to be channels other than path", inside[0], "leave the channel itself out of upstream"
        )
    return request


def _folder(path: str) -> str:
    path = _absolute(path, "path")
    if path == "/" or path == os.path.expanduser("~"):
        raise UserError("path to be a folder of its own", path, "name a folder in it")
    return path


def _absolute(path: str, option: str) -> str:
    require_absolute(option, path)
    if ".." in path.split("/"):
        raise UserError("%s to be an absolute path without '..'" % option, repr(path), "give the path without it")
    return os.path.normpath(path)


def _wheel(text: str) -> str:
    text = text.strip()
    if text.endswith(".whl") and os.path.isabs(text):
        return _absolute(text, "wheels")
    if not _REQUIREMENT.match(text):
        raise UserError(
            "wheels to be pip requirements such as 'numpy>=2', or absolute paths of wheels",
            repr(text),
            "give pip's options, addresses and folders in wheel_index and wheel_find_links",
        )
    return text


def _spec(text: str) -> str:
    text = text.strip()
    if not text or not text.isprintable() or "://" in text or text.startswith("-"):
        raise UserError("packages to be match specs such as 'python=3.11'", repr(text), "name the channel in upstream")
    return text


def _url(text: str | None, option: str) -> str | None:
    if not text:
        return None
    if not re.match(r"^(https?|file)://\S+$", text):
        raise UserError("%s to be an address with http, https or file" % option, repr(text), "correct it")
    return text


def _place(text: str) -> str:
    if os.path.isabs(text):
        return _absolute(text, "wheel_find_links")
    return t.cast(str, _url(text, "wheel_find_links") or _absolute(text, "wheel_find_links"))


def _channel(text: str) -> str:
    if _CHANNEL_URL.match(text):
        return text
    return _absolute(text, "upstream")


def _names(names: t.Mapping[str, t.Any]) -> dict[str, str]:
    for key, value in names.items():
        if not re.match(r"^[a-z0-9_][a-z0-9_.-]*$", str(value)):
            raise UserError(
                "names to have conda package names (lower case) as values", "%r: %r" % (key, value), "correct them"
            )
    return {str(key): str(value) for key, value in names.items()}
