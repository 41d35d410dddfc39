# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the files of a node so: on this machine, in a tree of an image, or in an archive. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from .._common.errors import UserError
from .._host import declare as host
from .._host.look import NEW_FILE
from .._host.request import Options as HostOptions, WantedFile
from .request import NodeFile, Options, WantedToolkit
from .tree import has_folder, is_ours, require_root_only


def declare(
    options: Options,
    write: bool,
    with_diff: bool,
    environment: t.Mapping[str, str],
    warn: t.Callable[[str], None],
) -> dict[str, t.Any]:
    """Judge the toolkit and all files, then write those that differ. Returns the module's result.

    :arg write: False only predicts the change.
    :arg warn: called with each warning.
    :raises UserError: nothing has been changed.
    :raises OSError: a file cannot be written; those before it are.
    """
    toolkit = None
    if options.toolkit and not options.is_image:
        toolkit = _checked_toolkit(options.toolkit, environment, warn)
    if options.tar is not None:
        result = _in_archive(options, options.tar, write, with_diff)
    else:
        result = _in_tree(options, write, with_diff)
    return dict(result, toolkit=toolkit)


def _checked_toolkit(
    wanted: WantedToolkit, environment: t.Mapping[str, str], warn: t.Callable[[str], None]
) -> dict[str, t.Any]:
    """The toolkit at the folder, without a question to the driver or a GPU.

    :raises UserError: there is none, or another version.
    """
    # Imported here: most nodes have none to check.
    from .._cuda.toolkit import checked_toolkit

    toolkit, warnings = checked_toolkit(wanted.home, wanted.version, environment)
    for warning in warnings:
        warn(warning)
    return {name: getattr(toolkit, name) for name in ("home", "version", "source", "lib_dir")}


def _in_tree(options: Options, write: bool, with_diff: bool) -> dict[str, t.Any]:
    files = [_chosen(file, options) for file in options.files]
    for file in files:
        for path in file.only_root:
            require_root_only(path, options.root)
    wanted = [file.wanted for file in files if file.wanted.state == "file" or is_ours(file.wanted, file.begins_with)]
    result = host.declare(HostOptions(tuple(wanted), ()), write, with_diff)
    answers = {each["path"]: each for each in result["files"]}
    # A file that is to be absent, and is not one of ours, is left alone.
    for file in files:
        path = file.wanted.path
        answers.setdefault(path, {"path": path, "state": file.wanted.state, "changed": False})
    return dict(result, files=[answers[file.wanted.path] for file in files])


def _in_archive(options: Options, path: str, write: bool, with_diff: bool) -> dict[str, t.Any]:
    # Imported here: a node needs no tarfile.
    from .archive import Member, archive_of

    files = [_chosen(file, options).wanted for file in options.files if file.wanted.state == "file"]
    content = archive_of(
        Member(file.path, NEW_FILE if file.mode is None else file.mode, file.content) for file in files
    )
    return host.declare(HostOptions((WantedFile(path, content=content, mode=NEW_FILE),), ()), write, with_diff)


def _chosen(file: NodeFile, options: Options) -> NodeFile:
    """*file* with the content that fits the machine, and with its folder among those that only root may write.

    :raises UserError: no folder of its choices exists, or an archive leaves it open which one will.
    """
    if not file.choices:
        return file
    choice = None
    if options.tar is None:
        choice = next((each for each in file.choices if has_folder(each.folder, options.root)), None)
    # An image needs no folder that its machine mounts later, if there is nothing to choose.
    if choice is None and options.is_image and len(file.choices) == 1:
        choice = file.choices[0]
    if choice is None:
        raise UserError(
            "a folder %s, on which %s depends" % (" or ".join(each.folder for each in file.choices), file.wanted.path),
            "an archive, which cannot show which one the machine has" if options.tar else "none of them",
            file.remedy,
        )
    wanted = file.wanted._replace(content=choice.content.encode("utf-8", "surrogateescape"))
    return file._replace(wanted=wanted, only_root=(*file.only_root, choice.folder))
