# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option ``files`` of sbatch_script: files next to the job script. Private to hpc.pytorch."""

from __future__ import annotations

import os
import typing as t

from ..._common.errors import UserError, printable, shown
from ..._host.attributes import Attributes, asked
from ..._host.request import WantedFile, require_each_once, wanted_file

# What AnsibleModule takes for an element. The action plugin replaces src.
ELEMENT: dict[str, dict[str, t.Any]] = {
    "name": {"type": "str", "required": True},
    "src": {"type": "str"},
    "content": {"type": "str"},
    "content_base64": {"type": "str"},
}
_MODE = "0644"


def wanted_files(params: t.Mapping[str, t.Any], dest: str) -> tuple[WantedFile, ...]:
    """The files in the folder of the script *dest*, with its owner and group where the task names them.

    :arg dest: an absolute path.
    :raises UserError: a name is not that of another file in the folder, or there is not one content.
    """
    given = params.get("files") or ()
    if not given:
        return ()
    folder = os.path.dirname(dest)
    _mode, uid, gid = asked(dict(params, mode=None), Attributes(0, -1, -1))
    files = tuple(_wanted(each, folder) for each in given)
    require_each_once(files)
    for file in files:
        # A symlink may lead from one name to the other.
        if os.path.realpath(file.path) == os.path.realpath(dest):
            raise UserError("files to be other files than the script", file.path, "choose another name")
    return tuple(file._replace(owner=None if (uid, gid) == (-1, -1) else (uid, gid)) for file in files)


def _wanted(given: t.Mapping[str, t.Any], folder: str) -> WantedFile:
    name = given["name"]
    if name in ("", ".", "..") or "/" in name or not printable(name):
        raise UserError(
            "name in files to be the name of a file in the folder of dest", shown(name), "give the name without a path"
        )
    contents = [option for option in ("content", "content_base64") if given[option] is not None]
    if len(contents) != 1:
        raise UserError(
            "one of src, content and content_base64 for %s in files" % name,
            " and ".join(contents) or "none of them",
            "give one of them",
        )
    entry = {option: given[option] for option in ("content", "content_base64")}
    return wanted_file(
        dict(entry, path=os.path.join(folder, name), state="file", target=None, mode=_MODE, backup=False)
    )
