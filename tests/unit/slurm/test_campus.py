# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""inventories/campus is the founding guide, value for value."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
CAMPUS = CHECKOUT / "inventories" / "campus"
PLAY = """
- hosts: login01
  gather_facts: false
  connection: local
  tasks:
    - ansible.builtin.include_role: {name: hpc.pytorch.job_script}
"""


@pytest.fixture(scope="module")
def inventory():
    listing = subprocess.run(
        [sys.executable, "-m", "ansible", "inventory", "-i", str(CAMPUS), "--list"],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(listing.stdout)


def test_the_groups_are_the_guides(inventory):
    assert sorted(inventory["compute"]["children"]) == ["tesla", "titan"]
    assert inventory["login"]["hosts"] == ["login01"]
    assert inventory["titan"]["hosts"] == ["titan01", "titan02"]
    assert inventory["tesla"]["hosts"] == ["tesla01", "tesla02"]
    assert inventory["jupyter"]["hosts"] == ["jupyter01"]


@pytest.mark.parametrize("host", ["login01", "titan01", "tesla02"])
@pytest.mark.parametrize(
    "name,value",
    [
        ("conda_prefix", "/opt/app/anaconda3"),
        ("conda_method", "existing"),
        ("conda_expose", ["bashrc", "module"]),
        ("conda_channels", ["pytorch", "conda-forge"]),
        ("torch_env_name", "torch"),
        ("torch_env_python", "3.8"),
        ("torch_env_cuda", "10.1"),
        ("torch_env_source", "pytorch"),
        ("cuda_home", "/opt/pkgs/cuda/cuda-toolkit"),
        ("cuda_version", "10.1"),
        ("cuda_expose", ["bashrc"]),
        ("cuda_ld_library_path", True),
        ("job_script_style", "guide"),
        ("job_script_job_name", "test"),
        ("job_script_nodes", "1"),
        ("job_script_ntasks", 16),
        ("job_script_partition", "titan"),
        ("job_script_gres", "gpu:1"),
        ("job_script_command", "python pytorch_test.py"),
        ("job_script_dest", "~/test.sh"),
    ],
)
def test_a_value_is_the_guides(inventory, host, name, value):
    assert inventory["_meta"]["hostvars"][host][name] == value


def test_jupyter_has_its_own_conda(inventory):
    assert inventory["_meta"]["hostvars"]["jupyter01"]["conda_prefix"] == "/opt/conda"


def test_the_inventory_renders_the_guides_test_sh(tmp_path):
    (tmp_path / "play.yml").write_text(PLAY)
    ran = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", "-i", str(CAMPUS), str(tmp_path / "play.yml")]
        + [
            "-e",
            json.dumps({"job_script_dest": str(tmp_path / "test.sh"), "ansible_python_interpreter": sys.executable}),
        ],
        cwd=CHECKOUT,
        env=dict(os.environ, ANSIBLE_INJECT_FACT_VARS="false"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    golden = CHECKOUT / "tests" / "unit" / "golden" / "slurm" / "guide.sh"
    assert (tmp_path / "test.sh").read_text() == golden.read_text()
    assert (tmp_path / "pytorch_test.py").is_file()


def test_the_readme_says_where_each_line_of_the_guide_is():
    text = (CAMPUS / "README.md").read_text()
    assert re.findall(r"^\| (S\d+) \|", text, re.MULTILINE) == ["S%d" % number for number in range(1, 15)]
    known = "\n".join(path.read_text() for path in CAMPUS.rglob("*.yml"))
    for name in re.findall(r"`((?:conda|cuda|torch_env|job_script)_\w+)(?:[:`])", text):
        assert re.search(r"^%s:" % name, known, re.MULTILINE) or name == "conda_env", name
