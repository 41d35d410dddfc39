# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a job script goes, and whether bash can read it. Reads the target, writes nothing. Private to hpc.pytorch."""

from __future__ import annotations

import os
import re
import stat
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..._common.errors import UserError, printable, shown
from ..._common.trust import untrusted_because
from ..sbatch.script_text import Directives
from .render import Script


def require_writable(dest: str, may_make_folder: bool) -> None:
    """Refuse a *dest* that cannot be a job script, or that root must not write.

    :arg may_make_folder: whether it is no error that its folder is missing.
    :raises UserError: nothing has been touched.
    """
    folder = os.path.dirname(dest)
    if not os.path.isabs(dest) or not printable(dest) or dest.endswith("/"):
        raise UserError("dest as an absolute path of a file", shown(dest), "correct dest")
    if not os.path.isdir(folder) and not (may_make_folder and not os.path.lexists(folder)):
        raise UserError(
            "a folder for %s" % dest, "no folder %s" % folder, "make it first, give make_folder: true, or correct dest"
        )
    if os.path.islink(dest) and not os.path.isfile(dest):
        raise UserError("a file or nothing at dest", "%s, a link that leads to none" % dest, "remove it")
    if os.path.lexists(dest) and not stat.S_ISREG(os.stat(dest).st_mode):
        raise UserError("a file or nothing at dest", "%s, which is neither" % dest, "correct dest")
    if os.geteuid() == 0:
        reason = untrusted_because(dest)
        # Whatever is missing has only trusted folders above it.
        if reason and not reason.endswith(" does not exist"):
            raise UserError(
                "%s to lie where only root can write, as this runs as root" % dest,
                reason,
                "write it as its owner with become_user, or choose a folder of root's",
            )


def read(dest: str) -> str | None:
    """The text at *dest*, or None where there is none."""
    try:
        with open(dest, encoding="utf-8", errors="surrogateescape", newline="") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def missing_folders(directives: Directives, dest: str) -> t.Iterator[str]:
    """A warning for each folder that the job's output goes to and that is not there."""
    start = str(directives.get("chdir") or os.path.dirname(dest))
    for name in ("output", "error"):
        path = os.path.join(start, str(directives.get(name) or ""))
        folder = os.path.dirname(path)
        if name in directives and folder != os.path.dirname(dest) and "%" not in folder and not os.path.isdir(folder):
            yield (
                "%s goes to the folder %s, which is not there: Slurm does not make it, and a job without it ends at once and says "
                "nothing; make it before the job is submitted" % (name, folder)
            )


def require_syntax(module: AnsibleModule, script: Script) -> None:
    """Let bash read the script without running it, and each part that came in by an option by itself.

    A part that is not whole (an open quote, a here-document without an end) would swallow what follows it.

    :raises UserError: with the first line of what bash says.
    """
    bash = module.get_bin_path("bash")
    if not bash:
        raise UserError("bash on the target, as job scripts are for it", "none", "install bash there")
    for name, code in [*script.blocks.items(), ("the script", script.content)]:
        _rc, _out, err = module.run_command(
            [bash, "--norc", "--noprofile", "-n"],
            data=code + "\n",
            binary_data=True,
            environ_update={"LC_ALL": "C.UTF-8"},
        )
        if err.strip():
            said = re.sub(r"^\S*bash: ", "", err.strip().splitlines()[0])
            raise UserError("%s as whole lines of bash" % name, said, "correct it; quotes and blocks must be closed")
