# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Root runs no job that enters, activates or starts what another user can write, though the script is root's."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest

HEAD = "#!/bin/bash\n#SBATCH --job-name=test\n"


def make_env(folder: pathlib.Path, program: str, kind: str = "conda") -> pathlib.Path:
    for name in ("bin", "etc/profile.d", "etc/conda/activate.d", "lib/python3.11"):
        (folder / name).mkdir(parents=True)
    if kind == "conda":
        (folder / "conda-meta").mkdir()
    else:
        (folder / "pyvenv.cfg").write_text("")
    for name in ("bin/python", "bin/activate", "etc/profile.d/conda.sh", "etc/conda/activate.d/a.sh"):
        (folder / name).write_text(program)
        (folder / name).chmod(0o755)
    (folder / "lib/python3.11/json.py").write_text("")
    return folder


def give(path: pathlib.Path, user: t.Any) -> None:
    os.chown(path, user.uid, user.gid, follow_symlinks=False)


def script_of(place: pathlib.Path, text: str) -> str:
    folder = place / "jobs"
    folder.mkdir(exist_ok=True)
    (folder / "job.sh").write_text(HEAD + text)
    (folder / "job.sh").chmod(0o755)
    return str(folder / "job.sh")


# How a script names an environment, whatever part of it is another user's.
ACTIVATES = [
    "source {env}/bin/activate\n",
    ". {env}/bin/activate\n",
    "source {env}/etc/profile.d/conda.sh; conda activate\n",
    "conda activate {env}\n",
    "conda activate '{env}'\n",
    'conda activate "{env}"\n',
    "source activate {env}\n",
    "{env}/bin/python train.py\n",
    "srun {env}/bin/python train.py\n",
    "exec {env}/bin/python\n",
    "env_prefix={env}\n",
    "env_prefix=$(cd -P -- '{env}' && pwd)\n",
    "export PATH={env}/bin:$PATH CONDA_PREFIX={env}\n",
    "if true; then source {env}/bin/activate; fi\n",
    "conda run -p {env} python\n",
    "conda run --prefix={env} python\n",
]
PARTS = [
    "bin",
    "bin/python",
    "bin/activate",
    "etc/conda/activate.d/a.sh",
    "etc/conda/activate.d",
    "lib/python3.11/json.py",
    ".",
]


@pytest.mark.parametrize("line", ACTIVATES)
def test_no_environment_of_hers_is_activated(refused, place, mallory, program, line):
    env = make_env(place / "my env" if "'" in line or '"' in line else place / "env", program)
    give(env / "bin/python", mallory)
    script = script_of(place, line.format(env=env))
    assert "belongs to uid %d" % mallory.uid in refused("slurm_job", script=script, state="checked")


@pytest.mark.parametrize("kind", ["conda", "venv"])
@pytest.mark.parametrize("part", PARTS)
def test_no_part_of_an_environment_is_hers(refused, place, mallory, program, part, kind):
    env = make_env(place / "env", program, kind)
    give(env / part, mallory)
    for text, more in (
        ("source %s/bin/activate\n" % env, {}),
        ("python train.py\n", {"relies_on": [str(env)]}),
    ):
        script = script_of(place, text)
        assert "belongs to uid %d" % mallory.uid in refused("slurm_job", script=script, state="checked", **more)


FOLDERS = ["hers", "her home", "sticky", "open", "a link of root's to hers", "json.py of hers", "a package of hers"]


@pytest.mark.parametrize("how", ["sbatch option", "argument", "cd", "role"])
@pytest.mark.parametrize("kind", FOLDERS)
def test_no_folder_of_hers_is_entered(refused, place, scratch, mallory, kind, how):
    folder = place / "work"
    if kind == "hers":
        folder = scratch / "mine"
        mallory.does("mkdir '%s'" % folder)
    elif kind == "her home":
        folder = mallory.home
    elif kind == "sticky":
        folder = scratch
    elif kind == "a link of root's to hers":
        folder.symlink_to(mallory.home)
    else:
        folder.mkdir()
        if kind == "open":
            folder.chmod(0o777)
        elif kind == "json.py of hers":
            (folder / "json.py").write_text("")
            give(folder / "json.py", mallory)
        else:
            (folder / "json").mkdir()
            (folder / "json/__init__.py").write_text("")
            give(folder / "json", mallory)
    text = {"sbatch option": "#SBATCH --chdir=%s\n", "cd": "cd %s && python train.py\n"}.get(how, "true # %s\n")
    options = {"argument": {"arguments": ["--chdir=%s" % folder]}, "role": {"relies_on": [str(folder)]}}.get(how, {})
    refused("slurm_job", script=script_of(place, text % folder), state="checked", **options)


@pytest.mark.parametrize("line", ["{p}\n", "bash {p}\n", "source {p}\n", ". '{p}'\n", "python3 {p}\n", "nohup {p} &\n"])
def test_no_program_of_hers_is_started(refused, place, mallory, program, line):
    path = mallory.writes("tools/run.py", program)
    refused("slurm_job", script=script_of(place, line.format(p=path)), state="checked")


def test_a_script_in_a_sticky_folder_would_run_there(refused, scratch):
    script = scratch / "job.sh"
    script.write_text(HEAD + "python train.py\n")
    assert "has mode 1777" in refused("slurm_job", script=str(script), state="checked")


@pytest.mark.parametrize(
    "text",
    [
        "source {env}/bin/activate\npython train.py --data /theirs/data.csv --out {scratch}/out\n",
        "#SBATCH --chdir={env}\n{env}/bin/python train.py > {scratch}/log 2>&1\n",
        "# source {scratch}/mine/activate\n{env}/bin/python /usr/bin/true\n",
        "cp {home}/data.csv {scratch}/\n",
    ],
)
def test_roots_own_job_with_data_of_others_is_not_refused(as_root, place, scratch, alice, program, text):
    env = make_env(place / "env", program)
    alice.writes("data.csv", "1\n", mode=0o644)
    (env / "envs").mkdir()
    give(env / "envs", alice)
    script = script_of(place, text.format(env=env, scratch=scratch, home=alice.home))
    result = as_root("slurm_job", script=script, state="checked", relies_on=[str(env)])
    assert not result.get("failed"), result


@pytest.mark.parametrize("variable", ["conda_env", "venv", "chdir", "conda_prefix"])
def test_the_role_runs_nothing_of_hers(play, place, mallory, program, marker, variable):
    env = make_env(place / "env", program, "venv" if variable == "venv" else "conda")
    for path in [env, *env.rglob("*")]:
        give(path, mallory)
    script = script_of(place, "python -c 'import json'\n")
    done = play(
        [{"ansible.builtin.include_role": {"name": "hpc.pytorch.job_script", "tasks_from": "run"}}],
        {"job_script_dest": script, "job_script_" + variable: str(env)},
    )
    assert done.rc != 0 and "become_user" in done.output and not marker.exists(), done.output
