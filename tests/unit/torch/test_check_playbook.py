"""Role torch_check through its playbook: which hosts fail, and what check mode prints."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

from .conftest import MakeEnv
from .standin import standin

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]


def play(tmp_path: pathlib.Path, hosts: dict[str, dict[str, dict[str, object]]], *options: str) -> tuple[int, str]:
    """Exit status and output of the playbook over *hosts*: by group, by name, their variables."""
    inventory = {"all": {"children": {group: {"hosts": names} for group, names in hosts.items()}}}
    path = tmp_path / "inventory.json"
    path.write_text(json.dumps(inventory))
    command = [str(pathlib.Path(sys.executable).with_name("ansible-playbook")), "-i", str(path), "-c", "local"]
    command += ["-e", json.dumps({"ansible_python_interpreter": sys.executable}), *options, "hpc.pytorch.check"]
    done = subprocess.run(
        command,
        cwd=CHECKOUT,
        # As after a sudo that keeps HOME.
        env=dict(os.environ, ANSIBLE_LOCALHOST_WARNING="false", HOME=str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    # Long lines come folded.
    return done.returncode, " ".join(done.stdout.split())


@pytest.mark.slow
def test_login_and_compute_are_judged_by_what_is_expected_there(make_env: MakeEnv, tmp_path: pathlib.Path) -> None:
    gpus = str(make_env(torch=standin(count=2), name="gpus"))
    none = str(make_env(torch=standin(cuda=None), name="none"))
    status, output = play(
        tmp_path,
        {
            "login": {"l1": {"torch_env_prefix": none}, "l2": {"torch_env_prefix": gpus}, "both": {}},
            "compute": {
                "both": {"torch_env_prefix": gpus},
                "c2": {"torch_env_prefix": gpus, "torch_check_expect_devices": 2},
                "c4": {"torch_env_prefix": gpus, "torch_check_expect_devices": 4},
                "soft": {"torch_env_prefix": none, "torch_check_expect_cuda": True, "torch_check_fail": False},
            },
        },
    )
    assert status == 2
    recap = re.findall(r"(\w+) : ok=\d+ changed=(\d+) unreachable=\d+ failed=(\d+)", output)
    assert {name: failed for name, _changed, failed in recap} == {
        "l1": "0",
        "l2": "1",
        "both": "0",
        "c2": "0",
        "c4": "1",
        "soft": "0",
    }, output
    assert {changed for _name, changed, _failed in recap} == {"0"}
    assert "expected 4 devices, found 2; device_count_mismatch - " in output
    assert "Remedy: compare nvidia-smi -L" in output


@pytest.mark.slow
def test_check_mode_before_there_is_an_environment(tmp_path: pathlib.Path) -> None:
    hosts = {"compute": {"c1": {"torch_env_scope": "site", "torch_env_site_dir": str(tmp_path / "envs")}}}
    status, output = play(tmp_path, hosts, "--check")
    assert status == 0, output
    assert "not_checked: expected an environment at %s/envs/torch; found none yet" % tmp_path in output
    status, output = play(tmp_path, hosts)
    assert status == 2
    assert "expected a python environment at %s/envs/torch; found No such file" % tmp_path in output
