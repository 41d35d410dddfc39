"""The founding guide, step by step, on a cluster: what a person does after the site's playbook has run."""

from __future__ import annotations

import json
import os
import pathlib
import re

import pytest

NODES = ("login01", "titan01", "tesla01")


def test_torch_computes_after_source_activate(alice):
    told = alice.terminal(
        "source activate torch && python -c 'import torch; print(torch.__version__, int(torch.ones(3, 3).sum()))'"
    )
    assert told.rc == 0 and re.search(r"^2\.13\.0\S* 9$", told.out, re.MULTILINE), told.out


@pytest.mark.parametrize("node", NODES)
def test_every_node_sees_the_same_env(person, node):
    told = person("alice", node).terminal("source activate torch; echo $CONDA_PREFIX; which python; hostname")
    assert told.out.splitlines()[-3:] == [
        "/home/alice/.conda/envs/torch",
        "/home/alice/.conda/envs/torch/bin/python",
        node,
    ], told.out


def test_numpy_is_there_and_nothing_contradicts_itself(alice):
    told = alice.terminal("source activate torch && python -c 'import numpy' && python -m pip check")
    assert told.rc == 0 and "No broken requirements found." in told.out, told.out


def test_pip_installs_into_the_env(alice):
    told = alice.terminal(
        "source activate torch && python -c 'import sysconfig; print(sysconfig.get_path(\"purelib\"))'"
    )
    assert told.out.splitlines()[-1].startswith("/home/alice/.conda/envs/torch/lib/"), told.out


def test_sbatch_trains_on_the_titan_with_the_gpu_that_slurm_gave(alice):
    state, output = alice.job("test.sh")
    lines = output.splitlines()
    assert state == "COMPLETED", output
    # The script's first line is echo $CUDA_VISIBLE_DEVICES.
    assert lines[0] in ("0", "1"), output
    loss = re.search(r"^result: loss=([0-9.]+) accuracy=([0-9.]+) .*torch=2\.13\.0", lines[-1])
    assert loss and float(loss.group(1)) < 0.25 and float(loss.group(2)) > 0.9, output


def test_the_job_ran_in_its_partition(alice):
    alice.terminal(
        "cat > where.sh <<'END'\n#!/bin/bash\n#SBATCH --partition=tesla --gres=gpu:2\n"
        "hostname; echo $CUDA_VISIBLE_DEVICES\nEND\n"
    )
    assert alice.job("where.sh") == ("COMPLETED", "tesla01\n0,1\n")


def test_more_gpus_than_a_node_has_are_refused(alice):
    told = alice.terminal("sbatch --gres=gpu:3 test.sh")
    assert told.rc != 0 and "Requested node configuration is not available" in told.out, told.out


def test_nvcc_on_path_compiles(alice):
    told = alice.terminal(
        "cd $(mktemp -d) &&"
        " echo '__global__ void add(float *a) { a[threadIdx.x] += 1; } int main() { return 0; }' > a.cu"
        " && which nvcc && nvcc -o a a.cu && ./a && echo compiled; echo $LD_LIBRARY_PATH"
    )
    lines = told.out.splitlines()
    assert "/opt/pkgs/cuda/cuda-toolkit/bin/nvcc" in lines and "compiled" in lines, told.out
    assert lines[-1] == "/opt/pkgs/cuda/cuda-toolkit/lib64", told.out


@pytest.mark.parametrize("node", NODES)
def test_module_avail_lists_ours(person, node):
    told = person("alice", node).login_shell("module avail 2>&1")
    assert re.search(r"\banaconda3\b", told.out) and re.search(r"\bcuda/13\.5\b", told.out), told.out
    # And still the system's own.
    assert re.search(r"\blmod\b", told.out, re.IGNORECASE), told.out


@pytest.mark.parametrize("node", NODES)
def test_the_commands_for_users_come_with_a_module(person, node):
    told = person("alice", node).login_shell(
        "module load hpc-pytorch-tools; printf '#!/bin/bash\\n#SBATCH --gers=gpu:1\\n' | sbatch-lint -; echo rc=$?"
    )
    assert "<stdin>:2: error: sbatch does not know --gers [misspelt-option]; write --gres" in told.out, told.out
    assert told.out.splitlines()[-1] == "rc=1", told.out


