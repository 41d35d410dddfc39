# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role ondemand_app on this machine: check mode, run, rerun, a changed cluster, and an app that Ruby reads."""

from __future__ import annotations

import json
import pathlib
import subprocess
import typing as t

import pytest

ROLE = [{"name": "Run", "ansible.builtin.include_role": {"name": "hpc.pytorch.ondemand_app"}}]
RENDER = pathlib.Path(__file__).parents[2] / "unit" / "ondemand" / "render.rb"
CONFIG = "ClusterName = campus\nSLURM_VERSION = 22.05.8\n"
PARTITION = "PartitionName=titan AllowGroups=ALL MaxTime=1:00:00 MinNodes=0 Nodes=titan[01-02] State=UP\n"
NODE = "NodeName=titan0%d CPUEfctv=16 CPUTot=16 Gres=gpu:titan:2 RealMemory=4000 State=IDLE Partitions=titan\n"


@pytest.fixture
def scontrol(tmp_path: pathlib.Path) -> t.Callable[..., None]:
    """Makes the scontrol of a cluster in the folder bin."""

    def make(partition: str = PARTITION) -> None:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        for name, text in (("config", CONFIG), ("partition", partition), ("node", NODE % 1 + NODE % 2)):
            (folder / name).write_text(text)
        (folder / "scontrol").write_text('#!/bin/sh\nfor what in "$@"; do :; done\ncat "%s/$what"\n' % folder)
        (folder / "scontrol").chmod(0o755)

    return make


@pytest.fixture
def site(tmp_path: pathlib.Path) -> dict[str, t.Any]:
    return {"ondemand_app_dir": str(tmp_path / "apps/jupyterlab"), "ondemand_app_slurm_bin_dir": str(tmp_path / "bin")}


def rendered(app: pathlib.Path, *selections: t.Mapping[str, str]) -> dict[str, t.Any]:
    done = subprocess.run(
        ["ruby", str(RENDER), str(app)], input=json.dumps(selections), stdout=subprocess.PIPE, text=True, check=True
    )
    return t.cast("dict[str, t.Any]", json.loads(done.stdout))


def test_the_app_is_written_once(play, site, scontrol, tmp_path, tree_of) -> None:
    scontrol()
    app = tmp_path / "apps/jupyterlab"
    checked = play(ROLE, site, "--check", "--diff")
    assert checked.rc == 0 and checked.recap["changed"] == 1 and not app.exists(), checked.output
    assert "titan: up to 2 GPUs (titan), 16 CPUs, 3 GB, 1 hour" in checked.output
    first = play(ROLE, site)
    assert first.rc == 0 and first.recap["changed"] == 1, first.output
    assert sorted(str(path.relative_to(app)) for path in app.rglob("*") if path.is_file()) == [
        "choices.json",
        "form.yml.erb",
        "manifest.yml",
        "submit.yml.erb",
        "template/after.sh.erb",
        "template/before.sh.erb",
        "template/script.sh.erb",
        "view.html.erb",
    ]
    assert {path.stat().st_mode & 0o777 for path in app.rglob("*") if path.is_file()} == {0o644}
    before = tree_of(app)
    for arguments in ((), ("--check",)):
        again = play(ROLE, site, *arguments)
        assert again.rc == 0 and again.recap["changed"] == 0, again.output
    assert tree_of(app) == before

    fields = {"num_gpus": "2", "num_cores": "16", "memory_gb": "3", "bc_num_hours": "1"}
    answer = rendered(app, {"node_type": "titan", **fields})
    assert answer["manifest"]["role"] == "batch_connect" and answer["form"]["cluster"] == "campus"
    assert answer["submitted"][0]["script"]["native"][-1] == "--gres=gpu:titan:2"


