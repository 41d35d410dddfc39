# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings an installer into a private folder, whole and checked, before anything of it can run. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import typing as t
from urllib.error import HTTPError, URLError

from ansible.module_utils.urls import ConnectionError as AnsibleConnectionError, open_url

from ..._common.errors import UserError
from ..._common.files import sha256_of_file, write_atomically
from ..._common.locks import hold
from ..._common.progress import Progress
from ..._common.redact import without_credentials
from ..._common.trust import require_trusted, require_trusted_place
from .request import Wish
from .resume import Origin, read_answer, request_headers

# A server that says nothing for so long has gone away; what has arrived is kept.
_SILENCE_SECONDS = 60
# How often one run goes on with a transfer that breaks off and still gets further each time.
_CONNECTIONS = 10
_BLOCK = 1 << 20


class Fetched(t.NamedTuple):
    """A checked installer, its size, and how many bytes of it an earlier run had brought."""

    script: str
    size: int
    resumed_from: int


@contextlib.contextmanager
def private_cache(folder: str, waiting: t.Callable[[], None]) -> t.Iterator[None]:
    """Make *folder* where it is missing, for this user alone, and keep other runs off it.

    :arg waiting: called when another run has it, before this one waits.
    :raises UserError: a folder that somebody else can write to.
    """
    require_trusted_place(folder, "a folder for downloads at")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    status = os.stat(folder)
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise UserError(
            "a cache folder that nobody else can write to at %s" % folder,
            "owner uid %d, mode %04o" % (status.st_uid, status.st_mode & 0o7777),
            "choose another cache, or chmod go-w it as its owner",
        )
    with open(os.path.join(folder, ".lock"), "w", encoding="utf-8") as stream:
        # Without locks in the file system two runs may spoil each other's download; the checksum notices.
        hold(stream, waiting)
        yield


def require_source(wish: Wish) -> None:
    """Look at an installer on this machine, without running it.

    :raises UserError: it is not there, root must not run it, or it has another checksum.
    """
    _require_file(wish)
    found = sha256_of_file(wish.source)
    if found != wish.sha256:
        raise _wrong_sha256(wish, found, "")


def fetch(wish: Wish, cache: str, ca_path: str | None, progress: Progress) -> Fetched:
    """The checked installer below *cache*.

    :raises UserError: nothing of it was run; what is worth resuming is kept.
    """
    whole = os.path.join(cache, wish.sha256 + ".sh")
    part = os.path.join(cache, wish.sha256 + ".part")
    if os.path.exists(whole):
        if sha256_of_file(whole) == wish.sha256:
            return Fetched(whole, os.path.getsize(whole), os.path.getsize(whole))
        os.unlink(whole)
    resumed = 0
    if wish.is_url:
        resumed = _size(part)
        _download(wish, part, ca_path, progress)
        found = sha256_of_file(part)
        if found != wish.sha256 and resumed:
            # The part may have been of another file.
            _discard(part)
            resumed = 0
            _download(wish, part, ca_path, progress)
            found = sha256_of_file(part)
    else:
        _require_file(wish)
        found = _copy(wish.source, part, progress)
    if found != wish.sha256:
        _discard(part)
        raise _wrong_sha256(wish, found, "; it was deleted and nothing of it was run")
    os.replace(part, whole)
    _discard(part)
    return Fetched(whole, os.path.getsize(whole), resumed)


def _require_file(wish: Wish) -> None:
    if not os.path.isfile(wish.source):
        raise UserError(
            "an installer at %s" % wish.source,
            "something that is no file" if os.path.lexists(wish.source) else "nothing there",
            "correct the path, or copy the installer to the target first",
        )
    require_trusted(wish.source, "an installer at")


def _wrong_sha256(wish: Wish, found: str, more: str) -> UserError:
    return UserError(
        "sha256 %s for %s" % (wish.sha256, wish.shown_source),
        "sha256 %s%s" % (found, more),
        "compare with the checksum that the installer's maker publishes; never run a file that differs",
    )


def _copy(source: str, part: str, progress: Progress) -> str:
    # What is checked is the private copy, so what happens to the source meanwhile does not matter.
    digest = hashlib.sha256()
    total = os.path.getsize(source)
    with open(source, "rb") as stream, _opened(part) as target:
        target.truncate(0)
        for block in iter(lambda: stream.read(_BLOCK), b""):
            digest.update(block)
            target.write(block)
            progress.report("copy", os.path.basename(source), bytes_done=target.tell(), bytes_total=total)
    return digest.hexdigest()


def _download(wish: Wish, part: str, ca_path: str | None, progress: Progress) -> None:
    reason = ""
    for _connection in range(_CONNECTIONS):
        before = _size(part)
        reason = _receive(wish.source, part, ca_path, progress)
        if not reason:
            return
        if _size(part) <= before:
            break
    raise UserError(
        "the whole of %s" % wish.shown_source,
        "%s after %d bytes" % (reason, _size(part)),
        "run again: it goes on where it stopped",
    )


def _receive(url: str, part: str, ca_path: str | None, progress: Progress) -> str:
    """One connection. Return why it ended early, or nothing when the file is whole."""
    origin = _read_origin(part)
    have = _size(part)
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
            _discard(part)
            return _receive(url, part, ca_path, progress)
        raise _refused(shown, error) from error
    except (URLError, AnsibleConnectionError, http.client.HTTPException, OSError) as error:
        raise UserError(
            "an answer from %s" % shown,
            str(getattr(error, "reason", error)),
            "check the address, the proxy and the network of this machine; a CA of the site's own is given as ca_path",
        ) from error
    with contextlib.closing(response):
        if not response.geturl().startswith("https://"):
            raise UserError(
                "https all the way from %s" % shown, "a redirection to http", "give an address that stays with https"
            )
        answer = read_answer(
            response.status, {name.lower(): value for name, value in response.headers.items()}, have, origin, shown
        )
        if answer.offset is not None:
            return _store(response, part, answer.offset, answer.origin, progress)
    if not have:
        raise UserError("the file itself from %s" % shown, "a part of it that was not asked for", "use another address")
    _discard(part)
    return _receive(url, part, ca_path, progress)


def _store(response: t.Any, part: str, offset: int, origin: Origin, progress: Progress) -> str:
    with _opened(part) as target:
        target.truncate(offset)
        target.seek(offset)
        write_atomically(part + ".origin", json.dumps(origin._asdict()).encode(), default_mode=0o600)
        while True:
            try:
                # read1 hands over what has arrived: a connection that breaks must not cost what came before.
                block = response.read1(_BLOCK)
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


def _opened(path: str) -> t.BinaryIO:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "r+b")


def _size(path: str) -> int:
    return os.path.getsize(path) if os.path.exists(path) else 0


def _read_origin(part: str) -> Origin | None:
    try:
        with open(part + ".origin", encoding="utf-8") as stream:
            return Origin(**json.load(stream))
    except (OSError, ValueError, TypeError):
        return None


def _discard(part: str) -> None:
    for path in (part, part + ".origin"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
