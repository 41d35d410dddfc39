# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials in addresses: removed before an address is shown or stored. No I/O. Private to hpc.pytorch.

Credentials are a user with a password or a token before the host, conda's ``/t/TOKEN`` in the path, and the query
string (``?X-Amz-Signature=``, ``?sig=``, ``?private_token=``). Every function takes time in proportion to its text.
"""

from __future__ import annotations

import re
import typing as t
import urllib.parse

from .errors import UserError

# Where an address begins: after :// of any scheme, or after http: however many slashes follow.
_BEGIN = re.compile(r"https?:[/\\]*|://", re.IGNORECASE)
# What ends an address in a text. A quote ' may be part of a password, so it ends only a path.
_END = re.compile(r'[\s"]')
_AUTHORITY_END = re.compile(r"[/\\?#]")
_HOST = re.compile(r"(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|localhost|\[[0-9A-Fa-f:.]+\])\Z")
# A port, and the punctuation of the text around the address.
_PORT = re.compile(r"[0-9]{1,5}[^\w@]*\Z", re.ASCII)
# conda's documentation: a token as /t/TOKEN in the path.
_TOKEN = re.compile(r"/t/([^/?#\s\"']+)")
# Punctuation of the text around an address, which is no part of its query.
_CLOSING = "'\")]}>,;.:"
# Parts of a fragment that pip reads and that are no secrets.
_HARMLESS = re.compile(
    r"(?:egg=[A-Za-z0-9._\[\],-]+|subdirectory=[A-Za-z0-9._/-]+|(?:md5|sha1|sha224|sha256|sha384|sha512)=[0-9A-Fa-f]+)\Z"
)
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
# A shorter part is not hidden elsewhere in the output: that would blank every such syllable.
_SHORTEST, _SHORTEST_IN_QUERY = 4, 6


class Secret:
    """A text that does not print itself: not by ``str``, ``repr``, ``%s``, JSON or pickle."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """The text itself, for the one place that sends it."""
        return self.__text

    def __str__(self) -> str:
        return "***"

    def __repr__(self) -> str:
        return "%s(%r)" % (type(self).__name__, str(self))

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and t.cast(Secret, other).reveal() == self.__text

    def __hash__(self) -> int:
        return hash(self.__text)

    def __reduce__(self) -> t.NoReturn:
        raise TypeError("a secret is not stored")


class Address(Secret):
    """An address that prints without its credentials.

    ``str(Address("https://user:password@host/c?sig=1"))`` is ``https://host/c``.
    """

    __slots__ = ()

    def __str__(self) -> str:
        return without_credentials(self.reveal())


class _Parts(t.NamedTuple):
    """An address after its ``://``: what is shown, and the secrets that are not."""

    shown: str
    secrets: tuple[str, ...]


def without_credentials(text: str) -> str:
    """*text* without users, passwords, tokens and query strings in its addresses.

    ``https://u:p@host/t/TOKEN/c?sig=1`` becomes ``https://host/c``.
    """
    return _examined(text)[0]


def secrets_in(texts: t.Iterable[str]) -> set[str]:
    """Users with passwords, passwords, tokens and values of queries, escaped or not, for ``no_log_values``."""
    found: set[str] = set()
    for text in texts:
        found |= set(_examined(text)[1])
    found |= {urllib.parse.unquote(secret) for secret in found}
    return {secret for secret in found if len(secret) >= _SHORTEST}


def has_credentials(text: str) -> bool:
    """Whether *text* holds an address with a user, a password, a token or a query string."""
    return without_credentials(text) != text


def without_query(address: str) -> str:
    """One address without its query string and fragment, which say nothing about a channel."""
    return re.split(r"[?#]", address, maxsplit=1)[0] if _BEGIN.search(address) else address


def shown_channels(channels: t.Iterable[str]) -> list[str]:
    """The channels without credentials, for messages."""
    return [without_credentials(channel) for channel in channels]


def filled_in(channels: t.Iterable[str], environment: t.Mapping[str, str]) -> list[str]:
    """The channels with ``$NAME`` and ``${NAME}`` replaced from *environment*, as conda does in a condarc.

    ``$NAME`` may be part of a password, so it is kept if there is no such variable.

    :raises UserError: a variable in braces is not set; a server would only answer 401.
    """

    def value(match: t.Match[str]) -> str:
        name = match.group(1) or match.group(2)
        if name not in environment:
            if match.group(2):
                return match.group()
            raise UserError(
                "the environment variable %s, which a channel's address names, to be set" % name,
                "not set on this machine",
                "set it in the environment of the user that the task runs as, or correct the channels",
            )
        return environment[name]

    return [_VARIABLE.sub(value, channel) for channel in channels]


