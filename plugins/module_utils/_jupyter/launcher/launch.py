# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The launcher of a kernel: starts it here or in a job, and stands between it and JupyterLab. Private to hpc.pytorch.

``launch.pyz CONNECTION_FILE``, run by JupyterLab's own Python; settings and start script are next to it. JupyterLab
always finds a kernel: one that waits for its job says so below the cell, and one that failed answers each cell with
the reason.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
import typing as t

from ..._common.errors import UserError
from .. import settings as kernel_settings
from ..protocol.connection import Connection, from_text
from ..protocol.wire import Line
from ..signals import Signals
from . import reasons
from .backend import Backend
from .broker import Broker
from .front import Front
from .waiting import allocation_environment

START_SCRIPT = "start.sh"


def main() -> None:
    """Entry point."""
    status = 1
    try:
        if len(sys.argv) != 2:
            raise UserError(
                "the path of a connection file",
                "%d arguments" % (len(sys.argv) - 1),
                "start the kernel from JupyterLab",
            )
        launch(os.path.abspath(sys.argv[0]), sys.argv[1])
        status = 0
    except (UserError, OSError) as error:
        sys.stderr.write("kernel: %s\n" % error)
        sys.stderr.flush()
    os._exit(status)


def launch(program: str, connection_file: str) -> None:
    """Run the kernel to its end.

    :arg program: this program's zip.
    :raises UserError: Jupyter's side is not as it should be. Everything else is shown in the notebook.
    """
    signals = Signals(signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGINT)
    connection = from_text(_read(connection_file), connection_file)
    front = Front(connection)
    folder = os.path.dirname(program)
    path = os.path.join(folder, kernel_settings.NAME)
    settings = kernel_settings.from_text(_read(path), path)
    backend: Backend | None = None
    failure: reasons.Failure | None = None
    try:
        backend = start(settings, connection, _read(os.path.join(folder, START_SCRIPT)), program)
    except (UserError, OSError) as error:
        failure = reasons.of_error(settings, str(error))
    broker = Broker(settings, connection.signer, front, backend, failure)
    try:
        broker.run(signals, time.monotonic)
    finally:
        front.close()


def start(settings: kernel_settings.Settings, connection: Connection, script: str, program: str) -> Backend:
    """Start the kernel's process, which gets this program and what it needs to know.

    :raises UserError: there is no srun.
    :raises OSError: it cannot be started.
    """
    prefix: list[str] = []
    variables: t.Mapping[str, str] = os.environ
    if settings.start == kernel_settings.SLURM:
        if shutil.which("srun") is None:
            raise UserError(
                "srun on PATH, as the kernel runs in a job",
                "none in %s" % os.environ.get("PATH", ""),
                "install Slurm's client on the machine of JupyterLab",
            )
        prefix = ["srun", *settings.directives]
        variables = allocation_environment(os.environ)
    backend = Backend(prefix, script, variables)
    with open(program, "rb") as file:
        data = file.read()
    backend.put(b"%d\n" % len(data))
    backend.put(data)
    key = {"key": connection.signer.key.decode("utf-8"), "scheme": connection.signer.scheme}
    backend.send(Line("ask", content=dict(key, expect_cuda=settings.expect_cuda)))
    return backend


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()
