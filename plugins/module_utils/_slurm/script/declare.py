# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks, renders and writes a job script on the target. Private to hpc.pytorch."""

from __future__ import annotations

import os
import re
import stat
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..._common.errors import UserError, printable, shown
from ..._common.lines import lines_of
from ..._files.files import umask
from ..._files.folder import open_existing, open_parent
from ..._host.attributes import Attributes, asked, of_file
from ..._host.declare import declare as declare_files
from ..._host.request import Options as FileOptions
from ..client import read_cluster
from ..lint.by_version import NO_FOLDER
from .extra_files import wanted_files
from .limits import violations
from .parameters import Options
from .render import Script, render

_WHAT = "a place for the job script at"


def declare(module: AnsibleModule, options: Options) -> dict[str, t.Any]:
    """Check, render and write the script, then the files next to it.

    :raises UserError: nothing has been changed; or the script is written, and a file may not be.
    """
    asked, dest = options.check_cluster, options.dest
    cluster = None if asked == "false" else read_cluster(required=asked == "true")
    script = render(options, cluster.version if cluster else None)
    found = violations(script.directives, cluster) if cluster else []
    if found:
        raise found[0]
    _require_writable(dest, may_make_folder=options.make_folder or module.check_mode)
    files = wanted_files(module.params, dest)
    _require_syntax(module, script)
    for warning in [*script.warnings, *_missing_folders(script, dest)]:
        module.warn(warning)
    result = dict(_write(module, dest, script), content=script.content, directives=script.directives)
    written = declare_files(FileOptions(files, ()), write=not module.check_mode, with_diff=module._diff)
    result["changed"] |= written["changed"]
    result["diff"] += written.get("diff", [])
    return dict(result, files=written["files"])


def _require_writable(dest: str, may_make_folder: bool) -> None:
    """Refuse a *dest* that cannot be a job script, or that another user could replace while root writes it.

    :arg may_make_folder: whether the folder may be missing.
    :raises UserError: nothing has been changed.
    """
    folder = os.path.dirname(dest)
    if not os.path.isabs(dest) or not printable(dest) or dest.endswith("/"):
        raise UserError("dest to be an absolute path of a file", shown(dest), "correct dest")
    if not os.path.isdir(folder) and not (may_make_folder and not os.path.lexists(folder)):
        raise UserError(
            "a folder for %s" % dest, "no folder %s" % folder, "make it first, give make_folder: true, or correct dest"
        )
    if os.path.islink(dest) and not os.path.isfile(dest):
        raise UserError("dest to be a file, or not to exist", "%s, a dangling symbolic link" % dest, "remove the link")
    if os.path.lexists(dest) and not stat.S_ISREG(os.stat(dest).st_mode):
        raise UserError("dest to be a file, or not to exist", "%s, which is not a file" % dest, "correct dest")
    _look(dest)


class _Look(t.NamedTuple):
    """What is at dest: the text and the attributes of the file, None if there is no file."""

    text: str | None
    attributes: Attributes | None
    has_folder: bool


def _look(dest: str) -> _Look:
    """Read the file at *dest*, if there is one.

    :raises UserError: as root, another user could write there or on the way.
    """
    try:
        try:
            with open_parent(dest, _WHAT, sticky=True) as (folder, name):
                status, content = folder.stat(name), folder.read(name)
                if os.geteuid() == 0 and status is not None and status.st_uid != 0 and folder.is_shared():
                    raise UserError("", "%s belongs to uid %d" % (dest, status.st_uid), "")
        except FileNotFoundError:
            with open_existing(os.path.dirname(dest), _WHAT):
                return _Look(None, None, has_folder=False)
    except UserError as error:
        raise _refusal(dest, error) from error
    text = None if content is None else content.decode("utf-8", "surrogateescape")
    return _Look(text, None if status is None else of_file(status), has_folder=True)


def _refusal(dest: str, error: UserError) -> UserError:
    return UserError(
        "dest to be a path that only root can write, as this runs as root: %s" % dest,
        error.found,
        "write it as its owner with become_user, or choose a folder that belongs to root",
    )


def _missing_folders(script: Script, dest: str) -> t.Iterator[str]:
    """Warn about each missing folder for the output of the job, unless Slurm makes it."""
    directives, who = script.directives, NO_FOLDER.of(script.slurm)
    if not who:
        return
    start = str(directives.get("chdir") or os.path.dirname(dest))
    for name in ("output", "error"):
        path = os.path.join(start, str(directives.get(name) or ""))
        folder = os.path.dirname(path)
        if name in directives and folder != os.path.dirname(dest) and "%" not in folder and not os.path.isdir(folder):
            yield (
                "%s goes to the folder %s, which does not exist: %s does not make it, and the job ends without "
                "a message; make the folder before you submit the job" % (name, folder, who)
            )


def _require_syntax(module: AnsibleModule, script: Script) -> None:
    """Check the syntax of the script with bash -n, and of each option with shell code by itself.

    Incomplete code (an open quote, a here-document without an end) would swallow the lines after it.

    :raises UserError: with the first line of bash's message.
    """
    bash = module.get_bin_path("bash")
    if not bash:
        raise UserError("bash on the target to check the job script", "no bash", "install bash there")
    for name, code in [*script.blocks.items(), ("the script", script.content)]:
        _rc, _out, err = module.run_command(
            [bash, "--norc", "--noprofile", "-n"],
            data=code + "\n",
            binary_data=True,
            environ_update={"LC_ALL": "C.UTF-8"},
            cwd="/",
        )
        if err.strip():
            message = re.sub(r"^\S*bash: ", "", lines_of(err.strip())[0])
            raise UserError("%s to be complete lines of bash" % name, message, "correct it; close quotes and blocks")


def _write(module: AnsibleModule, dest: str, script: Script) -> dict[str, t.Any]:
    """Write the script, with its attributes, if the content or one of them differs."""
    found = _look(dest)
    start = found.attributes or Attributes(0o755 & ~umask(), os.geteuid(), os.getegid())
    wanted = asked(module.params, start)
    differs = found.attributes is not None and wanted != found.attributes
    changed = found.text != script.content or differs
    if changed and not module.check_mode:
        try:
            with open_parent(dest, _WHAT, make=True, sticky=True) as (folder, name):
                given = found.attributes or module.params["owner"] or module.params["group"]
                folder.write(name, script.content.encode(), wanted.mode, (wanted.uid, wanted.gid) if given else None)
        except UserError as error:
            raise _refusal(dest, error) from error
    diff: list[dict[str, t.Any]] = [
        {"before_header": dest, "after_header": dest, "before": found.text or "", "after": script.content}
    ]
    if differs and found.attributes is not None:
        diff.append({"before": found.attributes.shown(), "after": wanted.shown()})
    return {"changed": changed, "diff": diff, "dest": dest, "folder_made": not found.has_folder}