def written_out(text: str) -> bool:
    """Whether *text* holds credentials themselves, not only variables such as ``${TOKEN}`` that stand for them."""
    return any(secret.strip(":") for secret in _examined(_VARIABLE.sub("", text))[1])


def require_clear(addresses: t.Iterable[str], option: str) -> None:
    """Refuse an address of which nobody can say where the password ends: ``https://user:pa/ss@host``.

    No tool reads such an address as it was meant.

    :raises UserError: with the characters to escape.
    """
    for address in addresses:
        begin = _BEGIN.search(address)
        rest = address[begin.end() :] if begin else ""
        authority, path = _split(rest)
        host = authority.rpartition("@")[2]
        port = host.rpartition("]")[2].partition(":")[2]
        if begin and "@" in path and not port.isdigit() and ":" in host.rpartition("]")[2]:
            raise UserError(
                "%s to be an address whose password ends before the host" % option,
                "%s, with / or another sign in the password" % without_credentials(address),
                "escape the password: %2F for /, %40 for @, %3A for :, %23 for #, %3F for ?, %5C for a backslash",
            )


def _examined(text: str) -> tuple[str, list[str]]:
    """*text* without credentials, and the credentials."""
    shown: list[str] = []
    secrets: list[str] = []
    at = 0
    while True:
        begin = _BEGIN.search(text, at)
        if begin is None:
            shown.append(text[at:])
            return "".join(shown), secrets
        shown.append(text[at : begin.end()])
        end = _END.search(text, begin.end())
        stop = end.start() if end else len(text)
        if begin.group() == "://" and text[max(0, begin.start() - 4) : begin.start()].lower() == "file":
            shown.append(text[begin.end() : stop])
        else:
            parts = _parts(text[begin.end() : stop])
            shown.append(parts.shown)
            secrets += parts.secrets
        at = stop


def _parts(rest: str) -> _Parts:
    secret, rest = _userinfo(rest)
    secrets = [secret, secret.partition(":")[2]] if secret else []
    place, mark, fragment = rest.partition("#")
    place, question, query = place.partition("?")
    secrets += _TOKEN.findall(place)
    place = _TOKEN.sub("", place)
    if not (question or mark):
        return _Parts(place, tuple(secrets))
    whole = query + mark + fragment
    tail = whole[len(whole.rstrip(_CLOSING)) :]
    if not mark:
        query = query[: len(query) - len(tail)]
    fragment = fragment[: len(fragment) - len(tail)]
    secrets += _values(query)
    if fragment and all(_HARMLESS.match(part) for part in fragment.split("&")):
        return _Parts(place + "#" + fragment + tail, tuple(secrets))
    return _Parts(place + tail, tuple(secrets + _values(fragment)))


def _split(rest: str) -> tuple[str, str]:
    """An address after ``://`` as its server, with user and password, and the rest."""
    end = _AUTHORITY_END.search(rest)
    return (rest[: end.start()], rest[end.start() :]) if end else (rest, "")


def _userinfo(rest: str) -> tuple[str, str]:
    """User and password of an address after ``://``, and the address without them.

    If a sign such as ``/`` in a password is not escaped, nobody can say where the password ends: everything up to the
    last ``@`` counts.
    """
    authority, path = _split(rest)
    userinfo, at, host = authority.rpartition("@")
    name, colon, port = host.partition(":") if not host.startswith("[") else (host.partition("]")[0] + "]", "", "")
    if "@" in path:
        # "TOKEN@host.org/repository@version" and "host.org/repository@version" are clear.
        clear = _HOST.match(name) and not colon and not userinfo.count(":") and "@" not in userinfo
        if not clear:
            secret, unused, shown = rest.rpartition("@")
            return secret, shown
    if port and not at and not _PORT.match(port):
        # The half of an address that a blank in its password has cut.
        return authority, path
    return (userinfo, host + path) if at else ("", rest)


def _values(query: str) -> list[str]:
    """The values of a query string that are long enough to be secrets."""
    values = [part.partition("=")[2] or part for part in re.split("[&;]", query)]
    return [value for value in values if len(value) >= _SHORTEST_IN_QUERY]
