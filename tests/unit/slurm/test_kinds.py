# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of jobs: what they add, which counts contradict them, and what their scripts really start."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script import parameters, render


def render_script(params, slurm=None):
    return render.render(parameters.options_of(params), slurm)


def directives_of(**params):
    return render_script(dict({"command": "python train.py"}, **params)).directives


@pytest.mark.parametrize(
    "params,expected",
    [
        ({"kind": "multi_gpu", "gres": "gpu:4"}, {"nodes": "1", "ntasks-per-node": "1"}),
        ({"kind": "multi_gpu", "gres": "gpu:4", "launcher": "none"}, {"nodes": "1", "ntasks-per-node": "4"}),
        ({"kind": "multi_gpu", "nproc_per_node": 2}, {"nodes": "1", "ntasks-per-node": "1"}),
        ({"kind": "multi_gpu", "gpus": "2", "nodes": "1"}, {"nodes": "1", "ntasks-per-node": "1"}),
        ({"kind": "multi_node", "nodes": "2", "gpus_per_node": "a100:4"}, {"ntasks-per-node": "1"}),
        ({"kind": "multi_node", "nodes": "2", "gres": "gpu:4", "launcher": "none"}, {"ntasks-per-node": "4"}),
        ({"kind": "multi_node", "nodes": "2", "gres": "gpu:2", "launcher": "mpirun"}, {"ntasks-per-node": "2"}),
        ({"kind": "lightning", "gres": "gpu:titan:8,nvme:100"}, {"nodes": "1", "ntasks-per-node": "8"}),
        ({"kind": "lightning", "nodes": "2", "nproc_per_node": 3}, {"ntasks-per-node": "3"}),
        ({"kind": "lightning", "nodes": "2", "gres": "gpu:4", "ntasks": 8}, {"ntasks-per-node": "4"}),
        (
            {"kind": "lightning", "nodes": "2", "gres": "gpu:2", "ntasks_per_gpu": 1},
            {"nodes": "2", "ntasks-per-gpu": "1"},
        ),
        ({"gres": "gpu:2", "launcher": "mpirun"}, {"nodes": "1", "ntasks-per-node": "2"}),
        ({"gres": "gpu:2", "launcher": "mpirun", "ntasks": 8}, {"ntasks": "8"}),
        ({"checkpoint_seconds": 60}, {"signal": "B:USR1@60", "requeue": True, "open-mode": "append"}),
        ({"checkpoint_seconds": 59, "time": "1"}, {"signal": "B:USR1@59", "requeue": True, "open-mode": "append"}),
        (
            {"checkpoint_seconds": 60, "time": "UNLIMITED"},
            {"signal": "B:USR1@60", "requeue": True, "open-mode": "append"},
        ),
        ({"checkpoint_seconds": 60, "time": "0"}, {"signal": "B:USR1@60", "requeue": True, "open-mode": "append"}),
        (
            {"kind": "lightning", "gres": "gpu:2", "checkpoint_seconds": 90},
            {"signal": "SIGUSR1@90", "requeue": True, "open-mode": "append"},
        ),
    ],
)
def test_a_kind_adds_the_counts_that_it_needs(params, expected):
    found = directives_of(**params)
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    "params,word",
    [
        ({"kind": "multi_gpu"}, "GPUs"),
        ({"kind": "multi_gpu", "gres": "gpu:1"}, "kind: single"),
        ({"kind": "multi_gpu", "gres": "gpu:4", "nodes": "2"}, "kind: multi_node"),
        ({"kind": "multi_gpu", "gres": "gpu:4", "ntasks": 4}, "ntasks"),
        ({"kind": "multi_gpu", "gres": "gpu:2", "nproc_per_node": 4}, "nproc_per_node"),
        ({"kind": "multi_node", "gres": "gpu:4"}, "nodes"),
        ({"kind": "multi_node", "nodes": "1"}, "nodes: 1"),
        ({"kind": "multi_node", "nodes": "2-4"}, "2-4"),
        ({"kind": "multi_node", "nodes": "2", "ntasks_per_node": 4}, "ntasks_per_node"),
        ({"kind": "multi_node", "nodes": "2", "ntasks_per_node": 4, "srun_options": {"ntasks-per-node": 2}}, "1 tasks"),
        (
            {
                "kind": "lightning",
                "gres": "gpu:4",
                "ntasks_per_node": 2,
                "srun_options": {"ntasks-per-node": 4},
            },
            "room",
        ),
        ({"kind": "multi_node", "nodes": "2", "srun": False}, "srun"),
        ({"kind": "multi_node", "nodes": "2", "launcher": "deepspeed"}, "torchrun"),
        ({"kind": "lightning"}, "devices"),
        ({"kind": "lightning", "gres": "gpu:4", "ntasks_per_node": 2}, "ntasks_per_node: 4"),
        ({"kind": "lightning", "gres": "gpu:4", "nodes": "2", "ntasks": 4}, "8 tasks"),
        ({"kind": "lightning", "gres": "gpu:4", "launcher": "torchrun"}, "launcher"),
        ({"kind": "lightning", "gres": "gpu:4", "srun": False}, "srun"),
        ({"kind": "lightning", "gres": "gpu:4", "job_name": "interactive"}, "job_name"),
        ({"kind": "multi_node", "nodes": "2", "gres": "gpu:2", "ntasks_per_gpu": 1}, "ntasks_per_gpu: 1"),
        ({"kind": "array"}, "array"),
        ({"launcher": "torchrun", "nodes": "2"}, "kind: multi_node"),
        ({"launcher": "mpirun", "srun": True}, "mpirun"),
        ({"launcher_options": {"a": 1}}, "launcher_options"),
        ({"launcher": "accelerate", "launcher_options": {"cpu": True}}, "ACCELERATE_USE_CPU"),
        (
            {
                "kind": "multi_node",
                "nodes": "2",
                "launcher": "mpirun",
                "container": {"engine": "apptainer", "image": "/i"},
            },
            "launcher: none",
        ),
        ({"kind": "multi_node", "nodes": "2", "rendezvous": "none"}, "c10d"),
        ({"kind": "multi_node", "nodes": "2", "rendezvous": "env"}, "c10d"),
        ({"kind": "multi_node", "nodes": "2", "launcher": "accelerate", "rendezvous": "none"}, "static"),
        ({"srun_options": {"label": True}}, "srun_options"),
        ({"launcher": "torchrun", "launcher_options": {"a b": 1}}, "launcher_options"),
        ({"srun": True, "srun_options": {"label": False}}, "srun_options"),
        ({"srun": True, "srun_options": {"label": "a\nb"}}, "srun_options"),
        ({"rendezvous": "c10d"}, "rendezvous"),
        ({"kind": "multi_node", "nodes": "2", "rendezvous": "standalone"}, "rendezvous"),
        ({"kind": "multi_gpu", "gres": "gpu:2", "rendezvous_port": 29500}, "rendezvous_port"),
        ({"kind": "multi_node", "nodes": "2", "rendezvous_port": 80}, "rendezvous_port"),
        ({"checkpoint_seconds": 0}, "checkpoint_seconds"),
        ({"checkpoint_seconds": 65536}, "checkpoint_seconds"),
        ({"checkpoint_seconds": 3600, "time": "1:00:00"}, "checkpoint_seconds"),
        ({"checkpoint_seconds": 600, "time": "10"}, "checkpoint_seconds"),
        ({"checkpoint_seconds": 60, "signal": "USR1"}, "signal"),
        ({"checkpoint_seconds": 60, "no_requeue": True}, "no_requeue"),
        ({"checkpoint_seconds": 60, "open_mode": "truncate"}, "open_mode"),
        ({"checkpoint_seconds": 60, "launcher": "torchrun", "srun": False}, "srun"),
        ({"conda_env": "/e", "venv": "/v"}, "conda_env and venv"),
        ({"venv": "/v", "container": {"engine": "apptainer", "image": "/i"}}, "container"),
        ({"venv": "v"}, "venv"),
        ({"uv_project": "/a:b"}, "uv_project"),
        ({"modules_use": ["a"]}, "modules_use"),
        ({"srun": False, "container": {"engine": "pyxis", "image": "i"}}, "pyxis"),
        ({"style": "guide", "kind": "multi_gpu", "gres": "gpu:2"}, "style: current"),
        ({"style": "guide", "venv": "/v", "srun": True}, "srun, venv"),
        ({"slurm_version": "new"}, "slurm_version"),
    ],
)
def test_what_contradicts_a_kind_is_refused_and_named(params, word):
    with pytest.raises(UserError) as caught:
        render_script(dict({"command": "python train.py"}, **params))
    assert word in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["multi_node", "lightning"])
