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
def test_any_gpu_of_the_inventory_means_at_least_one(make_env: MakeEnv, tmp_path: pathlib.Path) -> None:
    gpus = {"torch_env_prefix": str(make_env(torch=standin(count=2), name="gpus"))}
    none = {"torch_env_prefix": str(make_env(torch=standin(cuda=None), name="none"))}
    slurm = {"slurm_gres": [{"name": "gpu", "type": "v100", "count": 1}], "hpc_gpu_count": 1, "hpc_gpu_type": "v100"}
    hosts: dict[str, dict[str, object]] = {
        # A build for the CPU where there are GPUs.
        "typed": {**none, "hpc_gpu_type": "titan-v"},
        "gres": {**none, "slurm_gres": [{"name": "gpu", "type": "1g.5gb", "count": 7}]},
        "cpu": {**none, "slurm_gres": []},
        # Of slices a process sees one, however many there are; what nobody can know is not compared.
        "slices": {**gpus, "hpc_gpu_count": 8, "hpc_gpu_type": ["a100_1g.5gb", "titan-v"]},
        "label": {**gpus, "hpc_gpu_count": 2, "hpc_gpu_type": "ampere"},
        "label2": {**gpus, "hpc_gpu_count": 2, "hpc_gpu_type": "ampere"},
        # Slurm has one V100 where two Titan Vs compute. A person who says so is taken at their word.
        "slurm": {**gpus, **slurm},
        "site": {**gpus, **slurm, "torch_check_expect_devices": 2},
    }
    status, output = play(tmp_path, {"compute": hosts})
    recap = re.findall(r"(\w+) : ok=\d+ changed=\d+ unreachable=\d+ failed=(\d+)", output)
    assert {name for name, failed in recap if failed != "0"} == {"typed", "gres", "site"}, output
    assert status == 2 and len(recap) == len(hosts)
    assert output.count("expected a CUDA device, found none; cpu_only_build - ") >= 2
    assert (
        "ok: torch 1.4.0 for CUDA 10.1; 2 of 2 devices passed; device_type_mismatch - device 0 is TITAN V 0" in output
    )
    assert output.count("ampere in expect_gpu says nothing about a GPU") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("groups", "limit"),
    [({}, []), ({"gpus": ["g1", "g2"]}, []), ({"compute": ["c1"], "web": ["w1"]}, ["--limit=w1"]), ({"login": []}, [])],
)
def test_a_check_of_nothing_is_an_error(tmp_path: pathlib.Path, groups: dict[str, list[str]], limit: list[str]) -> None:
    hosts: dict[str, dict[str, dict[str, object]]] = {
        name: {host: {} for host in each} for name, each in groups.items()
    }
    status, output = play(tmp_path, hosts, *limit)
    assert status == 2, output
    assert "expected a host in group login or compute to check; found none among the " in output
    assert "Check torch" not in output


@pytest.mark.slow
def test_hosts_of_other_groups_are_left_alone(make_env: MakeEnv, tmp_path: pathlib.Path) -> None:
    none = {"torch_env_prefix": str(make_env(torch=standin(cuda=None), name="none"))}
    status, output = play(tmp_path, {"abc": {"a1": {}}, "login": {"l1": dict(none)}})
    assert status == 0, output
    assert re.findall(r"(\w+) : ok=", output) == ["l1"]


@pytest.mark.slow
def test_check_mode_before_there_is_an_environment(tmp_path: pathlib.Path) -> None:
    hosts = {"compute": {"c1": {"torch_env_scope": "site", "torch_env_site_dir": str(tmp_path / "envs")}}}
    status, output = play(tmp_path, hosts, "--check")
    assert status == 0, output
    assert "not_checked: expected an environment at %s/envs/torch; found none yet" % tmp_path in output
    status, output = play(tmp_path, hosts)
    assert status == 2
    assert "expected a python environment at %s/envs/torch; found No such file" % tmp_path in output