def test_module_load_is_the_guides_second_way(alice):
    told = alice.login_shell(
        "module load anaconda3 cuda/13.5 && source activate torch"
        " && python -c 'import torch; print(torch.__version__)' && nvcc --version"
    )
    assert told.rc == 0 and "2.13.0" in told.out and "release 13.5" in told.out, told.out


def test_without_a_rc_file_and_a_module_there_is_no_conda(alice):
    assert alice.login_shell("type -P activate").rc != 0


def test_condas_line_is_the_last_one_of_the_rc_file(alice):
    lines = alice.ssh("cat ~/.bashrc").out.splitlines()
    conda = [number for number, line in enumerate(lines) if line == 'export PATH="/opt/app/anaconda3/bin:$PATH"']
    cuda = [number for number, line in enumerate(lines) if "/opt/pkgs/cuda/cuda-toolkit/bin" in line]
    assert len(conda) == 1 and cuda and max(cuda) < conda[0], lines[-12:]
    assert [line for line in lines[conda[0] + 1 :] if line and not line.startswith("#")] == []


def test_nothing_doubles_on_path_in_a_shell_within_a_shell(alice):
    told = alice.terminal("bash -ic 'echo $PATH; echo $LD_LIBRARY_PATH' 2>/dev/null")
    path, libraries = [line.split(":") for line in told.out.splitlines()[-2:]]
    assert path.count("/opt/pkgs/cuda/cuda-toolkit/bin") == 1 and "" not in path, told.out
    assert libraries == ["/opt/pkgs/cuda/cuda-toolkit/lib64"], told.out


@pytest.mark.parametrize(
    "path", ["/opt/app/anaconda3/.condarc", "/opt/app/anaconda3/bin/activate", "/opt/app/hpc.pytorch/engine/bin/python"]
)
def test_what_is_shared_belongs_to_root_and_everybody_reads_it(machine, path):
    file = machine("tesla01").file(path)
    assert file.user == "root" and file.mode & 0o022 == 0 or file.is_symlink
    assert file.mode & 0o004


def test_root_left_nothing_of_its_own_in_a_home(machine):
    foreign = machine("login01").check_output("find /home/alice ! -user alice")
    assert foreign == ""


def test_bob_was_not_touched(machine, person):
    assert machine("login01").check_output("ls -A /home/bob/ | sort").split() == [".bash_logout", ".bashrc", ".profile"]
    assert "anaconda3" not in person("bob").ssh("cat ~/.bashrc").out


def test_the_channel_came_over_http_and_is_the_sites_default(machine):
    assert "http://mirror/channel" in machine("login01").file("/opt/app/anaconda3/.condarc").content_string
    record = machine("login01").check_output("cat /home/alice/.conda/envs/torch/conda-meta/pytorch-*.json")
    assert '"http://mirror/channel/' in record


def checked_by_alice(folder):
    """What check.yml wrote down when alice ran it through Slurm (side_effect.yml)."""
    report = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], folder, "report.json")
    return {node["name"]: node for node in json.loads(report.read_text(encoding="utf-8"))["nodes"]}


def test_a_user_asks_every_node_through_slurm():
    nodes = checked_by_alice("report")
    # There is no GPU behind the device files, and torch is one for the CPU.
    assert {name: node["verdict"] for name, node in nodes.items()} == {
        "login01": "cpu_only",
        "titan01": "failed",
        "tesla01": "failed",
    }
    for name in ("titan01", "tesla01"):
        assert nodes[name]["torch"]["version"].startswith("2.13.0")
        assert "expected 2 devices, found 0" in nodes[name]["summary"]
        assert "cpu_only_build" in [reason["code"] for reason in nodes[name]["reasons"]]


def test_a_drained_node_is_named_with_slurms_reason_and_the_others_are_asked():
    nodes = checked_by_alice("report-drained")
    assert (nodes["tesla01"]["verdict"], nodes["tesla01"]["reasons"][0]["code"]) == ("unreachable", "node_unreachable")
    assert "Slurm reports drained: fan" in nodes["tesla01"]["reasons"][0]["message"]
    assert "cpu_only_build" in [reason["code"] for reason in nodes["titan01"]["reasons"]]


def test_the_check_through_slurm_left_nothing(alice):
    assert alice.terminal("squeue --noheader --name torch_check").out == ""
    assert alice.terminal("ls -A ~ | grep -F .hpc_pytorch.check").out == ""
