# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's sbatch reads our scripts. It parses without a controller, and submits nothing."""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch import script_text

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
