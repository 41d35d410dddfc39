# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of ``host_files``, checked. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import base64
import os
import re
import typing as t

from .._common.errors import UserError, shown
from .._files.paths import require_absolute

STATES = ("file", "directory", "link", "absent", "touched")
_WITH_MODE = ("file", "directory", "touched")
_FILE: dict[str, t.Any] = {
    "path": {"type": "path", "required": True},
    "state": {"type": "str", "choices": list(STATES), "default": "file"},
    "content": {"type": "str"},
    "content_base64": {"type": "str"},
    # The action plugin replaces it.
    "src": {"type": "str"},
    "target": {"type": "str"},
    "mode": {"type": "str"},
    "backup": {"type": "bool", "default": False},
}
# What AnsibleModule takes for the options. Here and not in the module: Ansible packs no module into another one.
ARGUMENTS: dict[str, t.Any] = {
    "argument_spec": {
        "files": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": _FILE,
            "required_if": [
                ("state", "file", ["content", "content_base64"], True),
                ("state", "link", ["target"]),
            ],
            "mutually_exclusive": [("content", "content_base64")],
        },
        "only_root": {"type": "list", "elements": "path", "default": []},
    },
}


class WantedFile(t.NamedTuple):
    """An entry of a file system as it should be.

    :arg state: one of :data:`STATES`.
    :arg content: of a file.
    :arg target: of a link.
    :arg mode: exact for a file; the least for a folder; None keeps that of an existing one.
    :arg backup: whether to keep a file that is replaced, under another name.
    :arg sha256: of the content, in its place: then the file can be compared, and not written.
    :arg owner: uid and gid of a file, -1 for the one that it has without this.
    :arg top: the folder that stands for ``/`` in *path*, see :func:`.._files.folder.open_folder`.
    """

    path: str
    state: str = "file"
    content: bytes = b""
    target: str = ""
    mode: int | None = None
    backup: bool = False
    top: str = "/"
    sha256: str = ""
    owner: tuple[int, int] | None = None


class Options(t.NamedTuple):
    """The options of ``host_files``.

    :arg only_root: paths that no other user than root may be able to write.
    """

    files: tuple[WantedFile, ...]
    only_root: tuple[str, ...]

    @classmethod
    def of(cls, params: t.Mapping[str, t.Any]) -> Options:
        """The options in a module's parameters.

        :raises UserError: one of them makes no sense.
        """
        files = tuple(wanted_file(given) for given in params["files"])
        require_each_once(files)
        for path in params["only_root"]:
            require_absolute("only_root", path)
        return cls(files, tuple(params["only_root"]))


def require_each_once(files: t.Sequence[WantedFile]) -> None:
    """Refuse a path that is there twice.

    :raises UserError: one is.
    """
    paths = [file.path for file in files]
    for path in paths:
        if paths.count(path) > 1:
            raise UserError("each path in files once", "%s twice" % path, "remove one of the two")


def wanted_file(given: t.Mapping[str, t.Any]) -> WantedFile:
    """One entry of the option ``files``.

    :raises UserError: its values do not fit together.
    """
    require_absolute("path", given["path"])
    path, state = given["path"].rstrip("/"), given["state"]
    if os.path.basename(path) in ("", ".", ".."):
        raise UserError("path to end with the name of a file or folder", shown(given["path"]), "give its whole path")
    for option, states in (("content", ("file",)), ("content_base64", ("file",)), ("target", ("link",))):
        if given[option] is not None and state not in states:
            raise UserError("%s only with state %s" % (option, states[0]), "state %s" % state, "remove %s" % option)
    if given["target"] == "":
        raise UserError("target to be a path", "an empty text", "give the path that the link leads to")
    if given["mode"] is not None and state not in _WITH_MODE:
        raise UserError("mode only with state %s" % ", ".join(_WITH_MODE), "state %s" % state, "remove mode")
    return WantedFile(path, state, _content(given), given["target"] or "", _mode(given["mode"]), given["backup"])


def _content(given: t.Mapping[str, t.Any]) -> bytes:
    if given["content_base64"] is None:
        return (given["content"] or "").encode("utf-8", "surrogateescape")
    try:
        return base64.b64decode(given["content_base64"], validate=True)
    except ValueError as error:
        raise UserError(
            "content_base64 of %s to be base64" % given["path"], str(error), "encode it with the filter b64encode"
        ) from error


def _mode(text: str | None) -> int | None:
    if text is None:
        return None
    if not re.fullmatch(r"0?[0-7]{3,4}", text):
        raise UserError("mode to be an octal number in quotes", shown(text), 'write it as in "0644"')
    return int(text, 8)
