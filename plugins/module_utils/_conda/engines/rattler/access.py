# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authenticated access to channels for rattler. Imports rattler, in the engine's venv only. Private to hpc.pytorch.

rattler stores the addresses that it gets: in its index cache, in ``conda-meta``, in lock files. So it only sees
addresses without credentials. A client of ours adds them, in memory, when a request is sent. They also serve for
packages that an env holds already.
"""

from __future__ import annotations

import base64
import os
import re
import typing as t
import urllib.parse

from ...._common.errors import UserError
from ...._common.redact import Address, Secret, has_credentials, without_credentials, without_query
from ...._files.files import require_regular
from ..base import SolveRequest


class Route(t.NamedTuple):
    """Addresses that rattler knows to start with *shown* are reached as *real*, with this ``Authorization`` header."""

    shown: str
    real: Address
    authorization: Secret | None


class Access:
    """Removes credentials from requests and adds them again when a request is sent."""

    def __init__(self) -> None:
        self._routes: dict[str, Route] = {}

    def admit(self, request: SolveRequest) -> SolveRequest:
        """*request* without credentials, for rattler; :meth:`client` keeps them.

        :raises UserError: the address of a package has a query string, which rattler would store with it.
        """
        for spec in request.packages:
            if "::" not in spec and "?" in spec.partition("#")[0] and without_query(spec) != spec:
                raise UserError(
                    "packages without a query string, which may be a secret and would be stored with the package",
                    "one after %s" % without_credentials(spec),
                    "download that package, and give its path in packages",
                )
        for address in request.channels + tuple(map(channel_in_spec, request.packages)):
            self.learn(address)
        return request._replace(
            channels=tuple(dict.fromkeys(map(without_credentials, request.channels))),
            packages=tuple(map(without_credentials, request.packages)),
        )

    def learn(self, address: str) -> None:
        """Keep the credentials of a channel's *address*, unless that channel is known already."""
        if has_credentials(address):
            route = route_to(address)
            self._routes.setdefault(route.shown, route)

    def client(self) -> t.Any:
        """A client that uses our credentials first, then RATTLER_AUTH_FILE, the keyring and netrc, as rattler does."""
        from rattler.networking import (
            AddHeadersMiddleware,
            AuthenticationMiddleware,
            Client,
            GCSMiddleware,
            MirrorMiddleware,
            OciMiddleware,
            RetryMiddleware,
            S3Middleware,
        )

        require_regular(_credential_files(), "rattler")
        routes = self._routes.values()
        return Client(
            [
                RetryMiddleware(),
                # Headers first: the mirror's address has the token already.
                AddHeadersMiddleware(lambda host, path: headers_for(routes, host, path)),
                MirrorMiddleware(
                    {route.shown: [route.real.reveal()] for route in routes if route.real.reveal() != route.shown}
                ),
                AuthenticationMiddleware(),
                OciMiddleware(),
                GCSMiddleware(),
                S3Middleware(),
            ]
        )


def _credential_files() -> list[str]:
    """The files in which rattler looks for credentials."""
    home = os.path.expanduser("~")
    named = [os.environ.get("NETRC") or os.path.join(home, ".netrc"), os.environ.get("RATTLER_AUTH_FILE", "")]
    return [path for path in [*named, os.path.join(home, ".rattler", "credentials.json")] if path]


def route_to(address: str) -> Route:
    """The route to *address*, a channel's URL with credentials.

    ``https://user:pw@host/t/TOKEN/c`` is shown as ``https://host/c/``, reached as ``https://host/t/TOKEN/c/``.
    """
    parts = urllib.parse.urlsplit(without_query(address).rstrip("/") + "/")
    userinfo, at, place = parts.netloc.rpartition("@")
    authorization = None
    if at:
        user, unused, password = userinfo.partition(":")
        pair = "%s:%s" % (urllib.parse.unquote(user), urllib.parse.unquote(password))
        authorization = Secret("Basic " + base64.b64encode(pair.encode()).decode("ascii"))
    # In lower case, as rattler knows it: only the path tells letters apart.
    real = urllib.parse.urlunsplit(parts._replace(netloc=place.lower()))
    return Route(shown=without_credentials(real), real=Address(real), authorization=authorization)


def headers_for(routes: t.Iterable[Route], host: str, path: str) -> dict[str, str] | None:
    """The headers for a request to *path* on *host*: those of the longest route that matches."""
    found, length = None, -1
    host = host.strip("[]")
    for route in routes:
        shown = urllib.parse.urlsplit(route.shown)
        if route.authorization and shown.hostname == host and path.startswith(shown.path) and len(shown.path) > length:
            found, length = {"Authorization": route.authorization.reveal()}, len(shown.path)
    return found


def channel_in_spec(spec: str) -> str:
    """The channel's address in a match spec, or an empty string.

    ``https://host/channel::numpy`` is ``https://host/channel``; a package's own URL is the folder that holds it.
    """
    channel, colons, unused = spec.partition("::")
    if colons:
        return channel
    return spec.rsplit("/", 1)[0] if "://" in spec else ""


def remedy_for(error: str) -> str:
    """The remedy for a channel that did not answer with an index."""
    if re.search(r"\b(401|403)\b", error):
        return (
            "give credentials that it accepts, in the channel's address, in ~/.netrc (or NETRC) or in a"
            " RATTLER_AUTH_FILE, of the user that the task runs as"
        )
    return "check the address and the network, or correct the channels"
