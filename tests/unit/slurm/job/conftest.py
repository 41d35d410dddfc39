# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole module over stand-ins for Slurm's commands."""

from __future__ import annotations

import itertools
import json
import os
import pathlib
import sys

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.job import submit as job_submit, wait as job_wait
from ansible_collections.hpc.pytorch.plugins.modules import slurm_job

HERE = pathlib.Path(__file__).parent


class Scene:
    """The stand-in's state, and the folder with the script."""

    def __init__(self, folder):
        self.state, self.bin, self.script = folder / "state", folder / "bin", folder / "home" / "job.sh"
        for path in (self.state, self.bin, self.script.parent):
            path.mkdir(parents=True)
        self.script.write_text("#!/bin/sh\n#SBATCH --comment=mine --mem=1G --time=10 --cpus-per-task=1\ntrue\n")
        for name in ("sbatch", "scancel", "scontrol", "sacct", "squeue"):
            (self.bin / name).write_text(
                "#!%s -IS\n%s" % (sys.executable, (HERE / "stub_jobs.py").read_text(encoding="utf-8"))
            )
            (self.bin / name).chmod(0o755)

    def play(self, **scene):
        """Set what the next polls find."""
        (self.state / "scene").write_text(json.dumps(scene))
        (self.state / "jobs").write_text(json.dumps({number: dict(job, polls=0) for number, job in self.jobs.items()}))

    @property
    def jobs(self):
        path = self.state / "jobs"
        return json.loads(path.read_text()) if path.exists() else {}

    @property
    def calls(self):
        path = self.state / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def asked(self, command):
        return [line[1:] for line in self.calls if line[0] == command]

    @property
    def files(self):
        return sorted(os.listdir(self.script.parent))


@pytest.fixture
def scene(tmp_path, monkeypatch):
    made = Scene(tmp_path / "cluster")
    monkeypatch.setenv("STUB_SLURM", str(made.state))
    return made


@pytest.fixture
def call(scene, monkeypatch, capsys):
    """Run the module, with a clock that advances by twenty seconds with each call."""

    def run(check_mode=False, diff=False, by_id=False, **options):
        clock = itertools.count(0, 20)
        monkeypatch.setattr(job_wait.time, "monotonic", lambda: float(next(clock)))
        monkeypatch.setattr(job_wait, "_PAUSES", (0.0,))
        monkeypatch.setattr(job_submit, "_PAUSE", 0.0)
        given = {"bin_dir": str(scene.bin)} if by_id else {"bin_dir": str(scene.bin), "script": str(scene.script)}
        with patch_module_args(
            dict(given, _ansible_check_mode=check_mode, _ansible_diff=diff, **options)
        ), pytest.raises(SystemExit):
            slurm_job.main()
        return json.loads(capsys.readouterr().out)

    return run
