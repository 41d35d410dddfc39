# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shell part of a kernel's start: environment, modules, CUDA, then the program. No I/O. Private to hpc.pytorch.

It is what sbatch_script renders for a job with the same options, so a notebook and a job have the same environment, and
the environment's name is resolved to one version of it when the kernel starts.
"""

from __future__ import annotations

import typing as t

from .._common.errors import UserError, printable, shown
from .._common.spelling import distance
from .._slurm.sbatch.script_text import Directives
from .._slurm.sbatch.table import OPTIONS
from .._slurm.script.parameters import options_of
from .._slurm.script.render import render
from .._slurm.script.shell import is_path, literal, shell_path

# Without its launcher it ends by the alarm. The first line that it reads has the number of bytes of the zip that
# follows. What a hook or a module prints or reads must not mix with the messages: they have other numbers.
_PROGRAM = """\
import os, sys
sys.path[:] = [folder for folder in sys.path if folder]
import signal, tempfile
signal.alarm(600)
stream = os.fdopen(4, "rb", 0)
size, data = int(stream.readline()), b""
while len(data) < size:
    part = stream.read(size - len(data))
    if not part:
        os._exit(0)
    data += part
folder = tempfile.mkdtemp(prefix="hpk-")
path = os.path.join(folder, "kernel.zip")
with open(path, "wb") as file:
    file.write(data)
sys.path.insert(0, path)
from ansible_collections.hpc.pytorch.plugins.module_utils._jupyter.node import main
main(folder)
"""
_HEAD = """\
# Written by Ansible, role hpc.pytorch.jupyter_kernel: change the play, not this file.
# The messages between JupyterLab and the kernel have the numbers 3 and 4; 0 and 1 are for what comes before the kernel.
exec 3>&1 4<&0 1>&2 0</dev/null
unset HPC_PYTORCH_KERNEL VIRTUAL_ENV PYTHONHOME
"""
# As role cuda writes them into an rc file.
_CUDA = """\
export CUDA_HOME={home}
case ":${{PATH:-}}:" in *:{home}/bin:*|*:{home}/bin/:*) ;; *) export PATH={home}/bin"${{PATH:+:$PATH}}" ;; esac
"""
_CUDA_LIBRARIES = """\
cuda_libraries={home}/{folder}
{choose}case ":${{LD_LIBRARY_PATH:-}}:" in *":$cuda_libraries:"*|*":$cuda_libraries/:"*) ;; \
*) export LD_LIBRARY_PATH="$cuda_libraries${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}" ;; esac
"""
_CHOOSE = '[ -d "$cuda_libraries" ] || cuda_libraries={home}/lib\n'
# What only sbatch has, or what would break the kernel: its streams carry the messages, and there is one of it.
_NOT_FOR_A_KERNEL = {
    "array": "a kernel is one process",
    "requeue": "a notebook would not find the kernel again",
    "no-requeue": "srun never starts it again",
    "output": "the streams carry the messages of the kernel",
    "error": "the streams carry the messages of the kernel",
    "input": "the streams carry the messages of the kernel",
    "open-mode": "there is no output file",
    "export": "the kernel's start is in a variable",
    "dependency": "the notebook would wait for another job",
    "clusters": "srun starts jobs on its own cluster",
    "signal": "the kernel would die of it",
}
_ONE = ("nodes", "ntasks", "ntasks-per-node")


# Of sbatch_script, besides the options of sbatch.
_ENVIRONMENT = ("conda_env", "conda_prefix", "activation", "venv", "modules", "modules_use", "modules_purge", "exports")
_OPTIONS = frozenset(option.name for option in OPTIONS) | {"directives", "slurm_version", *_ENVIRONMENT}


class Start(t.NamedTuple):
    """How a kernel starts.

    :arg text: for bash.
    :arg directives: options of Slurm, without the dashes.
    """

    text: str
    directives: Directives


def start_script(
    options: t.Mapping[str, t.Any], cuda_home: str = "", cuda_libraries: bool = False, cuda_lib_folder: str = ""
) -> Start:
    """Render the start of a kernel.

    :arg options: those of sbatch_script: options of sbatch, and conda_prefix, conda_env, venv, activation, modules,
        exports.
    :arg cuda_home: the toolkit that goes onto PATH; empty for none.
    :arg cuda_libraries: whether its libraries go onto LD_LIBRARY_PATH.
    :arg cuda_lib_folder: the name of their folder; empty for lib64 if it exists, else lib.
    :raises UserError: an option is wrong, or none for a kernel.
    """
    for name in options:
        if name not in _OPTIONS:
            raise UserError("options of sbatch_script for a job of one process", shown(name), _meant(name))
    program = "exec python -c '\n%s'" % _PROGRAM
    script = render(options_of(dict(options, command=program, dest="")))
    for name in script.directives:
        if name in _NOT_FOR_A_KERNEL:
            raise UserError(
                "no option %s for a kernel, as %s" % (name.replace("-", "_"), _NOT_FOR_A_KERNEL[name]),
                shown(script.directives[name]),
                "leave it out",
            )
    for name in _ONE:
        if str(script.directives.get(name, "1")) != "1":
            raise UserError(
                "%s to be 1, as a kernel is one process" % name.replace("-", "_"),
                shown(script.directives[name]),
                "leave it out; for work on several nodes submit a job script",
            )
    return Start(_HEAD + _cuda(cuda_home, cuda_libraries, cuda_lib_folder) + script.content, script.directives)


def srun_options(directives: Directives, job_name: str) -> tuple[str, ...]:
    """The options for srun: ``{"gres": "gpu:1"}`` is ``--gres=gpu:1``, with one task and a name."""
    wanted: Directives = {"job-name": job_name, "nodes": "1", "ntasks": "1", **directives}
    wanted.pop("ntasks-per-node", None)
    return tuple(
        "--%s" % name if value is True else "--%s=%s" % (name, value) for name, value in wanted.items() if value
    )


def _meant(name: str) -> str:
    near = min(sorted(_OPTIONS), key=lambda known: distance(name.replace("-", "_"), known))
    if distance(name.replace("-", "_"), near) <= (1 if len(name) < 6 else 2):
        return "write %s" % near
    return "put options of sbatch that sbatch_script does not have into directives"


def _cuda(home: str, libraries: bool, folder: str) -> str:
    if not home:
        return ""
    if not is_path(home) or not printable(home) or ":" in literal(home):
        raise UserError("cuda_home to be an absolute path without a colon", shown(home), "correct cuda_home")
    quoted = shell_path(home.rstrip("/"))
    text = _CUDA.format(home=quoted)
    if libraries:
        choose = "" if folder else _CHOOSE.format(home=quoted)
        text += _CUDA_LIBRARIES.format(home=quoted, folder=folder or "lib64", choose=choose)
    return text
