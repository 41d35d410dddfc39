# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a second user owns or plants is not executed, followed or written by root; as that user it works."""

from __future__ import annotations

import os
import pathlib
import shutil
import sys
import typing as t

import pytest

# --- executed ----------------------------------------------------------------------------------------------------


def make_env(folder: pathlib.Path, program: str) -> pathlib.Path:
    """An env whose interpreter is *program*."""
    for name in ("conda-meta", "bin", "lib/python3.11/site-packages/torch"):
        (folder / name).mkdir(parents=True)
    (folder / "lib/python3.11/site-packages/torch/__init__.py").write_text("")
    (folder / "bin/python").write_text(program)
    (folder / "bin/python").chmod(0o755)
    return folder


def give(path: pathlib.Path, user: t.Any) -> None:
    os.chown(path, user.uid, user.gid, follow_symlinks=False)


ENV_PARTS = [
    "bin/python",
    "bin",
    ".",
    "lib/python3.11/site-packages",
    "lib/python3.11/site-packages/torch/__init__.py",
    "conda-meta",
]


@pytest.mark.parametrize("part", ENV_PARTS)
def test_torch_info_runs_no_env_with_a_part_of_somebody_elses(refused, alice, place, program, marker, part):
    env = make_env(place / "env", program)
    give(env / part, alice)
    assert "belongs to uid %d" % alice.uid in refused("torch_info", prefix=str(env))
    assert not marker.exists()


@pytest.mark.parametrize(
    "mode, part", [(0o777, "bin"), (0o666, "lib/python3.11/site-packages/torch/__init__.py"), (0o777, ".")]
)
def test_torch_info_runs_no_env_that_everybody_can_write(refused, place, program, marker, mode, part):
    env = make_env(place / "env", program)
    (env / part).chmod(mode)
    assert "has mode" in refused("torch_info", prefix=str(env)) and not marker.exists()


def test_torch_info_runs_no_env_whose_path_file_leads_to_a_home(refused, alice, place, program, marker):
    env = make_env(place / "env", program)
    (env / "lib/python3.11/site-packages/theirs.pth").write_text("%s\n" % alice.home)
    assert "theirs.pth" in refused("torch_info", prefix=str(env)) and not marker.exists()


def test_torch_info_runs_no_venv_on_somebody_elses_env(refused, alice, place, program, marker):
    base = make_env(place / "base", program)
    give(base / "lib/python3.11/site-packages", alice)
    venv = place / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "pyvenv.cfg").write_text("home = %s/bin\n" % base)
    (venv / "bin/python").symlink_to(base / "bin/python")
    assert "belongs to uid" in refused("torch_info", prefix=str(venv)) and not marker.exists()


def test_torch_info_runs_roots_own_env(as_root, place, program, marker):
    as_root("torch_info", prefix=str(make_env(place / "env", program)))
    assert marker.exists()


@pytest.mark.parametrize("how", ["open folder", "theirs inside"])
def test_conda_env_runs_no_engine_of_somebody_elses(refused, alice, place, program, marker, how):
    engine = place / "engine"
    (engine / "bin").mkdir(parents=True)
    (engine / "lib").mkdir()
    (engine / "pyvenv.cfg").write_text("")
    (engine / "bin/python").write_text(program)
    (engine / "bin/python").chmod(0o755)
    if how == "open folder":
        place.chmod(0o777)
    else:
        give(engine / "lib", alice)
    for module, options in (
        ("conda_env", {"prefix": "/opt/hpc-pytorch-none", "channels": ["nowhere"], "packages": ["x"]}),
        ("conda_channel", {"path": "/opt/hpc-pytorch-none", "python": [sys.executable]}),
    ):
        assert "engine" in refused(module, executable=str(engine / "bin/python"), **options)
    assert not marker.exists()


def test_cuda_info_runs_no_nvcc_of_somebody_elses(refused, alice, program, marker):
    nvcc = alice.writes("cuda/bin/nvcc", program)
    refused("cuda_info", cuda_home=str(nvcc.parent.parent))
    assert not marker.exists()


def test_a_command_that_somebody_planted_on_path_is_not_run(as_root, alice, program, marker):
    for name in ("nvcc", "nvidia-smi", "scontrol", "sbatch"):
        alice.writes("bin/" + name, program)
    path = {"PATH": "%s:/usr/bin:/bin" % (alice.home / "bin")}
    as_root("cuda_info", path)
    as_root("conda_env_prune", path, envs_dir=str(alice.home.parent), name="torch", homes=[])
    assert not marker.exists()


