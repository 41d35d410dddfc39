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
from ..._files.files import write_atomically
from ..._files.trust import untrusted_because
from ..client import read_cluster
from ..sbatch.script_text import Directives
from .limits import violations
from .parameters import Options
from .render import Script, render


def declare(module: AnsibleModule, options: Options) -> dict[str, t.Any]:
    """Check, render and write the script.

    :raises UserError: nothing has been changed.
    """
    asked, dest = options.check_cluster, options.dest
    cluster = None if asked == "false" else read_cluster(required=asked == "true")
    script = render(options, cluster.version if cluster else None)
    found = violations(script.directives, cluster) if cluster else []
    if found:
        raise found[0]
    _require_writable(dest, may_make_folder=options.make_folder or module.check_mode)
    _require_syntax(module, script)
    for warning in [*script.warnings, *_missing_folders(script.directives, dest)]:
        module.warn(warning)
    return dict(_write(module, dest, script), content=script.content, directives=script.directives)


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
    if os.geteuid() == 0:
        reason = untrusted_because(dest)
        # A missing path has only trusted folders above it.
        if reason and not reason.endswith(" does not exist"):
            raise UserError(
                "dest to be a path that only root can write, as this runs as root: %s" % dest,
                reason,
                "write it as its owner with become_user, or choose a folder that belongs to root",
            )


def _read(dest: str) -> str | None:
    """Read the text at *dest*, or None if there is no file."""
    try:
        with open(dest, encoding="utf-8", errors="surrogateescape", newline="") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def _missing_folders(directives: Directives, dest: str) -> t.Iterator[str]:
    """Warn about each missing folder for the output of the job."""
    start = str(directives.get("chdir") or os.path.dirname(dest))
    for name in ("output", "error"):
        path = os.path.join(start, str(directives.get(name) or ""))
        folder = os.path.dirname(path)
        if name in directives and folder != os.path.dirname(dest) and "%" not in folder and not os.path.isdir(folder):
            yield (
                "%s goes to the folder %s, which does not exist: Slurm does not make it, and the job ends without "
                "a message; make the folder before you submit the job" % (name, folder)
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
        )
        if err.strip():
            message = re.sub(r"^\S*bash: ", "", lines_of(err.strip())[0])
            raise UserError("%s to be complete lines of bash" % name, message, "correct it; close quotes and blocks")


def _write(module: AnsibleModule, dest: str, script: Script) -> dict[str, t.Any]:
    """Write the content and the attributes of the file if they differ."""
    before = _read(dest)
    changed = before != script.content
    folder_made = not os.path.isdir(os.path.dirname(dest))
    if changed and not module.check_mode:
        os.makedirs(os.path.dirname(dest), exist_ok=True)
        write_atomically(dest, script.content.encode(), default_mode=0o755)
    attributes: dict[str, t.Any] = {}
    if os.path.exists(dest):
        wanted = module.load_file_common_arguments(dict(module.params, path=os.path.realpath(dest)))
        changed = module.set_fs_attributes_if_different(wanted, changed, attributes)
    diff: list[dict[str, t.Any]] = [
        {"before_header": dest, "after_header": dest, "before": before or "", "after": script.content}
    ]
    if attributes.get("before") != attributes.get("after"):
        diff.append(attributes)
    return {"changed": changed, "diff": diff, "dest": dest, "folder_made": folder_made}
