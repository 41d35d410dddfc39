# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our own code in one file, for a Python that knows nothing of Ansible."""

from __future__ import annotations

import ast
import json
import os
import pathlib
import subprocess
import sys
import zipfile

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.bundle import OURS, imported_names, make_bundle

PLUGINS = pathlib.Path(__file__).resolve().parents[3] / "plugins"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "check.zip").write_bytes(make_bundle("_torch.fleet.program"))
    (tmp_path / "results").mkdir()
    return tmp_path


def test_it_holds_what_runs_on_a_node_and_not_what_submits(folder):
    names = set(zipfile.ZipFile(folder / "check.zip").namelist())
    ours = "ansible_collections/hpc/pytorch/plugins/module_utils/"
    assert {
        "__main__.py",
        ours + "_torch/fleet/program.py",
        ours + "_torch/run.py",
        ours + "_common/errors.py",
        ours + "__init__.py",
    } <= names
    assert not {ours + "_torch/fleet/collect.py", ours + "_slurm/client.py"} & names


def test_no_import_is_overlooked():
    """What the parser finds in each module of ours; a bundle without one of them breaks where it runs."""
    read = 0
    for path in sorted((PLUGINS / "module_utils").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        name = ".".join([OURS, *path.relative_to(PLUGINS / "module_utils").with_suffix("").parts])
        expected = set()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = ".".join(name.split(".")[: -node.level] + ([node.module] if node.module else []))
                expected |= {base, *(base + "." + alias.name for alias in node.names)}
        assert set(imported_names(name, source)) == expected, path
        read += len(expected)
    assert read > 1000


def test_a_python_without_ansible_runs_it(folder, tmp_path):
    asked = {"prefix": None, "python": sys.executable, "expect_cuda": None, "expect_devices": None, "expect_gpu": []}
    orders = [{"asked": {}}, {"asked": asked, "timeout": 60, "device_timeout": 30}]
    (folder / "orders.json").write_text(json.dumps(orders))
    command = [sys.executable, "-IS", str(folder / "check.zip"), str(folder), "1"]
    subprocess.run(command, env=dict(os.environ, SLURMD_NODENAME="n1"), check=True, cwd=tmp_path)
    answer = json.loads((folder / "results" / "1.json").read_text())
    assert (answer["node"], answer["verdict"]) == ("n1", "failed")
    assert answer["reasons"][0]["code"] == "torch_missing"
    assert (folder / "results" / "1.json").stat().st_mode & 0o077 == 0
    assert os.listdir(folder / "results") == ["1.json"]


@pytest.mark.parametrize("version, said", [((3, 6, 15), True), ((2, 7, 18), True), ((3, 8, 0), False)])
def test_an_older_python_is_told_so(folder, version, said):
    text = (
        zipfile.ZipFile(folder / "check.zip").read("__main__.py").decode().replace("from ansible_collections", "exit #")
    )
    code = "import sys\nsys.version_info = %r\nexec(%r)" % (version, text)
    done = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, check=False)
    assert ("this needs Python 3.8 or newer, and %s is " % sys.executable in done.stderr) is said
    assert text.isascii()


@pytest.mark.parametrize("compressed", [True, False])
def test_the_same_sources_give_the_same_bytes_at_any_time(monkeypatch, compressed):
    first = make_bundle("_torch.fleet.program", compressed=compressed)
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert make_bundle("_torch.fleet.program", compressed=compressed) == first
