# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands for users run under every Python that modules run on."""

from __future__ import annotations

import importlib
import json
import pathlib
import subprocess
import sys

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]


def test_the_commands_run_under(python, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(CHECKOUT / ".collections"))
    build = importlib.import_module("ansible_collections.hpc.pytorch.plugins.plugin_utils._user_tools.build")

    def run(name, *arguments, text=""):
        path = tmp_path / name
        path.write_bytes(build.program(name, python))
        path.chmod(0o755)
        return subprocess.run(
            [str(path), *arguments],
            input=text,
            env={"PATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

    lint = run("sbatch-lint", "--json", "-", text="#!/bin/bash\n#SBATCH --gers=gpu:1\npython t.py\n")
    assert (lint.returncode, lint.stderr) == (1, "")
    assert [found["remedy"] for found in json.loads(lint.stdout) if found["severity"] == "error"] == ["write --gres"]
    for page in (
        "`pip install torch==2.4.2`",
        "<pre>pip install torch==2.4.2</pre>",
        "x::\n\n  pip install torch==2.4.2",
    ):
        guide = run("guide-lint", "--json", "-", text=page)
        assert (guide.returncode, guide.stderr) == (1, "")
        assert [found["remedy"] for found in json.loads(guide.stdout)] == ["write: pip install torch==2.4.1"]
    verdict = run("torch-verdict", "--json", "--python", sys.executable)
    assert (verdict.returncode, verdict.stderr) == (1, "")
    assert json.loads(verdict.stdout)["reasons"][0]["code"] == "torch_missing"