def test_without_slurm_the_same_script_runs_on_this_machine(start, kind):
    ran = start(kind=kind, nodes="2", nproc_per_node=2)
    assert ran.returncode == 0, ran.stderr
    assert ran.calls[0][0] == ("torchrun" if kind == "multi_node" else "python")


@pytest.mark.parametrize(
    "version,params,expected",
    [
        ((18, 8), {"gpus_per_node": "h100:4"}, {"gres": "gpu:h100:4"}),
        ((18, 8), {"gpus_per_node": "a:1,b:2", "gres": "nvme:1"}, {"gres": "nvme:1,gpu:a:1,gpu:b:2"}),
        ((22, 5, 8), {"gpus_per_node": "4"}, {"gpus-per-node": "4"}),
        ((18, 8), {"gpus_per_node": "4", "slurm_version": "23.02"}, {"gpus-per-node": "4"}),
        (None, {"gpus_per_node": "4", "slurm_version": "17.11"}, {"gres": "gpu:4"}),
        (None, {"gpus_per_node": "4"}, {"gpus-per-node": "4"}),
    ],
)
def test_gpus_are_asked_for_as_the_clusters_slurm_wants_it(version, params, expected):
    assert render_script(dict(params, command="true"), version).directives == expected


@pytest.mark.parametrize("params", [{"gpus": "1"}, {"gpus_per_task": "1"}, {"cpus_per_gpu": 2}, {"mem_per_gpu": "1G"}])
def test_what_an_old_slurm_cannot_say_is_refused(params):
    with pytest.raises(UserError, match="19.05"):
        render_script(dict(params, command="true"), (18, 8, 9))
