# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an interrupted download goes on: what to ask the server, and what its answer means. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)\Z")


class Origin(t.NamedTuple):
    """Where the part that is there came from: address (without credentials), what identified the file, its whole size."""

    url: str
    validator: str
    total: int | None


class Answer(t.NamedTuple):
    """What to do with a server's answer.

    *offset*: where its bytes belong; what lies behind that is cut off. None: they are of no use, begin anew without the part.
    """

    offset: int | None
    origin: Origin


def request_headers(have: int, origin: Origin | None, url: str) -> dict[str, str]:
    """Ask for what is missing behind *have* bytes, and for all of it where the file has changed since.

    :arg origin: None where nothing is known; then the checksum alone decides in the end.
    """
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = "bytes=%d-" % have
        if origin and origin.url == url and origin.validator:
            headers["If-Range"] = origin.validator
    return headers


def read_answer(status: int, headers: t.Mapping[str, str], have: int, before: Origin | None, url: str) -> Answer:
    """What an answer with *status* means for a part of *have* bytes.

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
