# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a play asks of an installed base, checked, and where that base stands. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import os
import re
import typing as t
from urllib.parse import unquote, urlsplit

from ..._common.errors import UserError, one_line
from ..._common.redact import without_credentials
from ..env.request import checked_prefix

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
# The installer's own header puts its path into shell words and refuses blanks.
_CACHE = re.compile(r"/[A-Za-z0-9_.+@=,~/-]+\Z")


class Wish(t.NamedTuple):
    """A base that users find at *prefix*: a symlink to ``.NAME/<first 12 of sha256>`` beside it."""

    prefix: str
    source: str
    sha256: str

    @property
    def is_url(self) -> bool:
        """Whether *source* is an address; else it is an absolute path."""
        return not self.source.startswith("/")

    @property
    def shown_source(self) -> str:
        """The source as it may be printed."""
        return without_credentials(self.source)

    @property
    def store(self) -> str:
        """The folder that holds every base of this prefix, and what they share."""
        parent, name = os.path.split(self.prefix)
        return os.path.join(parent, "." + name)

    @property
    def base(self) -> str:
        """The folder that this very installer makes its base in."""
        return os.path.join(self.store, self.sha256[:12])

    @property
    def link(self) -> str:
        """What the symlink *prefix* holds."""
        return os.path.join(os.path.basename(self.store), self.sha256[:12])

    @property
    def envs(self) -> str:
        """Where every base of this prefix has its ``envs``."""
        return os.path.join(self.store, "envs")


def checked_wish(prefix: str, source: str, sha256: str) -> Wish:
    """The options as one wish.

    :raises UserError: what cannot be.
    """
    prefix = checked_prefix(prefix, None, None, "/")
    if prefix == "/":
        raise UserError("a prefix with a name", "prefix '/'", "choose a path such as /opt/conda")
    return Wish(prefix, _checked_source(source), _checked_sha256(sha256))


def checked_cache(cache: str) -> str:
    """The folder for what is downloaded.

    :raises UserError: a path that an installer's own script cannot be run from.
    """
    if not _CACHE.match(cache) or ".." in cache.split("/"):
        raise UserError(
            "a cache folder as an absolute path of letters A-Z a-z, digits and . _ + @ = , ~ - /",
            "%r" % one_line(cache),
            "choose such a path as cache",
        )
    return os.path.normpath(cache)


def _checked_sha256(value: str) -> str:
    sha256 = value.strip().lower()
    if not _SHA256.match(sha256):
        raise UserError(
            "the installer's sha256 in 64 hex digits",
            "%r" % one_line(value),
            "take it from the page that offers the installer, not from the file that was downloaded",
        )
    return sha256


def _checked_source(value: str) -> str:
    source = value.strip()
    parts = urlsplit(source)
    if not source.isprintable():
        found = "%r" % one_line(value)
    elif parts.scheme == "https" and parts.hostname and parts.path.strip("/") and " " not in source:
        return source
    elif parts.scheme == "file" and parts.hostname in (None, "localhost") and parts.path.startswith("/"):
        return os.path.normpath(unquote(parts.path))
    elif source.startswith("/") and source.strip("/"):
        return os.path.normpath(source)
    else:
        found = without_credentials(source) or "nothing"
    raise UserError(
        "an installer as an https address, or as an absolute path on the target",
        found,
        "use the https address (http can be read and changed on the way), or copy the file to the target and give its path",
    )
