# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads a file, and resumes a download that was interrupted. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import typing as t
from urllib.error import HTTPError, URLError

from ansible.module_utils.urls import ConnectionError as AnsibleConnectionError, open_url

from ..._common.errors import UserError
from ..._common.redact import without_credentials
from ..._files.files import write_atomically
from ..._files.progress import Progress
from .request import InstallerRequest

BLOCK = 1 << 20
# After so long without data the server counts as gone; what has arrived is kept.
_SILENCE_SECONDS = 60
# How many connections one run makes, if each brings more of the file.
_CONNECTIONS = 10
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)\Z")


class Origin(t.NamedTuple):
    """Where a part came from: address (without credentials), ETag or date of the file, its complete size."""

    url: str
    validator: str
    total: int | None


class Answer(t.NamedTuple):
    """What to do with a server's answer.

    :arg offset: where its bytes belong; longer parts are cut off there. None: the bytes do not fit, start again.
    """

    offset: int | None
    origin: Origin


def request_headers(have: int, origin: Origin | None, url: str) -> dict[str, str]:
    """Headers that request the file after *have* bytes, or all of it if the file has changed since.

    :arg origin: None if it is not known; then the checksum alone decides in the end.
    """
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = "bytes=%d-" % have
        if origin and origin.url == url and origin.validator:
            headers["If-Range"] = origin.validator
    return headers


def read_answer(status: int, headers: t.Mapping[str, str], have: int, before: Origin | None, url: str) -> Answer:
    """Decide what an answer with *status* means for a part of *have* bytes.

    :arg headers: with names in lower case.
    """
    validator = _validator(headers)
    if status == 206:
        match = _RANGE.match(headers.get("content-range", "").strip())
        total = int(match.group(2)) if match and match.group(2) != "*" else None
        origin = Origin(url, validator, total)
        if not match or int(match.group(1)) != have or _differs(before, origin):
            return Answer(None, origin)
        return Answer(have, origin)
    length = headers.get("content-length", "")
    return Answer(0, Origin(url, validator, int(length) if length.isdigit() else None))


def _validator(headers: t.Mapping[str, str]) -> str:
    # If-Range takes a strong ETag or a date (RFC 9110, 13.1.5).
    etag = headers.get("etag", "")
    return etag if etag.startswith('"') else headers.get("last-modified", "")


def _differs(before: Origin | None, now: Origin) -> bool:
    if before is None or before.total is None or now.total is None:
        return False
    return before.total != now.total


def download(request: InstallerRequest, part: str, ca_path: str | None, progress: Progress) -> None:
    """Download the installer to the file *part*, from where an earlier run stopped.

    :raises UserError: it did not arrive completely.
    """
    reason = ""
    for _connection in range(_CONNECTIONS):
        before = size_of(part)
        reason = _receive(request.path, part, ca_path, progress)
        if not reason:
            return
        if size_of(part) <= before:
            break
    raise UserError(
        "a complete download of %s" % request.shown_source,
        "%s after %d bytes" % (reason, size_of(part)),
        "run again: the download continues where it stopped",
    )


def _receive(url: str, part: str, ca_path: str | None, progress: Progress) -> str:
    """Receive over one connection. Return why it ended early; empty if the file is complete."""
    origin = _read_origin(part)
    have = size_of(part)
    shown = without_credentials(url)
    headers = request_headers(have, origin, shown)
    try:
        response = open_url(
            url, headers=headers, timeout=_SILENCE_SECONDS, ca_path=ca_path, decompress=False, http_agent="hpc.pytorch"
        )
    except HTTPError as error:
        error.close()
        if error.code == 416 and have:
            if origin and origin.total == have:
                return ""
            discard(part)
            return _receive(url, part, ca_path, progress)
        raise _refused(shown, error) from error
    except (URLError, AnsibleConnectionError, http.client.HTTPException, OSError) as error:
        raise UserError(
            "an answer from %s" % shown,
            str(getattr(error, "reason", error)),
            "check the address, the proxy and the network of this machine; set ca_path if the site has its own CA",
        ) from error
    with contextlib.closing(response):
        if not response.geturl().startswith("https://"):
            raise UserError(
                "a download from %s over https alone" % shown,
                "a redirection to http",
                "give an address that stays with https",
            )
        answer = read_answer(
            response.status, {name.lower(): value for name, value in response.headers.items()}, have, origin, shown
        )
        if answer.offset is not None:
            return _store(response, part, answer.offset, answer.origin, progress)
    if not have:
        raise UserError("the whole file from %s" % shown, "a part that was not requested", "use another address")
    discard(part)
    return _receive(url, part, ca_path, progress)


def _store(response: t.Any, part: str, offset: int, origin: Origin, progress: Progress) -> str:
    with opened(part) as target:
        target.truncate(offset)
        target.seek(offset)
        write_atomically(part + ".origin", json.dumps(origin._asdict()).encode(), default_mode=0o600)
        while True:
            try:
                # read1 returns what has arrived, so nothing is lost when the connection breaks.
                block = response.read1(BLOCK)
            except (http.client.HTTPException, OSError) as error:
                return "the connection broke (%s)" % (str(error) or type(error).__name__)
            if not block:
                break
            target.write(block)
            progress.report(
                "download", os.path.basename(origin.url), bytes_done=target.tell(), bytes_total=origin.total
            )
        if origin.total is not None and target.tell() < origin.total:
            return "the connection ended (of %d bytes)" % origin.total
    return ""


def _refused(shown: str, error: HTTPError) -> UserError:
    remedies = {
        401: "give user and password in the address",
        403: "check user, password and licence",
        404: "correct the address",
    }
    remedy = remedies.get(
        error.code, "try again later; what was downloaded is kept" if error.code >= 500 else "check the address"
    )
    return UserError("an installer at %s" % shown, "HTTP status %d %s" % (error.code, error.reason), remedy)


def opened(path: str) -> t.BinaryIO:
    """Open a private file to read and write it; it is made if it is missing."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "r+b")


def size_of(path: str) -> int:
    """The file's size; 0 if it does not exist."""
    return os.path.getsize(path) if os.path.exists(path) else 0


def _read_origin(part: str) -> Origin | None:
    try:
        with open(part + ".origin", encoding="utf-8") as stream:
            return Origin(**json.load(stream))
    except (OSError, ValueError, TypeError):
        return None


def discard(part: str) -> None:
    """Delete the file *part* and the note on its origin."""
    for path in (part, part + ".origin"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
