# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the files of a host so, after all of them have been judged. Private to hpc.pytorch."""

from __future__ import annotations

import os
import stat
import time
import typing as t

from .._common.redact import without_credentials
from .._files.folder import Folder, open_folder, open_parent
from .._files.trust import require_root_only_folder
from .look import NEW_FILE, NEW_FOLDER, WHAT, Look, look
from .request import Options, WantedFile


def declare(options: Options, write: bool, with_diff: bool) -> dict[str, t.Any]:
    """Judge all files, then write those that differ. Returns the module's result.

    :arg write: False only predicts the change.
    :raises UserError: nothing has been changed.
    :raises OSError: a file cannot be written; those before it are.
    """
    for path in options.only_root:
        require_root_only_folder(path)
    looks = [look(wanted) for wanted in options.files]
    files: list[dict[str, t.Any]] = []
    for found in looks:
        answer: dict[str, t.Any] = {"path": found.wanted.path, "state": found.wanted.state, "changed": found.changed}
        if found.changed and write:
            backup = make_so(found.wanted)
            if backup:
                answer["backup_file"] = backup
        files.append(answer)
    result: dict[str, t.Any] = {"changed": any(found.changed for found in looks), "files": files}
    if with_diff:
        result["diff"] = [_diff(found) for found in looks if found.changed]
    return result


def make_so(wanted: WantedFile) -> str | None:
    """Write one file, folder or symlink, or remove it. Returns the path of the backup, if one was made.

    :raises UserError: as root, another user could write there or on the way.
    """
    if wanted.state == "file":
        with open_parent(wanted.path, WHAT, make=True, top=wanted.top) as (folder, name):
            return _write(folder, name, wanted)
    parent, name = os.path.split(wanted.path)
    # A folder that is to be made has been refused in a sticky one.
    sticky = wanted.state == "directory"
    with open_folder(parent, WHAT, make=wanted.state != "absent", sticky=sticky, top=wanted.top) as folder:
        if wanted.state == "directory":
            _make_folder(folder, name, wanted)
        elif wanted.state == "link":
            folder.link(name, wanted.target)
        elif wanted.state == "touched":
            old = folder.stat(name)
            folder.touch(name, _mode(wanted, old))
        else:
            folder.remove(name)
    return None


def _write(folder: Folder, name: str, wanted: WantedFile) -> str | None:
    old = folder.stat(name)
    backup = None
    if old is not None and wanted.backup:
        before = folder.read(name) or b""
        if before != wanted.content:
            # As ansible's own modules name it.
            backup = "%s.%d.%s~" % (name, os.getpid(), time.strftime("%Y-%m-%d@%H:%M:%S"))
            folder.write(backup, before, stat.S_IMODE(old.st_mode), (old.st_uid, old.st_gid))
    ours = old is not None and old.st_uid == os.geteuid()
    owner = (old.st_uid, old.st_gid) if ours and old is not None else None
    if wanted.top != "/" and os.geteuid() == 0:
        owner = (0, 0)
    if wanted.owner is not None:
        owner = _owner(wanted.owner, owner or (-1, -1))
    folder.write(name, wanted.content, _mode(wanted, old), owner)
    return os.path.join(folder.path, backup) if backup else None


def _owner(wanted: tuple[int, int], kept: tuple[int, int]) -> tuple[int, int]:
    uid, gid = wanted
    return kept[0] if uid == -1 else uid, kept[1] if gid == -1 else gid


def _mode(wanted: WantedFile, old: os.stat_result | None) -> int:
    if wanted.mode is not None:
        return wanted.mode
    return NEW_FILE if old is None else stat.S_IMODE(old.st_mode)


def _make_folder(folder: Folder, name: str, wanted: WantedFile) -> None:
    old = folder.stat(name)
    if old is None:
        folder.make(name, NEW_FOLDER if wanted.mode is None and os.geteuid() == 0 else wanted.mode)
    elif stat.S_ISDIR(old.st_mode) and wanted.mode is not None:
        folder.chmod(name, stat.S_IMODE(old.st_mode) | wanted.mode)


def _diff(found: Look) -> dict[str, str]:
    wanted, before, after = found.wanted, "", ""
    if wanted.state == "file":
        before, after = _text(found.before), _text(wanted.content)
        if found.before == wanted.content:
            before, after = "mode %04o\n" % (found.mode or 0), "mode %04o\n" % _wanted_mode(found)
            if wanted.owner is not None and found.owner is not None:
                before += "owner %d, group %d\n" % found.owner
                after += "owner %d, group %d\n" % _owner(wanted.owner, found.owner)
    elif wanted.state == "directory":
        before = "" if found.mode is None else "folder, mode %04o\n" % found.mode
        after = "folder, mode %04o\n" % ((found.mode or 0) | _wanted_mode(found))
    elif wanted.state == "link":
        before, after = _text(found.before and found.before + b"\n"), wanted.target + "\n"
    elif wanted.state == "absent":
        before = _text(found.before) + "\n"
    else:
        before, after = "" if found.mode is None else "a file\n", "a file, touched\n"
    return {"before_header": wanted.path, "after_header": wanted.path, "before": before, "after": after}


def _wanted_mode(found: Look) -> int:
    if found.wanted.mode is not None:
        return found.wanted.mode
    return found.mode if found.mode is not None else NEW_FOLDER if found.wanted.state == "directory" else NEW_FILE


def _text(content: bytes | None) -> str:
    if content is None:
        return ""
    if b"\0" in content:
        return "(%d bytes that are no text)\n" % len(content)
    return without_credentials(content.decode("utf-8", "backslashreplace"))
