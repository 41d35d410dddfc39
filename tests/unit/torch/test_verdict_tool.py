# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tool torch-verdict with a real torch, as a user runs it on a login node."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_tools.build import program


@pytest.mark.parametrize(
    "arguments, verdict, status",
    [([], "cpu_only", 0), (["--expect-gpus", "0"], "cpu_only", 0), (["--expect-cuda"], "failed", 1)],
)
def test_a_torch_for_the_cpu(
    real_torch: pathlib.Path, tmp_path: pathlib.Path, arguments: list[str], verdict: str, status: int
) -> None:
    tool = tmp_path / "torch-verdict"
    tool.write_bytes(program("torch-verdict", sys.executable))
    tool.chmod(0o755)
    environment = {"PATH": "%s/bin:/usr/bin:/bin" % real_torch, "VIRTUAL_ENV": str(real_torch), "HOME": str(tmp_path)}
    command = [str(tool), "--json", *arguments]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    result = json.loads(done.stdout)
    assert (result["verdict"], done.returncode, done.stderr) == (verdict, status, "")
    assert result["torch"]["version"].startswith("2.13.0")
    assert [path.name for path in tmp_path.iterdir()] == ["torch-verdict"]
