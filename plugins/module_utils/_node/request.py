# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of ``node_files``, checked. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import os
import typing as t

from .._common.errors import UserError, shown
from .._files.paths import require_absolute
from .._host.request import WantedFile, require_each_once, wanted_file

_CONTENT = {"folder": {"type": "path", "required": True}, "content": {"type": "str", "required": True}}
_FILE: dict[str, t.Any] = {
    "path": {"type": "path", "required": True},
    "state": {"type": "str", "choices": ["file", "absent"], "default": "file"},
    "content": {"type": "str"},
    "content_by_folder": {"type": "list", "elements": "dict", "default": [], "options": _CONTENT},
    "remedy": {"type": "str", "default": "install what makes one of them"},
    "begins_with": {"type": "list", "elements": "str", "default": []},
    "mode": {"type": "str"},
    "only_root": {"type": "list", "elements": "path", "default": []},
}
TOOLKIT = {"home": {"type": "path", "required": True}, "version": {"type": "str"}}
# What AnsibleModule takes for the options. Here and not in the module: its action checks them, too.
ARGUMENTS: dict[str, t.Any] = {
    "argument_spec": {
        "files": {"type": "list", "elements": "dict", "default": [], "options": _FILE},
        "toolkit": {"type": "dict", "options": TOOLKIT},
        "root": {"type": "path", "default": "/"},
        "tar": {"type": "path"},
    },
}


class Choice(t.NamedTuple):
    """A content for machines that have a folder."""

    folder: str
    content: str


class NodeFile(t.NamedTuple):
    """A file as a role asks for it on a node.

    :arg choices: if there are any, the first one whose folder exists has the content.
    :arg remedy: what the user can do if none of those folders exists.
    :arg only_root: paths that only root may be able to write, as the file makes other users run what is in them.
    :arg begins_with: of a file that is to go: the texts with which one of ours begins.
    """

    wanted: WantedFile
    choices: tuple[Choice, ...]
    remedy: str
    only_root: tuple[str, ...]
    begins_with: tuple[str, ...]


class WantedToolkit(t.NamedTuple):
    """The CUDA toolkit that the node must have.

    :arg version: None accepts any.
    """

    home: str
    version: str | None


class Options(t.NamedTuple):
    """The options of ``node_files``.

    :arg root: the tree to write to, ``/`` for this machine.
    :arg tar: the archive to write instead of a tree.
    """

    files: tuple[NodeFile, ...]
    toolkit: WantedToolkit | None
    root: str
    tar: str | None

    @property
    def is_image(self) -> bool:
        """Whether the files are for a machine that boots later."""
        return self.root != "/" or self.tar is not None

    @classmethod
    def of(cls, params: t.Mapping[str, t.Any]) -> Options:
        """The options in a module's parameters.

        :raises UserError: one of them makes no sense.
        """
        root, tar = params["root"], params["tar"]
        require_absolute("root", root)
        require_absolute("tar", tar)
        if tar is not None and not tar.endswith(".tar"):
            raise UserError(
                "tar to end with .tar, as it is not compressed",
                shown(tar),
                "give such a name, and compress it afterwards",
            )
        root = os.path.normpath(root) if root and root.strip("/") else "/"
        if tar is not None and root != "/":
            raise UserError("one of root and tar", "both", "run the task once for each")
        files = tuple(_node_file(given, root) for given in params["files"])
        require_each_once([file.wanted for file in files])
        toolkit = params["toolkit"]
        return cls(files, WantedToolkit(toolkit["home"], toolkit["version"]) if toolkit else None, root, tar)


def _node_file(given: t.Mapping[str, t.Any], root: str) -> NodeFile:
    state, path = given["state"], given["path"]
    choices = tuple(Choice(each["folder"], each["content"]) for each in given["content_by_folder"])
    for option, paths in (("only_root", given["only_root"]), ("folder", [each.folder for each in choices])):
        for each in paths:
            require_absolute(option, each)
    if state == "file" and (given["content"] is None) != bool(choices):
        raise UserError(
            "either content or content_by_folder for %s" % shown(path),
            "both" if choices else "neither",
            "give one of them",
        )
    if state == "absent" and (choices or not given["begins_with"]):
        raise UserError(
            "begins_with and no content for %s, which is to be absent" % shown(path),
            "content_by_folder" if choices else "no begins_with",
            "name the texts with which a file begins that may be removed",
        )
    if ".." in path.split("/"):
        raise UserError("a path without '..' in files", shown(path), "give the path without it")
    plain = {name: given[name] for name in ("path", "state", "content", "mode")}
    wanted = wanted_file(dict(plain, content_base64=None, target=None, backup=False))._replace(top=root)
    return NodeFile(wanted, choices, given["remedy"], tuple(given["only_root"]), tuple(given["begins_with"]))
