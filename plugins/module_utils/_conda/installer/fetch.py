# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings an installer into a private folder and checks it before anything of it runs. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import hashlib
import os
import typing as t

from ..._common.errors import UserError
from ..._files.files import sha256_of_file
from ..._files.locks import file_lock
from ..._files.progress import Progress
from ..._files.trust import require_trusted, require_trusted_place
from .download import BLOCK, discard, download, opened, size_of
from .request import InstallerRequest


class Fetched(t.NamedTuple):
    """A checked installer, its size, and how many bytes of it an earlier run had downloaded."""

    script: str
    size: int
    resumed_from: int


@contextlib.contextmanager
def private_cache(folder: str, progress: Progress, place: str) -> t.Iterator[None]:
    """Make *folder*, for this user alone, if it is missing, and keep other runs out of it.

    :arg place: what the progress line names while this run waits for another one.
    :raises UserError: another user can write to the folder.
    """
    require_trusted_place(folder, "a folder for downloads at")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    status = os.stat(folder)
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise UserError(
            "cache to be a folder that no other user can write to (%s)" % folder,
            "owner uid %d, mode %04o" % (status.st_uid, status.st_mode & 0o7777),
            "choose another cache, or chmod go-w it as its owner",
        )
    # If the file system has no locks, two runs may damage each other's download; the checksum detects that.
    with file_lock(os.path.join(folder, ".lock"), progress, place):
        yield


def require_source(request: InstallerRequest) -> None:
    """Check an installer on this machine, without running it.

    :raises UserError: it is missing, root must not run it, or its checksum differs.
    """
    _require_file(request)
    found = sha256_of_file(request.path)
    if found != request.sha256:
        raise _wrong_sha256(request, found, "")


def fetch(request: InstallerRequest, cache: str, ca_path: str | None, progress: Progress) -> Fetched:
    """Bring the installer into *cache* and check it.

    :raises UserError: nothing was run; a download that can be resumed is kept.
    """
    script = os.path.join(cache, request.sha256 + ".sh")
    part = os.path.join(cache, request.sha256 + ".part")
    if os.path.exists(script):
        if sha256_of_file(script) == request.sha256:
            return Fetched(script, os.path.getsize(script), os.path.getsize(script))
        os.unlink(script)
    resumed = 0
    if request.is_url:
        resumed = size_of(part)
        download(request, part, ca_path, progress)
        found = sha256_of_file(part)
        if found != request.sha256 and resumed:
            # The first part may belong to another file.
            discard(part)
            resumed = 0
            download(request, part, ca_path, progress)
            found = sha256_of_file(part)
    else:
        _require_file(request)
        found = _copy(request.path, part, progress)
    if found != request.sha256:
        discard(part)
        raise _wrong_sha256(request, found, "; it was deleted and nothing of it was run")
    os.replace(part, script)
    discard(part)
    return Fetched(script, os.path.getsize(script), resumed)


def _require_file(request: InstallerRequest) -> None:
    if not os.path.isfile(request.path):
        raise UserError(
            "an installer at %s" % request.path,
            "something that is not a file" if os.path.lexists(request.path) else "nothing there",
            "correct the path, or copy the installer to the target first",
        )
    require_trusted(request.path, "an installer at")


def _wrong_sha256(request: InstallerRequest, found: str, more: str) -> UserError:
    return UserError(
        "an installer at %s with sha256 %s" % (request.shown_source, request.sha256),
        "sha256 %s%s" % (found, more),
        "compare with the checksum that the installer's maker publishes; do not run a file that differs",
    )


def _copy(source: str, part: str, progress: Progress) -> str:
    # The private copy is checked and run, so later changes to the source do not matter.
    digest = hashlib.sha256()
    total = os.path.getsize(source)
    with open(source, "rb") as stream, opened(part) as target:
        target.truncate(0)
        for block in iter(lambda: stream.read(BLOCK), b""):
            digest.update(block)
            target.write(block)
            progress.report("copy", os.path.basename(source), bytes_done=target.tell(), bytes_total=total)
    return digest.hexdigest()
