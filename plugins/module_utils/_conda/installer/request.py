# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The request for a base from an installer: checked, with the base's place. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import os
import re
import typing as t

from ..._common.errors import UserError, shown
from ..._common.redact import Address, require_clear
from ..._source.parse import parse
from ..env.request import checked_prefix

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
# The installer's own script uses its path in shell words and refuses blanks.
_CACHE = re.compile(r"/[A-Za-z0-9_.+@=,~/-]+\Z")


class InstallerRequest(t.NamedTuple):
    """A base that users find at *prefix*, a symlink to ``.NAME/<first 12 of sha256>`` next to it."""

    prefix: str
    source: Address
    sha256: str

    @property
    def is_url(self) -> bool:
        """Whether *source* is an address, not an absolute path."""
        return not self.path.startswith("/")

    @property
    def path(self) -> str:
        """The source as it is: an absolute path, or an address with its credentials."""
        return self.source.reveal()

    @property
    def shown_source(self) -> str:
        """The source without credentials."""
        return str(self.source)

    @property
    def store(self) -> str:
        """The folder that holds all bases of this prefix and what they share."""
        parent, name = os.path.split(self.prefix)
        return os.path.join(parent, "." + name)

    @property
    def base(self) -> str:
        """The folder of the base that this installer makes."""
        return os.path.join(self.store, self.sha256[:12])

    @property
    def link(self) -> str:
        """The target of the symlink *prefix*."""
        return os.path.join(os.path.basename(self.store), self.sha256[:12])

    @property
    def envs(self) -> str:
        """The ``envs`` folder that all bases of this prefix share."""
        return os.path.join(self.store, "envs")


def installer_request(prefix: str, source: str, sha256: str) -> InstallerRequest:
    """The request, checked.

    :raises UserError: an option is not valid.
    """
    prefix = checked_prefix(prefix, None, None, "/")
    if prefix == "/":
        raise UserError("prefix to be a path with a name", "'/'", "choose a path such as /opt/conda")
    return InstallerRequest(prefix, _checked_source(source), _checked_sha256(sha256))


def checked_cache(cache: str) -> str:
    """The folder for downloads.

    :raises UserError: an installer's own script cannot run from that path.
    """
    if not _CACHE.match(cache) or ".." in cache.split("/"):
        raise UserError(
            "cache to be an absolute path of letters A-Z a-z, digits and . _ + @ = , ~ - /",
            shown(cache),
            "choose such a path as cache",
        )
    return os.path.normpath(cache)


def _checked_sha256(value: str) -> str:
    sha256 = value.strip().lower()
    if not _SHA256.match(sha256):
        raise UserError(
            "sha256 to be 64 hex digits",
            shown(value),
            "take it from the page that offers the installer, do not compute it from the download",
        )
    return sha256


def _checked_source(value: str) -> Address:
    text = value.strip()
    require_clear([text], "src")
    source = parse(text, named=False)
    web = source.kind == "web" and re.match(r"https://[^/?#]+/+[^/?# ]", text, re.IGNORECASE) and " " not in text
    if web or (source.path and source.path != "/" and not text.startswith("~")):
        return Address(source.path or text)
    raise UserError(
        "src to be an https address, or an absolute path on the target",
        shown(str(source.address)) if not text.isprintable() else str(source.address) or "nothing",
        "use an https address (http can be changed on the way), or copy the file to the target and give its path",
    )