def test_prune_asks_no_slurm_of_somebody_elses(refused, alice, place, program, marker):
    alice.writes("bin/scontrol", program)
    (place / "envs/.torch/a/conda-meta").mkdir(parents=True)
    message = refused(
        "conda_env_prune", envs_dir=str(place / "envs"), name="torch", homes=[], bin_dir=str(alice.home / "bin")
    )
    assert "Slurm's command" in message and not marker.exists()


def test_channel_repackages_no_python_of_somebody_elses(refused, alice, place, program, marker):
    python = alice.writes("bin/python3", program)
    refused("conda_channel", path=str(place / "channel"), python=[str(python)], executable=sys.executable)
    assert not marker.exists() and not (place / "channel").exists()


@pytest.mark.parametrize("planted", ["file", "folder", "link to a folder"])
def test_no_job_script_of_somebody_elses_is_run(play, alice, place, program, marker, planted):
    script = alice.writes("jobs/job.sh", program)
    if planted != "file":
        os.chown(script, 0, 0)
    if planted == "link to a folder":
        (place / "jobs").mkdir()
        script.rename(place / "jobs/job.sh")
        alice.does("rmdir jobs && ln -s '%s' jobs" % (place / "jobs"))
    done = play(
        [{"ansible.builtin.include_role": {"name": "hpc.pytorch.job_script", "tasks_from": "run"}}],
        {"job_script_dest": str(script)},
    )
    assert done.rc != 0 and "become_user" in done.output and not marker.exists(), done.output


# --- written, or followed ----------------------------------------------------------------------------------------


@pytest.fixture
def channel(place: pathlib.Path, tiny_channel: t.Any) -> pathlib.Path:
    folder = place / "channel"
    tiny_channel.make_package(folder, "app")
    return t.cast(pathlib.Path, tiny_channel.index(folder))


@pytest.fixture
def env(place: pathlib.Path, channel: pathlib.Path) -> dict[str, t.Any]:
    """conda_env's options for a small real env at a place of root's."""
    return {
        "prefix": str(place / "app/env"),
        "packages": ["app"],
        "channels": ["file://%s" % channel],
        "package_cache": str(place / "pkgs"),
        "executable": sys.executable,
        "register_envs": False,
    }


def test_an_env_of_roots_own_is_made(as_root, env):
    result = as_root("conda_env", **env)
    assert result["changed"] and pathlib.Path(env["prefix"], "share/app.txt").exists()


@pytest.mark.parametrize("state", ["present", "absent"])
def test_no_env_is_made_or_removed_in_somebody_elses_folder(refused, env, alice, state):
    planted = alice.writes("envs/.env.%s.4194305.removing/keep" % os.uname().nodename, "x")
    assert "belongs to uid" in refused("conda_env", **{**env, "prefix": str(alice.home / "envs/env"), "state": state})
    assert planted.exists() and sorted(path.name for path in (alice.home / "envs").iterdir()) == [planted.parent.name]


@pytest.mark.parametrize("state", ["present", "absent"])
def test_an_env_that_is_a_symlink_is_not_followed(refused, env, alice, treasure, state):
    alice.does("mkdir envs && ln -s '%s' envs/torch" % treasure.path.parent)
    options = {key: value for key, value in env.items() if key != "prefix"}
    refused("conda_env", **options, name="torch", envs_dir=str(alice.home / "envs"), state=state)
    assert treasure.is_untouched()


@pytest.mark.parametrize("option", ["package_cache", "lock_file"])
def test_nothing_is_read_or_written_through_what_somebody_planted(refused, env, alice, treasure, option):
    alice.does("ln -s '%s' planted; ln -s '%s' folder" % (treasure.path, treasure.path.parent))
    for path in ("planted", "folder/new"):
        refused("conda_env", **{**env, option: str(alice.home / path)})
    assert treasure.is_untouched() and not os.path.exists(env["prefix"])


def test_a_lock_file_that_is_a_fifo_is_not_waited_for(refused, env, place):
    os.mkfifo(place / "torch.lock")
    assert "neither" in refused("conda_env", **env, lock_file=str(place / "torch.lock"))


@pytest.mark.parametrize("name", ["CONDARC", "HOME"])
def test_no_condarc_of_somebody_elses_decides(refused, env, alice, name):
    condarc = alice.writes(".condarc", "channels: [evil]\n")
    value = condarc if name == "CONDARC" else alice.home
    assert "condarc" in refused("conda_env", {name: str(value)}, **env)


def test_no_channel_or_requirement_of_somebody_elses_is_installed(refused, env, alice, channel):
    shutil.copytree(channel, alice.home / "channel")
    alice.does(": > requirements.txt")
    assert "channel" in refused("conda_env", **{**env, "channels": ["file://%s" % (alice.home / "channel")]})
    for line in ("-r %s/requirements.txt", "--find-links %s/wheels", "tool @ file://%s/tool.whl", "%s/tool.whl"):
        assert "pip" in refused("conda_env", **env, pip=[line % alice.home])
    assert not os.path.exists(env["prefix"])


