# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A login node whose salloc, srun and scancel are stand-ins; what runs "on a node" runs here."""

from __future__ import annotations

import json
import os
import pathlib
import sys
import typing as t

import pytest

STUB = """#!%s -IS
import json, os, subprocess, sys
folder, name = os.path.split(os.path.abspath(sys.argv[0]))
with open(os.path.join(folder, "log"), "a") as stream:
    stream.write(json.dumps([name] + sys.argv[1:]) + "\\n")
if name == "salloc":
    scene = json.load(open(os.path.join(folder, "scene")))
    node = next(word.partition("=")[2] for word in sys.argv if word.startswith("--nodelist="))
    if node in scene["refused"]:
        sys.exit("salloc: error: Job submit/allocate failed: Requested node configuration is not available")
    print("salloc: Granted job allocation 7", file=sys.stderr)
elif name == "srun":
    command = [word for word in sys.argv[1:] if not word.startswith("--")]
    sys.exit(subprocess.run(command).returncode)
elif name in ("sinfo", "scontrol"):
    scene = json.load(open(os.path.join(folder, "scene")))
    if scene.get("away"):
        sys.exit("slurm_load_partitions: Unable to contact slurm controller (connect failure)")
    elif name == "sinfo":
        for node, state in scene.get("states", {}).items():
            if state and "--nodes=" + node in sys.argv:
                print("%%s|%%s|gpu*|none" %% (node, state))
    elif sys.argv[-1] == "config":
        print("Configuration data as of 2026-11-24T14:36:13\\nSuspendProgram = " + scene["suspend"])
    else:
        print("PartitionName=gpu Default=YES Nodes=%%s State=UP" %% ",".join(scene["states"]))
elif name == "scancel" and os.path.exists(os.path.join(folder, "released")):
    with open(os.path.join(folder, "released"), "w") as stream:
        stream.write(sys.argv[-1])
"""


class Login:
    """The login node."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.bin = folder
        self.refuse()
        for name in ("salloc", "srun", "scancel"):
            (folder / name).write_text(STUB % sys.executable)
            (folder / name).chmod(0o755)

    def refuse(self, *nodes: str) -> None:
        """Let salloc refuse these nodes."""
        (self.bin / "scene").write_text(json.dumps({"refused": nodes}))

    def show(self, states: t.Mapping[str, str], away: bool = False, suspend: str = "/opt/suspend") -> None:
        """Let sinfo and scontrol show these states; a node with an empty one is in the partition only."""
        scene = {"refused": [], "states": states, "away": away, "suspend": suspend}
        (self.bin / "scene").write_text(json.dumps(scene))
        for name in ("sinfo", "scontrol"):
            (self.bin / name).write_text(STUB % sys.executable)
            (self.bin / name).chmod(0o755)

    def await_release(self) -> t.Callable[[], str]:
        """Let scancel report to a pipe; what is returned waits for it and returns its last argument."""
        pipe = self.bin / "released"
        os.mkfifo(pipe)
        return pipe.read_text

    def calls(self, name: str) -> list[list[str]]:
        """The arguments of each call of the command."""
        path = self.bin / "log"
        lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [line[1:] for line in lines if line[0] == name]


@pytest.fixture
def login(tmp_path: pathlib.Path) -> Login:
    folder = tmp_path / "slurm"
    folder.mkdir()
    return Login(folder)
