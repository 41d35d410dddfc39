# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a submission, beside the script, and the mark of one that has not ended yet. Private to hpc.pytorch.

Before sbatch runs, a mark with a token is made, which only one process can (O_EXCL, on NFS too); the job carries the token in its
comment. Then the record is written and the mark removed. Whoever finds a mark knows that somebody submits at this moment or was
killed while doing so, and finds that job by its token.
"""

from __future__ import annotations

import json
import os
import time
import typing as t
import uuid

from ..._common.errors import UserError
from ..._common.files import write_atomically
from ..model.job import Part
from .request import Request

_FORM = 1


class Record(t.NamedTuple):
    """A job that was submitted.

    :arg digest: of the script's content.
    :arg cluster: the one that it was submitted to.
    :arg elsewhere: the same, where the script named it (``--clusters``); Slurm's commands need to be told then.
    :arg submitted: when, in seconds since 1970.
    :arg parts: as they were seen last.
    """

    job_id: str
    digest: str
    arguments: tuple[str, ...]
    cluster: str
    elsewhere: str
    submitted: float
    parts: tuple[Part, ...] = ()

    def is_of(self, request: Request) -> bool:
        """Whether this is what *request* would submit."""
        return self.digest == request.digest and self.arguments == request.arguments


class Mark(t.NamedTuple):
    """A submission that has begun.

    :arg token: what the job's comment holds.
    """

    token: str
    since: float
    digest: str
    arguments: tuple[str, ...]
    job_name: str


class RecordFile:
    """The files of one script's submissions.

    :arg path: of the record; the mark lies beside it.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._mark = path + ".submitting"

    def read(self) -> Record | None:
        """The record, or None where there is none."""
        value = _read(self.path)
        if value is None:
            return None
        try:
            parts = tuple(Part(**part) for part in value["parts"])
            fields = {name: value[name] for name in ("job_id", "digest", "cluster", "elsewhere", "submitted")}
            return Record(arguments=tuple(value["arguments"]), parts=parts, **fields)
        except (KeyError, TypeError):
            raise _unreadable(self.path) from None

    def write(self, record: Record) -> None:
        """Replace the record by one rename."""
        value = dict(record._asdict(), form=_FORM, parts=[part._asdict() for part in record.parts])
        write_atomically(self.path, (json.dumps(value, indent=1) + "\n").encode(), 0o600)

    def mark(self) -> Mark | None:
        """The mark, or None where nobody submits."""
        value = _read(self._mark)
        if value is None:
            return None
        try:
            return Mark(value["token"], value["since"], value["digest"], tuple(value["arguments"]), value["job_name"])
        except (KeyError, TypeError):
            raise _unreadable(self._mark) from None

    def begin(self, request: Request) -> Mark | None:
        """Make the mark; None where somebody else has."""
        mark = Mark("hpc.pytorch:" + uuid.uuid4().hex, time.time(), request.digest, request.arguments, request.job_name)
        # Whole at once: a link fails where there is one already.
        draft = "%s.%s" % (self._mark, mark.token[-12:])
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump(mark._asdict(), stream)
                stream.flush()
                os.fsync(stream.fileno())
            os.link(draft, self._mark)
        except FileExistsError:
            return None
        finally:
            os.unlink(draft)
        return mark

    def end(self, mark: Mark) -> None:
        """Remove the mark, where it is still this one."""
        now = self.mark()
        if now is not None and now.token == mark.token:
            os.unlink(self._mark)


def default_path(script: str) -> str:
    """Where the record of *script* lies: beside it, hidden."""
    folder, name = os.path.split(script)
    return os.path.join(folder, ".%s.hpc_pytorch_job" % name)


def _read(path: str) -> dict[str, t.Any] | None:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    with os.fdopen(handle, encoding="utf-8") as stream:
        try:
            value = json.load(stream)
        except ValueError:
            raise _unreadable(path) from None
    if not isinstance(value, dict):
        raise _unreadable(path)
    return value


def _unreadable(path: str) -> UserError:
    return UserError(
        "the record of a submission at %s" % path,
        "a file that is none, or of another version",
        "see with squeue whether the job is there; remove the file to submit again",
    )