def test_values_from_the_command_line(play, site, scontrol, tmp_path) -> None:
    """There a number and a list of names are texts."""
    scontrol(PARTITION.replace("1:00:00", "8:00:00"))
    given = ("-e", "ondemand_app_max_hours=3", "-e", "ondemand_app_accounts=bio,chem")
    done = play(ROLE, site, *given)
    assert done.rc == 0, done.output
    choice = json.loads((tmp_path / "apps/jupyterlab/choices.json").read_text())["choices"][0]
    assert (choice["max_hours"], choice["accounts"]) == (3, ["bio", "chem"])


def test_another_cluster_changes_the_form_and_an_empty_one_leaves_it(play, site, scontrol, tmp_path, tree_of) -> None:
    scontrol()
    assert play(ROLE, site).rc == 0
    scontrol(PARTITION.replace("1:00:00", "3:00:00"))
    run = play(ROLE, site, "--diff")
    assert run.rc == 0 and run.recap["changed"] == 1, run.output
    app = tmp_path / "apps/jupyterlab"
    assert rendered(app)["form"]["attributes"]["bc_num_hours"]["max"] == 3
    before = tree_of(app)
    scontrol(PARTITION.replace("State=UP", "State=DOWN"))
    run = play(ROLE, site)
    assert (
        run.rc != 0 and "expected a partition that a session can run in; found titan: its state is down" in run.output
    )
    assert tree_of(app) == before


def test_absent_removes_the_files_of_the_app_and_no_other(play, site, scontrol, tmp_path, tree_of) -> None:
    scontrol()
    app = tmp_path / "apps/jupyterlab"
    assert play(ROLE, site).rc == 0
    (app / "template/own.txt").write_text("the site's own\n")
    # Slurm is not asked, and no value of the form is read.
    site = dict(site, ondemand_app_state="absent", ondemand_app_slurm_bin_dir="/nowhere", ondemand_app_max_hours=0)
    before = tree_of(app)
    checked = play(ROLE, site, "--check", "--diff")
    assert checked.rc == 0 and checked.recap["changed"] == 1 and tree_of(app) == before, checked.output
    assert checked.output.count("-a file") + checked.output.count("-regular file") == 8, checked.output
    removed = play(ROLE, site)
    assert removed.rc == 0 and removed.recap["changed"] == 1, removed.output
    assert [path.name for path in app.rglob("*") if path.is_file()] == ["own.txt"]
    for arguments in ((), ("--check",)):
        again = play(ROLE, site, *arguments)
        assert again.rc == 0 and again.recap["changed"] == 0, again.output
    bare = play(ROLE, dict(site, ondemand_app_dir=str(tmp_path / "never")))
    assert bare.rc == 0 and bare.recap["changed"] == 0 and not (tmp_path / "never").exists(), bare.output


def test_jupyterlab_is_that_of_the_group_jupyter(play, site, scontrol, tmp_path) -> None:
    scontrol()
    join = [
        {
            "name": "Join",
            "ansible.builtin.add_host": {"name": "jupyter01", "groups": "jupyter", "conda_prefix": "/opt/j"},
        }
    ]
    run = play(join + ROLE, site)
    assert run.rc == 0, run.output
    assert rendered(tmp_path / "apps/jupyterlab")["form"]["attributes"]["jupyter_prefix"] == "/opt/j"


@pytest.mark.parametrize(
    "wrong, says",
    [
        ({"ondemand_app_max_hours": 0}, "expected max_hours to be a number of hours from 1; found 0"),
        ({"ondemand_app_max_hours": "day"}, "ondemand_app_max_hours"),
        ({"ondemand_app_exclude": ["titan"]}, "found titan: the site leaves it out"),
        ({"ondemand_app_slurm_bin_dir": "/nowhere"}, "scontrol"),
    ],
)
def test_a_wrong_variable_is_named_and_nothing_is_written(play, site, scontrol, tmp_path, wrong, says) -> None:
    scontrol()
    run = play(ROLE, dict(site, **wrong))
    assert run.rc != 0 and says in run.output, run.output
    assert not (tmp_path / "apps").exists()
