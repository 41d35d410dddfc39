# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernels in jobs of a real Slurm, in a container without a network. tools/kernels.sh starts it.

    run.py ENGINE IMAGE WHEELS CONDA [PYTEST ARGUMENT...]

WHEELS is a folder with the packages of inside/requirements.txt, CONDA one for JupyterLab's own conda, made once.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._jupyter.files import Kernel, kernel_files

FOLDER = pathlib.Path(__file__).resolve().parent
_ENVS = "/opt/app/envs/"
# What is printed where a test failed.
_STATE = "squeue; for each in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$each && echo; done"
# The first process: it waits for those that nobody else waits for.
_REAPER = "while :; do sleep infinity & wait $!; done"


def kernels() -> t.Iterator[Kernel]:
    """Those that the tests start, by their names there."""
    wanted: dict[str, dict[str, t.Any]] = {
        "cpu": {},
        "gpu": {"gres": "gpu:titan:1"},
        "no-partition": {"partition": "nowhere"},
        "too-much": {"gres": "gpu:titan:2"},
        "no-env": {"conda_env": _ENVS + "gone"},
        "no-ipykernel": {"conda_env": _ENVS + "no-ipykernel"},
        "broken-ipykernel": {"conda_env": _ENVS + "broken-ipykernel"},
    }
    for name, options in wanted.items():
        given = {"conda_env": _ENVS + "torch", "partition": "titan", "time": "0:30:00", **options}
        yield Kernel(name, name.upper(), "slurm", given)


def write_kernels(folder: pathlib.Path) -> None:
    """Write their files."""
    for kernel in kernels():
        place = folder / kernel.name
        place.mkdir(parents=True)
        for name, content in kernel_files(kernel).items():
            (place / name).write_bytes(content)


def main(engine: str, image: str, wheels: str, conda: str, arguments: t.Sequence[str]) -> int:
    """Run the tests in a container of their own, which is removed at the end."""
    # It is removed on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    name = "hpc-pytorch-kernels-%s" % os.environ.get("HPC_MOLECULE_ID", "here")
    with tempfile.TemporaryDirectory() as made:
        os.chmod(made, 0o755)
        write_kernels(pathlib.Path(made) / "kernels")
        volumes = {str(FOLDER / "inside"): "/kernels:ro", wheels: "/wheels:ro", conda: "/opt/conda", made: "/made:ro"}
        options = ["--network=none", "--cap-add=NET_ADMIN", "--hostname=kernels", "--stop-timeout=0"]
        options += ["--volume=%s:%s" % pair for pair in volumes.items()]
        _remove(engine, name)
        try:
            subprocess.run(
                [engine, "run", "--detach", "--rm", "--name", name, *options, image, "bash", "-c", _REAPER],
                check=True,
                stdout=subprocess.DEVNULL,
            )
            for script in ("start.sh", "setup.sh"):
                subprocess.run([engine, "exec", name, "/kernels/" + script], check=True)
            tests = [
                "timeout",
                # Then pytest prints where it hangs.
                "--signal=ABRT",
                "400",
                "/opt/conda/bin/python",
                "-B",
                "-m",
                "pytest",
                "-p",
                "no:cacheprovider",
                "/kernels",
            ]
            home = ["--user=alice", "--workdir=/home/alice", "--env=HOME=/home/alice", "--env=LC_ALL=C.UTF-8"]
            status = subprocess.run([engine, "exec", *home, name, *tests, *arguments], check=False).returncode
            if status:
                subprocess.run([engine, "exec", name, "sh", "-c", _STATE], check=False)
            return status
        finally:
            _remove(engine, name)


def _remove(engine: str, name: str) -> None:
    with contextlib.suppress(OSError):
        subprocess.run([engine, "rm", "--force", name], check=False, capture_output=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:5], sys.argv[5:]))