def test_a_file_of_somebody_elses_in_the_cache_does_not_come_into_an_env(as_root, refused, env, alice, place):
    assert as_root("conda_env", **env)["changed"]
    (cached,) = (place / "pkgs").glob("app-*/share/app.txt")
    give(cached, alice)
    second = {**env, "prefix": str(place / "app/second")}
    assert "belongs to uid" in refused("conda_env", **second)
    assert sorted(path.name for path in (place / "app").iterdir()) == ["env"]


def test_what_a_package_lets_everybody_write_is_roots_own_in_an_env(as_root, env, place):
    assert as_root("conda_env", **env)["changed"]
    (cached,) = (place / "pkgs").glob("app-*/share/app.txt")
    cached.chmod(0o666)
    second = {**env, "prefix": str(place / "app/second")}
    assert as_root("conda_env", **second)["changed"]
    assert (place / "app/second/share/app.txt").stat().st_mode & 0o777 == 0o644


def test_an_env_with_a_part_of_somebody_elses_is_not_changed(as_root, refused, env, alice, treasure):
    assert as_root("conda_env", **env)["changed"]
    meta = pathlib.Path(env["prefix"], "conda-meta")
    give(meta, alice)
    (meta / "hpc_pytorch.record").unlink()
    alice.does("ln -s '%s' '%s/hpc_pytorch.record'" % (treasure.path, meta))
    refused("conda_env", **env)
    assert treasure.is_untouched()


def test_the_list_of_envs_and_the_locks_are_not_followed_into_a_home(as_root, env, alice, place, treasure):
    """HOME or XDG_CACHE_HOME may still be the user's that called sudo."""
    alice.does("ln -s '%s' .conda" % treasure.path.parent)
    result = as_root(
        "conda_env", {"HOME": str(alice.home), "XDG_CACHE_HOME": str(place / "cache")}, **{**env, "register_envs": True}
    )
    assert result["changed"] and any("not listed in" in str(warning) for warning in result["warnings"]), result
    result = as_root("conda_env", {"HOME": str(alice.home)}, **{**env, "register_envs": True, "state": "absent"})
    assert result["changed"] and not os.path.exists(env["prefix"])
    assert treasure.is_untouched()


def test_a_lock_that_leads_elsewhere_is_not_emptied(as_root, env, alice, place, treasure):
    assert as_root("conda_env", {"XDG_CACHE_HOME": str(place / "cache")}, **env)["changed"]
    (lock,) = (place / "cache/hpc.pytorch/locks").iterdir()
    alice.does(
        "mkdir -p .cache/hpc.pytorch/locks && ln -s '%s' .cache/hpc.pytorch/locks/%s" % (treasure.path, lock.name)
    )
    as_root("conda_env", {"XDG_CACHE_HOME": str(alice.home / ".cache")}, **{**env, "packages": ["app", "app=1.0"]})
    assert treasure.is_untouched()


def test_progress_is_not_written_where_somebody_else_could_move_the_folder(as_root, env, alice, treasure):
    alice.does("ln -s '%s' planted" % treasure.path.parent)
    for name in ("planted/progress", "progress"):
        as_root(
            "conda_env", **{**env, "packages": ["app", name.replace("/", "-")]}, progress_file=str(alice.home / name)
        )
    assert treasure.is_untouched() and not (alice.home / "progress").exists()


PLANTED = {
    "symlink": "ln -s '{treasure}' '{path}'",
    "dangling symlink": "ln -s '{folder}/new' '{path}'",
    "symlinked folder": "rmdir '{path.parent}' && ln -s '{folder}' '{path.parent}'",
    "fifo": "mkfifo '{path}'",
    "their own file": ": > '{path}'",
    "nothing": ":",
}


@pytest.mark.parametrize("planted", [*PLANTED, "hard link"])
@pytest.mark.parametrize("module", ["sbatch_script", "shell_rc"])
def test_nothing_is_written_into_a_home(refused, alice, treasure, module, planted):
    path = alice.home / "jobs/file.sh"
    alice.does("mkdir jobs")
    if planted == "hard link":
        # The kernel may not let alice make one of a file that is not hers.
        os.link(treasure.path, path)
        treasure.before = treasure.state()
    else:
        alice.does(PLANTED[planted].format(path=path, treasure=treasure.path, folder=treasure.path.parent))
    before = sorted(str(each) for each in alice.home.rglob("*"))
    if module == "sbatch_script":
        refused(module, dest=str(path), command="true")
    else:
        refused(module, path=str(path), block="conda", lines=["export PATH=/opt/conda/bin:$PATH"])
    assert treasure.is_untouched() and sorted(str(each) for each in alice.home.rglob("*")) == before


