# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Root calls Ansible in a folder of another user's: nothing that lies there is imported, run or read."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import typing as t

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
# Under the system's Python, so that conda_env and conda_channel go on in the engine.
SYSTEM = "/usr/bin/python3"
PLANTED = (
    "rattler yaml re json os pip venv ensurepip site sitecustomize usercustomize ssl ctypes asyncio packaging patchelf"
    " conda_package_streaming torch numpy subprocess tempfile encodings zipfile base64 typing ansible importlib"
).split()


@pytest.fixture
def trap(scratch: pathlib.Path, mallory: t.Any, marker: pathlib.Path) -> pathlib.Path:
    """A folder of hers, full of modules and programs that say that they ran."""
    folder = scratch / "mine"
    mallory.does("mkdir '%s'" % folder)
    for name in PLANTED:
        (folder / (name + ".py")).write_text("import io; io.open(%r, 'a').write(%r)\n" % (str(marker), name + "\n"))
    for name in (
        "python",
        "python3",
        "pip",
        "conda",
        "bash",
        "scontrol",
        "sinfo",
        "nvcc",
        "nvidia-smi",
        "patchelf",
        "git",
    ):
        (folder / name).write_text("#!/bin/sh\necho %s >> '%s'\n" % (name, marker))
    for name in ("pyvenv.cfg", ".condarc", "pip.conf", "setup.cfg"):
        (folder / name).write_text("home = %s\n" % folder)
    for path in folder.iterdir():
        path.chmod(0o755)
        os.chown(path, mallory.uid, mallory.gid)
    return folder


def calls(place: pathlib.Path, channel: str) -> dict[str, dict[str, t.Any]]:
    """Module and options of each call."""
    env = {"prefix": str(place / "env"), "packages": ["tool"], "channels": [channel], "register_envs": False}
    return {
        "conda_env": {**env, "package_cache": str(place / "pkgs"), "executable": sys.executable},
        "conda_channel": {
            "path": str(place / "channel2"),
            "packages": ["tool"],
            "upstream": [channel],
            "executable": sys.executable,
        },
        "conda_engine": {"prefix": str(place / "opt/engine"), "requirements": "pip\n", "python": SYSTEM},
        "conda_engine_python_info": {},
        "conda_env_info": {"prefix": str(place), "verify": True},
        "conda_env_prune": {"envs_dir": str(place), "name": "torch", "homes": []},
        "torch_info": {"python": SYSTEM},
        "cuda_info": {},
        "shell_rc": {"path": str(place / "bashrc"), "block": "conda", "lines": ["export A=b"]},
        "sbatch_script": {"dest": str(place / "job.sh"), "job_name": "a", "command": "true"},
        "slurm_info": {},
    }


MODULES = list(calls(pathlib.Path(), ""))


@pytest.mark.parametrize("name", MODULES)
def test_nothing_in_the_current_folder_is_run(trap, place, tiny_channel, marker, name):
    tiny_channel.make_package(place / "channel", "tool", files={"bin/tool": "#!/bin/sh\n"})
    options = calls(place, "file://%s" % tiny_channel.index(place / "channel"))[name]
    (place / "root").mkdir()
    done = subprocess.run(
        [str(pathlib.Path(sys.executable).with_name("ansible")), "localhost", "-i", "localhost,", "-c", "local"]
        + ["-e", "ansible_python_interpreter=%s" % SYSTEM, "-m", "hpc.pytorch." + name]
        + (["-a", json.dumps(options)] if options else []),
        cwd=trap,
        env={
            "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
            "HOME": str(place / "root"),
            "ANSIBLE_REMOTE_TMP": "$HOME/.ansible/tmp",
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C.UTF-8",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert not marker.exists(), marker.read_text() + done.stdout
    # There is no Slurm here; the others have done their work.
    assert done.returncode == 0 or name == "slurm_info", done.stdout
