# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What reads our scripts, Debian's sbatch without a controller, and what runs them, stand-ins for what they start."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch import script_text
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script import parameters, render

CONF = """
ClusterName=none
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=1
AuthType=auth/none
MessageTimeout=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
GresTypes=gpu,nvme,tmp
"""


@pytest.fixture
def no_controller(tmp_path):
    """A slurm.conf whose controller does not answer."""
    conf = tmp_path / "slurm.conf"
    conf.write_text(CONF)
    return conf


@pytest.fixture
def sbatch(tmp_path, no_controller):
    """The output of sbatch for a script, with each argument that it finds in the script."""

    def ask(content):
        script = tmp_path / "asked.sh"
        script.write_text(content)
        return subprocess.run(
            ["sbatch", "-vvv", "--test-only", str(script)],
            env={"SLURM_CONF": str(no_controller), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        ).stderr

    return ask


@pytest.fixture(scope="session")
def directives_of():
    """The directives of a script by name; the value of a flag is True."""
    return lambda script: {
        one.name: True if one.value is None else one.value for one in script_text.read(script).directives
    }


TOOLS = (
    "srun",
    "torchrun",
    "python",
    "accelerate",
    "deepspeed",
    "mpirun",
    "apptainer",
    "singularity",
    "ch-run",
    "enroot",
    "scontrol",
)
# Says how it was called, and goes on with the first of its arguments that is one of the tools, as the real one would.
TOOL = """#!{python}
import json, os, sys
with open(os.environ["CALLS"], "a") as stream:
    stream.write(json.dumps([os.path.basename(sys.argv[0]), *sys.argv[1:]]) + "\\n")
if "show" in sys.argv:
    print("node01\\nnode02")
elif sys.argv[0].endswith("srun"):
    os.environ["SLURM_NODEID"] = "1"
words = sys.argv[1:]
for index, word in enumerate(words):
    if word in {tools!r} or word == "sh":
        os.execvp(word, words[index:])
"""


@pytest.fixture
def start(tmp_path):
    """Run a rendered script with stand-ins for everything that it starts: its exit code and their arguments."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in TOOLS:
        (tools / name).write_text(TOOL.format(python=sys.executable, tools=TOOLS))
        (tools / name).chmod(0o755)

    def run(environment=None, **params):
        calls = tmp_path / "calls"
        calls.unlink(missing_ok=True)
        path = tmp_path / "job.sh"
        path.write_text(
            render.render(parameters.options_of(dict({"command": "python train.py --lr 0.1"}, **params))).content
        )
        ran = subprocess.run(
            ["bash", str(path)],
            env=dict(
                {"PATH": "%s:/usr/bin:/bin" % tools, "HOME": str(tmp_path), "CALLS": str(calls)}, **(environment or {})
            ),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        ran.calls = [json.loads(line) for line in calls.read_text().splitlines()] if calls.exists() else []
        return ran

    run.folder = tmp_path
    return run