def test_no_channel_is_published_in_a_home(refused, alice):
    refused("conda_channel", path=str(alice.home / "channel"), python=[sys.executable], executable=sys.executable)
    assert list(alice.home.iterdir()) == []


def test_nothing_is_pruned_in_a_home_or_through_a_link(refused, alice, place, treasure):
    alice.does("mkdir -p envs/.torch/a/conda-meta")
    refused("conda_env_prune", envs_dir=str(alice.home / "envs"), name="torch", homes=[], slurm=False, confirm=True)
    (place / "envs").mkdir()
    (place / "envs/.torch").symlink_to(treasure.path.parent)
    refused("conda_env_prune", envs_dir=str(place / "envs"), name="torch", homes=[], slurm=False, confirm=True)
    assert (alice.home / "envs/.torch/a/conda-meta").is_dir() and treasure.is_untouched()


def test_looking_into_a_home_follows_no_link_to_what_is_not_theirs(as_root, alice, place, treasure):
    version = place / "envs/.torch/a"
    (version / "conda-meta").mkdir(parents=True)
    # One that is new may be about to be published.
    for path in (version / "conda-meta", version):
        os.utime(path, (10**9, 10**9))
    treasure.path.write_text("%s\n" % version)
    os.chown(treasure.path, 4242, 4242)
    alice.does("mkdir .conda && ln -s '%s' .conda/environments.txt && mkfifo .bashrc" % treasure.path)
    options = {"envs_dir": str(place / "envs"), "name": "torch", "keep": 0, "older_than": 0, "slurm": False}
    result = as_root("conda_env_prune", **options, homes=[str(alice.home)])
    assert [each["prefix"] for each in result["removable"]] == [str(version)], result


def test_conda_env_info_reads_a_planted_env_and_waits_for_no_fifo(as_root, alice, program, marker):
    alice.writes("env/bin/python", program)
    alice.does("mkdir env/conda-meta && mkfifo env/conda-meta/app-1.0-0.json env/conda-meta/hpc_pytorch.record")
    result = as_root("conda_env_info", prefix=str(alice.home / "env"), verify=True)
    assert result["state"] == "env" and len(result["problems"]) == 1 and not marker.exists(), result


# --- what keeps working ------------------------------------------------------------------------------------------


def test_as_that_user_all_of_it_works(play, alice, treasure, program, marker):
    """With become_user: the rc file through the user's own link, a job script, an env checked, run and removed."""
    # Where another user than root writes.
    marker.touch()
    give(marker, alice)
    alice.does("mkdir dotfiles jobs && : > dotfiles/bashrc && ln -s dotfiles/bashrc .bashrc")
    for name in ("bin/python", "lib/python3.11/site-packages/torch/__init__.py", "conda-meta/history"):
        alice.writes("env/" + name, program if name.startswith("bin") else "")
    marker_before = marker.stat().st_mtime_ns
    env = str(alice.home / "env")
    done = play(
        [
            {
                "hpc.pytorch.shell_rc": {
                    "path": str(alice.home / ".bashrc"),
                    "block": "conda",
                    "lines": ["PATH=/opt/conda/bin:$PATH"],
                }
            },
            {"hpc.pytorch.sbatch_script": {"dest": str(alice.home / "jobs/job.sh"), "command": "true"}},
            {
                "hpc.pytorch.host_files": {
                    "files": [{"path": str(alice.home / "new/file"), "content": "hers", "mode": "0600"}]
                }
            },
            {"hpc.pytorch.host_files_info": {"paths": [str(alice.home / "new/file")]}},
            {"hpc.pytorch.conda_env_info": {"prefix": env}},
            {"hpc.pytorch.torch_info": {"prefix": env}},
            {"hpc.pytorch.conda_env": {"prefix": env, "state": "absent"}},
        ],
        {
            "ansible_become": True,
            "ansible_become_method": "ansible.builtin.su",
            "ansible_become_user": alice.name,
            "ansible_remote_tmp": "/tmp",
        },
        # Not the tests' own Python, which lies in root's home.
        "-e",
        "ansible_python_interpreter=/usr/bin/python3",
    )
    assert done.rc == 0 and done.recap["changed"] == 4, done.output
    assert (alice.home / ".bashrc").is_symlink() and "/opt/conda/bin" in (alice.home / "dotfiles/bashrc").read_text()
    assert (alice.home / "new/file").stat().st_uid == alice.uid and (alice.home / "new/file").read_text() == "hers"
    assert (alice.home / "jobs/job.sh").stat().st_uid == alice.uid
    assert marker.stat().st_mtime_ns > marker_before and not os.path.exists(env) and treasure.is_untouched()
