# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the last report, writes the new files, and keeps earlier ones. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import tempfile
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError

from .schema import SCHEMA_VERSION, Report

MODE = 0o644
JSON = "report.json"
HTML = "report.html"
# The first lines of the page name the collection that made it.
MARK = b'<meta name="generator" content="hpc.pytorch '


def collection_version() -> str:
    """The version of this collection: an installed one has MANIFEST.json, a checkout galaxy.yml."""
    root = pathlib.Path(__file__).parents[3]
    with contextlib.suppress(FileNotFoundError):
        return str(json.loads((root / "MANIFEST.json").read_text(encoding="utf-8"))["collection_info"]["version"])
    match = re.search(r"^version: *(\S+)", (root / "galaxy.yml").read_text(encoding="utf-8"), re.MULTILINE)
    return match[1] if match else "unknown"


def dump(report: Report) -> bytes:
    """The text of report.json, with one line for each node, which suits grep and diff."""
    head = {key: value for key, value in report.items() if key != "nodes"}
    lines = json.dumps(head, indent=1, ensure_ascii=False, allow_nan=False)[: -len("\n}")]
    nodes = ",\n".join("  " + json.dumps(node, ensure_ascii=False, allow_nan=False) for node in report["nodes"])
    return ('%s,\n "nodes": [%s]\n}\n' % (lines, "\n%s\n " % nodes if nodes else "")).encode("utf-8")


def read_last(folder: str) -> Report | None:
    """The report in *folder*, or None if there is none or it has another schema.

    :raises UserError: the file there is not a report of ours and would be overwritten.
    """
    path = os.path.join(folder, JSON)
    try:
        with open(path, "rb") as stream:
            content = stream.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(
            "a readable report at %s" % path,
            error.strerror or str(error),
            "let the user of ansible-playbook read it, or name another torch_check_report_dir",
        ) from error
    try:
        last = json.loads(content)
    except ValueError:
        last = None
    if (
        not isinstance(last, dict)
        or not isinstance(last.get("schema_version"), int)
        or not isinstance(last.get("nodes"), list)
    ):
        raise _not_ours(path)
    return t.cast(Report, last) if last["schema_version"] == SCHEMA_VERSION else None


def require_ours(path: str) -> None:
    """Refuse to overwrite a page that is not a report of ours."""
    try:
        with open(path, "rb") as stream:
            head = stream.read(2000)
    except FileNotFoundError:
        return
    if MARK not in head:
        raise _not_ours(path)


def replace(folder: str, contents: t.Mapping[str, bytes], generated: str | None, keep: int) -> None:
    """Write the files of a report, by their paths in *folder*.

    :arg generated: the time of the report that they replace, or None.
    :arg keep: how many earlier reports to keep.
    :raises UserError: they cannot be written; each file is the old or the new one.
    """
    try:
        os.makedirs(folder, exist_ok=True)
        for path, content in contents.items():
            if generated is not None:
                _keep_earlier(path, generated, keep)
            _write(path, content)
    except OSError as error:
        raise UserError(
            "a writable folder at %s" % folder,
            "%s: %s" % (error.strerror, error.filename),
            "set torch_check_report_dir to a folder that the user of ansible-playbook can write to",
        ) from error


def _write(path: str, content: bytes) -> None:
    """Put *content* at *path* by one rename, for everyone to read. A link there is replaced, not followed."""
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".%s." % os.path.basename(path))
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            os.fchmod(stream.fileno(), MODE)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _keep_earlier(path: str, generated: str, keep: int) -> None:
    """Link the file at *path* to a name with its time, and remove all but the *keep* newest of such names."""
    folder, name = os.path.split(path)
    stem, extension = os.path.splitext(name)
    if keep:
        stamp = "".join(char for char in generated if char.isalnum())
        with contextlib.suppress(FileNotFoundError):
            # A hard link: at every moment there is a file at path.
            earlier = os.path.join(folder, "%s-%s%s" % (stem, stamp, extension))
            with contextlib.suppress(FileExistsError):
                os.link(path, earlier, follow_symlinks=False)
    for old in sorted(_earlier(folder, stem, extension), reverse=True)[keep:]:
        os.unlink(os.path.join(folder, old))


def _earlier(folder: str, stem: str, extension: str) -> list[str]:
    # report-20261124T080000Z.json, and no file that a person may have put there.
    names = [name for name in os.listdir(folder) if name.startswith(stem + "-") and name.endswith(extension)]
    return [name for name in names if _is_stamp(name[len(stem) + 1 : len(name) - len(extension)])]


def _is_stamp(text: str) -> bool:
    return len(text) == 16 and text[8] == "T" and text[15] == "Z" and (text[:8] + text[9:15]).isdigit()


def _not_ours(path: str) -> UserError:
    return UserError(
        "no file at %s, or a report that hpc.pytorch wrote" % path,
        "another file",
        "name another torch_check_report_dir",
    )
