# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the last report, writes the new files, and keeps earlier ones. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import json
import os
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.disk import full_disk
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._files.folder import (
    Folder,
    open_existing,
    open_folder,
    open_parent,
)

from .history import complete
from .schema import SCHEMA_VERSION, Report

MODE = 0o644
# Of 10,000 nodes it has 20 MB.
_LARGEST = 256 * 1024 * 1024
_WHAT = "a folder for the report at"
JSON = "report.json"
HTML = "report.html"
# The first lines of the page name the collection that made it.
MARK = b'<meta name="generator" content="hpc.pytorch '


def dump(report: Report) -> bytes:
    """The text of report.json, with one line for each node, which suits grep and diff."""
    head = {key: value for key, value in report.items() if key != "nodes"}
    lines = json.dumps(head, indent=1, ensure_ascii=False, allow_nan=False)[: -len("\n}")]
    nodes = ",\n".join("  " + json.dumps(node, ensure_ascii=False, allow_nan=False) for node in report["nodes"])
    return ('%s,\n "nodes": [%s]\n}\n' % (lines, "\n%s\n " % nodes if nodes else "")).encode("utf-8")


def read_last(folder: str) -> Report | None:
    """The report in *folder*, or None if there is none or it has another schema.

    :raises UserError: the file there is not a report of ours and would be overwritten; or as root, another user could
        write there.
    """
    path = os.path.join(folder, JSON)
    content = _read(path, "a readable report at %s" % path)
    if content is None:
        return None
    try:
        last = json.loads(content)
    except (ValueError, RecursionError):
        last = None
    if (
        not isinstance(last, dict)
        or not isinstance(last.get("schema_version"), int)
        or not isinstance(last.get("nodes"), list)
        or not all(isinstance(node, dict) for node in last["nodes"])
    ):
        raise _not_ours(path)
    return complete(last) if last["schema_version"] == SCHEMA_VERSION else None


def require_ours(path: str) -> None:
    """Refuse to overwrite a page that is not a report of ours.

    :raises UserError: it is not, or cannot be read.
    """
    page = _read(path, "a readable page at %s" % path)
    if page is not None and MARK not in page[:2000]:
        raise _not_ours(path)


def _read(path: str, expected: str) -> bytes | None:
    """The content of a regular file; None if there is none."""
    try:
        with _refusing(), open_existing(os.path.dirname(path), _WHAT) as place:
            if place is None:
                return None
        with _refusing(), open_parent(path, _WHAT) as (place, name):
            return place.read(name, _LARGEST)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(
            expected,
            error.strerror or str(error),
            "let the user of ansible-playbook read it, or name another torch_check_report_dir",
        ) from error


def replace(folder: str, contents: t.Mapping[str, bytes], generated: str | None, keep: int) -> None:
    """Write the files of a report, by their paths in *folder*.

    :arg generated: the time of the report that they replace, or None.
    :arg keep: how many earlier reports to keep.
    :raises UserError: they cannot be written; each file is the old or the new one.
    """
    try:
        with _refusing(), open_folder(folder, _WHAT, make=True) as place:
            for path, content in contents.items():
                name = os.path.basename(path)
                if generated is not None:
                    _keep_earlier(place, name, generated, keep)
                # For everyone to read. A link there is replaced, not followed.
                place.write(name, content, MODE)
    except OSError as error:
        raise full_disk(error, folder) or UserError(
            "a writable folder at %s" % folder,
            "%s: %s" % (error.strerror, error.filename),
            "set torch_check_report_dir to a folder that the user of ansible-playbook can write to",
        ) from error


@contextlib.contextmanager
def _refusing() -> t.Iterator[None]:
    """Name the remedy for the controller, where no task can become another user."""
    try:
        yield
    except UserError as error:
        raise UserError(
            error.expected, error.found, "set torch_check_report_dir to a folder in which only root can write"
        ) from error


def _keep_earlier(place: Folder, name: str, generated: str, keep: int) -> None:
    """Link the file to a name with its time, and remove all but the *keep* newest of such names."""
    stem, extension = os.path.splitext(name)
    if keep:
        stamp = "".join(char for char in generated if char.isalnum())
        # A hard link: at every moment there is a file of that name.
        with contextlib.suppress(FileNotFoundError, FileExistsError):
            place.add_name(name, "%s-%s%s" % (stem, stamp, extension))
    for old in sorted(_earlier(place.names(), stem, extension), reverse=True)[keep:]:
        place.remove(old)


def _earlier(present: t.Iterable[str], stem: str, extension: str) -> list[str]:
    # report-20261124T080000Z.json, and no file that a person may have put there.
    names = [name for name in present if name.startswith(stem + "-") and name.endswith(extension)]
    return [name for name in names if _is_stamp(name[len(stem) + 1 : len(name) - len(extension)])]


def _is_stamp(text: str) -> bool:
    return len(text) == 16 and text[8] == "T" and text[15] == "Z" and (text[:8] + text[9:15]).isdigit()


def _not_ours(path: str) -> UserError:
    return UserError(
        "no file at %s, or a report that hpc.pytorch wrote" % path,
        "another file",
        "name another torch_check_report_dir",
    )
