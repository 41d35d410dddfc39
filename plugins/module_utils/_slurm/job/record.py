# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a submission, next to the script, and the mark of one that is not finished. Private to hpc.pytorch.

Before sbatch runs, a mark with a token is made, which only one process can do (a link, on NFS too); the job carries the
token in its comment. Then the record is written and the mark removed. A run that finds a mark knows that another one is
submitting now, or was killed while it did, and finds that job by its token.
"""

from __future__ import annotations

import errno
import json
import os
import time
import typing as t
import uuid

from ..._common.errors import UserError
from ..._files.files import write_atomically
from ..._files.folder import open_folder
from ..model.job.part import Part
from .request import Request

_FORM = 1
# What every token begins with.
TOKEN = "hpc.pytorch:"
# An array of 100,000 tasks takes half of it.
_LARGEST = 64 * 1024 * 1024


class Record(t.NamedTuple):
    """A job that was submitted.

    :arg digest: of the script's content.
    :arg cluster: the cluster that it was submitted to.
    :arg elsewhere: the same if the script names it (``--clusters``), so that commands need the name; else empty.
    :arg submitted: when, in seconds since 1970.
    :arg parts: as they were last seen.
    :arg token: its mark in the job's comment; empty in a record of an earlier version.
    """

    job_id: str
    digest: str
    arguments: tuple[str, ...]
    cluster: str
    elsewhere: str
    submitted: float
    parts: tuple[Part, ...] = ()
    token: str = ""

    def is_of(self, request: Request) -> bool:
        """Whether this is what *request* would submit."""
        return self.digest == request.digest and self.arguments == request.arguments


class Mark(t.NamedTuple):
    """A submission that has begun.

    :arg token: part of the job's comment.
    :arg clusters: where the job was sent, as ``--clusters`` has it; empty for this machine's own cluster.
    :arg owner: the user whom root submitted it for, as ``--uid`` has it; empty for the caller.
    :arg over: sbatch has ended and reported that Slurm does not have the job.
    """

    token: str
    since: float
    digest: str
    arguments: tuple[str, ...]
    job_name: str
    clusters: str = ""
    owner: str = ""
    over: bool = False


class RecordFile:
    """The files of one script's submissions.

    :arg path: of the record; the mark is next to it.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._mark = path + ".submitting"

    def read(self) -> Record | None:
        """The record; None if there is none."""
        value = _read(self.path)
        if value is None:
            return None
        try:
            parts = tuple(_part(part) for part in value["parts"])
            texts = {name: _text(value[name]) for name in ("job_id", "digest", "cluster", "elsewhere")}
            arguments = tuple(_text(argument) for argument in value["arguments"])
            token = _text(value.get("token", ""))
            return Record(arguments=arguments, parts=parts, submitted=float(value["submitted"]), token=token, **texts)
        except (KeyError, TypeError, ValueError, OverflowError):
            raise _unreadable(self.path) from None

    def write(self, record: Record) -> None:
        """Replace the record with one rename."""
        value = dict(record._asdict(), form=_FORM, parts=[part._asdict() for part in record.parts])
        write_atomically(self.path, (json.dumps(value, indent=1) + "\n").encode(), 0o600)

    def mark(self) -> Mark | None:
        """The mark; None if no submission is under way."""
        value = _read(self._mark)
        if value is None:
            return None
        try:
            texts = {name: _text(value[name]) for name in ("token", "digest", "job_name")}
            arguments = tuple(_text(argument) for argument in value["arguments"])
            texts.update({name: _text(value.get(name, "")) for name in ("clusters", "owner")})
            over = value.get("over", False) is True
            return Mark(arguments=arguments, since=float(value["since"]), over=over, **texts)
        except (KeyError, TypeError, ValueError, OverflowError):
            raise _unreadable(self._mark) from None

    def begin(self, request: Request) -> Mark | None:
        """Make the mark; None if another run has."""
        token = TOKEN + uuid.uuid4().hex
        mark = Mark(
            token,
            time.time(),
            request.digest,
            request.arguments,
            request.job_name,
            request.option("clusters"),
            request.option("uid"),
        )
        # A link makes it complete at once, and fails if there is one already.
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

    def note_end(self, mark: Mark) -> None:
        """Note in the mark that sbatch has ended without a job, for the run that asks Slurm whether that is true."""
        now = self.mark()
        if now is not None and now.token == mark.token:
            write_atomically(self._mark, json.dumps(mark._replace(over=True)._asdict()).encode(), 0o600)

    def end(self, mark: Mark) -> None:
        """Remove the mark if it is still this one."""
        now = self.mark()
        if now is not None and now.token == mark.token:
            os.unlink(self._mark)


def default_path(script: str) -> str:
    """The record of *script*: ``/home/alice/.train.sh.hpc_pytorch_job`` for ``/home/alice/train.sh``."""
    folder, name = os.path.split(script)
    return os.path.join(folder, ".%s.hpc_pytorch_job" % name)


def _read(path: str) -> dict[str, t.Any] | None:
    try:
        with open_folder(os.path.dirname(path), "a place for the record at", sticky=True) as folder:
            content = folder.read(os.path.basename(path), _LARGEST)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise _unreadable(path) from None
        raise
    if content is None:
        return None
    try:
        value = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        raise _unreadable(path) from None
    if not isinstance(value, dict):
        raise _unreadable(path)
    return value


def _text(value: t.Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _part(value: t.Mapping[str, t.Any]) -> Part:
    part = Part(**value)
    for field, default in zip(part, Part("", "")):
        if type(field) is not type(default):
            raise TypeError("a field of another type")
    return part


def _unreadable(path: str) -> UserError:
    return UserError(
        "a record of a submission at %s" % path,
        "a file of another kind or version",
        "check with squeue whether the job is there; remove the file to submit again",
    )
