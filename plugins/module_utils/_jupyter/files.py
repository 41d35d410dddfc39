# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a kernel: kernel.json, launcher, settings, start script. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import json
import re
import typing as t

from .._common.bundle import make_bundle
from .._common.errors import UserError, printable, shown
from .._slurm.sbatch import gpus
from .settings import LOCAL, NAME, SLURM, Settings, as_text
from .start_script import srun_options, start_script

LAUNCHER, START_SCRIPT = "launch.pyz", "start.sh"
_MODULE, _ALSO = "_jupyter.launcher.launch", ("_jupyter.node", "_jupyter.check")
# As Jupyter checks it.
_KERNEL_NAME = r"[A-Za-z0-9._-]+"


class Kernel(t.NamedTuple):
    """A kernel as the role asks for it.

    :arg name: of its folder.
    :arg start: ``local`` or ``slurm``.
    :arg options: those of sbatch_script that say where the kernel runs and with which environment.
    :arg expect_cuda: None for true where GPUs are asked for.
    """

    name: str
    display_name: str
    start: str
    options: t.Mapping[str, t.Any]
    expect_cuda: bool | None = None
    cuda_home: str = ""
    cuda_libraries: bool = False
    cuda_lib_folder: str = ""


def kernel_files(kernel: Kernel) -> dict[str, bytes]:
    """The content of each file by its name.

    :raises UserError: a value that a kernel cannot have.
    """
    _require_texts(kernel)
    if not re.fullmatch(_KERNEL_NAME, kernel.name) or kernel.name in (".", ".."):
        raise UserError("name to have letters, digits and . _ - alone", shown(kernel.name), "give for example torch")
    if not printable(kernel.display_name):
        raise UserError("display_name to be one line of text", shown(kernel.display_name), "correct display_name")
    if kernel.start not in (LOCAL, SLURM):
        raise UserError("start to be %s or %s" % (LOCAL, SLURM), shown(kernel.start), "choose one of them")
    env = kernel.options.get("conda_env") or kernel.options.get("venv")
    if not env:
        raise UserError("an environment for the kernel", "none", "give env_prefix")
    start = start_script(kernel.options, kernel.cuda_home, kernel.cuda_libraries, kernel.cuda_lib_folder)
    if start.directives and kernel.start == LOCAL:
        raise UserError(
            "no options of Slurm for a kernel on JupyterLab's machine",
            ", ".join(start.directives),
            "leave them out, or choose start: slurm",
        )
    expect_cuda = kernel.expect_cuda
    if expect_cuda is None:
        expect_cuda = bool(gpus.requested(start.directives))
    job_name = "jupyter-" + kernel.name
    settings = Settings(
        kernel.display_name,
        kernel.start,
        str(env),
        expect_cuda,
        srun_options(start.directives, job_name) if kernel.start == SLURM else (),
    )
    return {
        "kernel.json": _kernel_json(kernel.display_name).encode("utf-8"),
        LAUNCHER: make_bundle(_MODULE, "kernel", compressed=False, also=_ALSO),
        NAME: as_text(settings).encode("utf-8"),
        START_SCRIPT: start.text.encode("utf-8"),
    }


def _require_texts(kernel: Kernel) -> None:
    """A role's variables may be of any type.

    :raises UserError: one is not text that has to be.
    """
    texts = {"name": kernel.name, "display_name": kernel.display_name, "cuda_home": kernel.cuda_home or ""}
    # The role calls both env_prefix or venv.
    texts.update((option, kernel.options.get(option) or "") for option in ("conda_env", "venv", "conda_prefix"))
    for option, value in texts.items():
        if not isinstance(value, str):
            raise UserError("%s to be text" % option, shown(value), "correct it")


def _kernel_json(display_name: str) -> str:
    """Nothing in it but the display name is ours to choose: Jupyter reads ``{prefix}`` and ``$NAME`` in its values."""
    spec = {
        # To Jupyter that is the Python that it runs with, which has pyzmq.
        "argv": ["python", "{resource_dir}/" + LAUNCHER, "{connection_file}"],
        "display_name": display_name,
        "language": "python",
        "interrupt_mode": "message",
        "metadata": {"debugger": True},
    }
    return json.dumps(spec, indent=1, ensure_ascii=True) + "\n"
