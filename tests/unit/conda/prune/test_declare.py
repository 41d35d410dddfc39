# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""conda_env_prune on stores on disk, with real processes; Slurm alone is a stand-in, in what 22.05 printed.

For /proc stands a folder of links to what a test has started, since other processes may use versions of these names.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import time
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.prune import (
    declare as prune,
    jobs as prune_jobs,
    signs as prune_signs,
)
from ansible_collections.hpc.pytorch.plugins.module_utils._files.leftovers import private_path

DAY = 86400
JOB = (
    "JobId=%s JobName=train UserId=alice(1000) JobState=%s Reason=None Dependency=(null) Requeue=1 Restarts=%s"
    " BatchFlag=%s SubmitTime=%s EligibleTime=Unknown StartTime=%s Partition=gpu Command=/home/alice/train.sh"
    " WorkDir=/home/alice"
)


@pytest.fixture
def envs(tmp_path: pathlib.Path) -> pathlib.Path:
    """Versions a to d, each published in its turn, the last one a month ago."""
    folder = tmp_path / "envs"
    for name in "abcd":
        add(folder, name)
    publish(folder, "d")
    for days, name in ((40, "a"), (35, "b"), (30, "c"), (30, "d")):
        record(folder, name, days)
    return folder


def add(folder: pathlib.Path, name: str, size: int = 100_000) -> pathlib.Path:
    prefix = folder / ".torch" / name
    (prefix / "conda-meta").mkdir(parents=True)
    (prefix / "lib").write_bytes(b"x" * size)
    prefix.with_name(name + ".lock").write_text("lock\n")
    past = time.time() - 90 * DAY
    os.utime(prefix / "conda-meta", (past, past))
    return prefix


def record(folder: pathlib.Path, name: str, days: float) -> None:
    path = folder / ".torch" / (name + ".switched")
    path.touch()
    os.utime(path, (time.time() - days * DAY,) * 2)


def publish(folder: pathlib.Path, name: str, days: float = 30.001) -> None:
    (folder / "torch").unlink(missing_ok=True)
    (folder / "torch").symlink_to(".torch/" + name)
    os.utime(folder / "torch", (time.time() - days * DAY,) * 2, follow_symlinks=False)


def parameters(envs: pathlib.Path) -> dict[str, t.Any]:
    looked_at: dict[str, t.Any] = {"homes": [], "layers": [], "named_in": [], "slurm": False, "bin_dir": None}
    return {"envs_dir": str(envs), "name": "torch", "keep": 0, "older_than": 7, "confirm": True, **looked_at}


@pytest.fixture
def proc(tmp_path: pathlib.Path) -> pathlib.Path:
    """Stands for /proc: what :func:`held` has started is linked there."""
    folder = tmp_path / "proc"
    folder.mkdir()
    return folder


@pytest.fixture
def run(envs: pathlib.Path, proc: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., dict[str, t.Any]]:
    """The module on these versions, as root sees them, with no home and no Slurm; versions by name."""
    seen = prune_signs.processes

    def call(check_mode: bool = False, **given: t.Any) -> dict[str, t.Any]:
        result = prune.prune_envs(prune.Options(**{**parameters(envs), **given}), check_mode)
        for key in ("removable", "removed"):
            result[key] = [os.path.basename(each["prefix"]) for each in result[key]]
        result["kept"] = {os.path.basename(each["prefix"]): "; ".join(each["reasons"]) for each in result["kept"]}
        return result

    def as_root_sees(names: prune_signs.Names) -> t.Any:
        uses, doubts = seen(names, str(proc))
        # An ordinary user's run of these tests: the tests' own processes are all there is to see.
        return uses, doubts if os.geteuid() == 0 else []

    monkeypatch.setattr(prune_signs, "processes", as_root_sees)
    monkeypatch.setattr(prune_signs, "_KERNELS", ())
    return call


def there(envs: pathlib.Path) -> list[str]:
    return sorted(path.name for path in (envs / ".torch").iterdir())


def test_a_plain_call_and_check_mode_only_list(run, envs, tree_of_bytes):
    before = tree_of_bytes(envs)
    listed = run(confirm=False)
    assert (listed["changed"], sorted(listed["removable"]), listed["removed"]) == (False, ["a", "b", "c"], [])
    assert (
        listed["freed_bytes"] == 0
        and "confirm" in listed["msg"]
        and listed["diff"]["before"] == listed["diff"]["after"]
    )
    predicted = run(check_mode=True)
    assert (
        predicted["changed"] and sorted(predicted["removed"]) == ["a", "b", "c"] and predicted["freed_bytes"] > 300_000
    )
    assert predicted["diff"]["after"].split() == [str(envs / ".torch/d")]
    assert tree_of_bytes(envs) == before


@pytest.fixture
def tree_of_bytes() -> t.Callable[[pathlib.Path], t.Any]:
    return lambda folder: sorted(
        (str(path), path.lstat().st_mtime_ns, path.lstat().st_size) for path in folder.rglob("*")
    )


def test_what_nothing_uses_goes_with_what_lies_beside_it_and_once(run, envs):
    done = run()
    assert sorted(done["removed"]) == ["a", "b", "c"] and done["kept"] == {"d": "published as torch"}
    assert there(envs) == ["d", "d.lock", "d.switched"]
    again = run()
    assert not again["changed"] and again["removed"] == []


def test_the_last_ones_stay_to_go_back_to_also_after_a_rollback(run, envs):
    # b was published once more, then d again: b is the one before.
    record(envs, "b", 29)
    record(envs, "d", 28)
    publish(envs, "d", 28.001)
    assert sorted(run(keep=1)["removed"]) == ["a", "c"]


def test_what_never_bore_the_name_is_none_to_go_back_to(run, envs):
    prefix = add(envs, "failed")
    # Newer than any that did.
    os.utime(prefix / "conda-meta", (time.time() - 10 * DAY,) * 2)
    done = run(keep=1)
    assert "failed" in done["removed"] and list(done["kept"]) == ["d", "c"]


def test_days_count_from_when_the_name_left(run, envs):
    record(envs, "c", 3)
    done = run()
    assert sorted(done["removed"]) == ["a", "b"] and "less than 7 days" in done["kept"]["c"]
    assert run(older_than=2)["removed"] == ["c"]


def test_a_switch_by_hand_counts_for_every_version(run, envs):
    publish(envs, "a", 2)
    assert run()["removed"] == []
    publish(envs, "a", 8)
    assert sorted(run()["removed"]) == ["b", "c", "d"]


def test_what_is_being_made_stays_until_it_is_old(run, envs):
    add(envs, "new")
    os.utime(envs / ".torch/new/conda-meta")
    assert "less than 7 days" in run()["kept"]["new"]
    assert "about to be published" in run(older_than=0)["kept"]["new"]


def test_another_symlink_keeps(run, envs):
    (envs / "torch-2.5").symlink_to(".torch/a")
    done = run()
    assert done["kept"]["a"] == "the symlink %s" % (envs / "torch-2.5") and (envs / ".torch/a").is_dir()


@pytest.fixture
def held(proc: pathlib.Path) -> t.Iterator[t.Callable[..., subprocess.Popen[bytes]]]:
    """A process that waits for the end of its standard input."""
    started = []

    def start(**keywords: t.Any) -> subprocess.Popen[bytes]:
        script = keywords.pop("script", "echo; read line")
        process = subprocess.Popen(
            ["/bin/bash", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, **keywords
        )
        started.append(process)
        (proc / str(process.pid)).symlink_to("/proc/%d" % process.pid)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    yield start
    for process in started:
        process.communicate()


@pytest.mark.parametrize("how", ["cwd", "CONDA_PREFIX", "PATH", "open file", "other mount"])
def test_a_process_keeps_what_it_uses(run, envs, held, how):
    prefix = envs / ".torch/b"
    if how == "cwd":
        process = held(cwd=prefix)
    elif how == "open file":
        process = held(script="exec 9<%s; echo; read line" % (prefix / "lib"))
    else:
        value = {
            "CONDA_PREFIX": str(prefix),
            "PATH": "%s/bin:/usr/bin:/bin" % prefix,
            "other mount": "/gpfs/apps/envs/.torch/b",
        }[how]
        process = held(env={"PATH": "/usr/bin:/bin", how.replace(" ", "_"): value})
    done = run()
    assert sorted(done["removed"]) == ["a", "c"]
    assert done["kept"]["b"] == "process %d (bash of uid %d)" % (process.pid, os.geteuid())
    process.communicate()
    assert run()["removed"] == ["b"]


def test_a_process_that_comes_at_the_last_moment_brings_it_back(run, envs, held, monkeypatch):
    rename = os.rename

    def renamed(source: str, target: str) -> None:
        if target.endswith(".removing") and source.endswith("/c"):
            held(cwd=source)
        rename(source, target)

    monkeypatch.setattr(os, "rename", renamed)
    done = run()
    assert "came meanwhile" in done["kept"]["c"] and sorted(done["removed"]) == ["a", "b"]
    assert (envs / ".torch/c/lib").exists() and (envs / ".torch/c.lock").exists()


def test_one_that_is_published_at_the_last_moment_comes_back(run, envs, monkeypatch):
    rename = os.rename

    def renamed(source: str, target: str) -> None:
        if target.endswith(".removing") and source.endswith("/c"):
            publish(envs, "c")
        rename(source, target)

    monkeypatch.setattr(os, "rename", renamed)
    assert run()["kept"]["c"] == "published meanwhile"
    assert (envs / "torch/lib").exists()


@pytest.mark.parametrize("moment", ["before the files beside it", "before the folder"])
def test_the_next_run_finishes_an_interrupted_one(run, envs, monkeypatch, moment):
    def killed(path: str) -> None:
        raise KeyboardInterrupt

    # The number of a process that does not exist, so no run is using it.
    monkeypatch.setattr(
        prune, "private_path", lambda *given: private_path(*given).replace(".%d-" % os.getpid(), ".4194305-")
    )
    monkeypatch.setattr(
        prune.os if "beside" in moment else prune.shutil, "unlink" if "beside" in moment else "rmtree", killed
    )
    with pytest.raises(KeyboardInterrupt):
        run()
    monkeypatch.undo()
    assert any(name.endswith(".removing") for name in there(envs))
    if os.geteuid() == 0:
        listed = run(confirm=False)
        assert any(name.endswith(".removing") for name in listed["removable"])
        assert run()["changed"]
        assert there(envs) == ["d", "d.lock", "d.switched"]


def test_a_folder_that_another_process_is_deleting_is_left_to_it(run, envs):
    trash = pathlib.Path(private_path(str(envs / ".torch/z"), "removing"))
    trash.mkdir()
    assert trash.name not in run()["removed"] and trash.is_dir()


def test_strange_things_are_left_alone(run, envs):
    (envs / ".torch/notes.txt").write_text("mine")
    (envs / ".torch/data").mkdir()
    done = run()
    assert sorted(map(os.path.basename, done["ignored"])) == ["data", "notes.txt"]
    assert {"notes.txt", "data"} <= set(there(envs))


def test_a_file_that_the_package_cache_has_too_frees_nothing(run, envs, tmp_path):
    (tmp_path / "pkgs").mkdir()
    os.link(envs / ".torch/a/lib", tmp_path / "pkgs/lib")
    os.link(envs / ".torch/b/lib", envs / ".torch/b/twice")
    freed = run()["freed_bytes"]
    assert 200_000 < freed < 300_000


@pytest.mark.parametrize(
    "name, content",
    [
        (".conda/environments.txt", "/other\n{}\n"),
        (".local/share/jupyter/kernels/torch/kernel.json", '{{"argv": ["{}/bin/python", "-m", "ipykernel"]}}'),
        ("thesis/venv/pyvenv.cfg", "home = {}/bin\n"),
        (".venv/pyvenv.cfg", "home = {}/bin\n"),
        (".local/lib/python3.11/site-packages/site.pth", "{}/lib/python3.11/site-packages\n"),
        (".bashrc", "export PATH={}/bin:$PATH\n"),
    ],
)
def test_a_file_in_a_home_keeps(run, envs, tmp_path, name, content):
    path = tmp_path / "home/alice" / name
    path.parent.mkdir(parents=True)
    path.write_text(content.format(envs / ".torch/b"))
    done = run(homes=[str(tmp_path / "home/*")])
    assert str(path) in done["kept"]["b"] and sorted(done["removed"]) == ["a", "c"]
    path.write_text(content.format(envs / ".torch/bb"))
    assert run(homes=[str(tmp_path / "home/*")])["removed"] == ["b"]


def test_files_that_the_site_names_keep(run, envs, tmp_path):
    module = tmp_path / "modulefiles/torch/2.5.lua"
    module.parent.mkdir(parents=True)
    module.write_text('prepend_path("PATH", "%s/bin")' % (envs / ".torch/a"))
    venv = tmp_path / "project/layers/one/pyvenv.cfg"
    venv.parent.mkdir(parents=True)
    venv.write_text("home = %s/bin\n" % (envs / ".torch/b"))
    done = run(named_in=[str(tmp_path / "modulefiles/**/*.lua")], layers=[str(tmp_path / "project/*")])
    assert done["removed"] == ["c"] and str(module) in done["kept"]["a"] and str(venv) in done["kept"]["b"]


def test_a_version_does_not_keep_itself_and_a_layer_beside_it_does(run, envs):
    kernels = envs / ".torch/a/share/jupyter/kernels/python3"
    kernels.mkdir(parents=True)
    (kernels / "kernel.json").write_text(json.dumps({"argv": [str(envs / ".torch/a/bin/python")]}))
    (envs / "layered").mkdir()
    (envs / "layered/pyvenv.cfg").write_text("home = %s/bin\n" % (envs / ".torch/b"))
    done = run()
    assert sorted(done["removed"]) == ["a", "c"] and "layered" in done["kept"]["b"]


def test_no_fifo_and_no_endless_device_is_waited_for(run, envs, tmp_path):
    home = tmp_path / "home/alice"
    (home / ".conda").mkdir(parents=True)
    os.mkfifo(home / ".conda/environments.txt")
    (home / ".bashrc").symlink_to("/dev/zero")
    assert sorted(run(homes=[str(home)])["removed"]) == ["a", "b", "c"]


# --- Slurm -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def slurm(tmp_path: pathlib.Path) -> t.Callable[..., str]:
    """Writes a stand-in for scontrol and returns its folder. *jobs*: lines; *scripts*: by job."""

    def make(*jobs: str, scripts: t.Mapping[str, str] | None = None, rc: int = 0) -> str:
        folder = tmp_path / "slurm"
        folder.mkdir(exist_ok=True)
        (folder / "jobs").write_text("".join(line + "\n" for line in jobs) or "No jobs in the system\n")
        for number, text in (scripts or {}).items():
            (folder / number).write_text(text)
        command = folder / "scontrol"
        command.write_text(
            '#!/bin/bash\ncase "$*" in\n"--all --oneliner show job") cat %(f)s/jobs; exit %(rc)d;;\n'
            '"--oneliner show job "*) grep "^JobId=$4 " %(f)s/jobs2;;\n'
            '"write batch_script "*) cat %(f)s/$3 2>/dev/null'
            ' || echo "job script retrieval failed: Invalid job id specified" >&2;;\n'
            "*) exit 9;;\nesac\n" % {"f": folder, "rc": rc}
        )
        command.chmod(0o755)
        return str(folder)

    return make


def job(number: str = "7", state: str = "RUNNING", days: float | None = 50, restarts: int = 0, batch: int = 0) -> str:
    stamp = (
        time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time() - days * DAY)) if days is not None else "Unknown"
    )
    return JOB % (number, state, restarts, batch, stamp, "Unknown" if state == "PENDING" else stamp)


@pytest.mark.parametrize("state", ["RUNNING", "PENDING", "SUSPENDED", "COMPLETING"])
def test_a_job_from_before_the_switch_keeps_what_it_may_have_found(run, slurm, state):
    # a left the name 40 days ago, b 35, c 30; the job came between.
    done = run(slurm=True, bin_dir=slurm(job(state=state, days=37)))
    assert done["removed"] == ["a"]
    assert done["kept"]["b"] == "job 7 (%s) was submitted before another version was published" % state


def test_a_job_that_has_ended_or_came_later_keeps_nothing(run, slurm):
    folder = slurm(job("1", "COMPLETED"), job("2", "TIMEOUT"), job("3", "RUNNING", days=1))
    assert sorted(run(slurm=True, bin_dir=folder)["removed"]) == ["a", "b", "c"]


@pytest.mark.parametrize("line", [job(days=None), job(days=1, restarts=2)])
def test_a_job_of_which_slurm_does_not_say_when_keeps_all(run, slurm, line):
    assert run(slurm=True, bin_dir=slurm(line))["removed"] == []


def test_the_script_of_a_later_job_keeps_what_it_names(run, slurm, envs):
    scripts = {"7": "#!/bin/bash\n%s/bin/python train.py\n" % (envs / ".torch/a")}
    done = run(slurm=True, bin_dir=slurm(job(days=1, batch=1), scripts=scripts))
    assert sorted(done["removed"]) == ["b", "c"] and done["kept"]["a"] == "job 7 names it"


def test_a_script_that_slurm_does_not_show_is_a_doubt_unless_its_job_has_ended(run, slurm, tmp_path):
    folder = slurm(job(days=1, batch=1))
    (tmp_path / "slurm/jobs2").write_text(job(days=1, batch=1) + "\n")
    done = run(slurm=True, bin_dir=folder)
    assert done["removed"] == [] and "in doubt: Slurm does not show the script of job 7" in done["kept"]["a"]
    (tmp_path / "slurm/jobs2").write_text(job(state="COMPLETED", batch=1) + "\n")
    assert sorted(run(slurm=True, bin_dir=folder)["removed"]) == ["a", "b", "c"]


def test_a_slurm_that_does_not_answer_keeps_all(run, slurm):
    done = run(slurm=True, bin_dir=slurm(rc=1))
    assert done["removed"] == [] and "in doubt: Slurm does not answer" in done["kept"]["a"]


def test_a_slurm_whose_commands_are_missing_keeps_all(run, tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_CONF", __file__)
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run(slurm=True)
    assert done["removed"] == [] and "scontrol is not on PATH" in done["kept"]["a"]


def test_where_there_is_no_slurm_nothing_is_asked(tmp_path, monkeypatch):
    monkeypatch.delenv("SLURM_CONF", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(prune_jobs, "_CONFIGURED", (str(tmp_path / "slurm.conf"),))
    assert prune_jobs.jobs_of(None) == ([], [])


# --- refused ---------------------------------------------------------------------------------------------------------


def test_who_is_not_root_learns_that_everything_stays(envs, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    done = prune.prune_envs(prune.Options(**{**parameters(envs), "older_than": 0}), False)
    assert done["removed"] == [] and all("root" in each["reasons"][-1] for each in done["kept"])


def test_what_is_no_store_is_refused(run, envs, tmp_path):
    (envs / "torch").unlink()
    (envs / "torch").mkdir()
    with pytest.raises(UserError, match="a symlink into .torch/"):
        run()
    (envs / "torch").rmdir()
    (envs / ".torch").rename(tmp_path / "elsewhere")
    (envs / ".torch").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="a folder at"):
        run()
    assert (tmp_path / "elsewhere/a/lib").exists()


def test_a_place_without_versions_is_no_error_and_numbers_below_zero_are(run, tmp_path):
    assert run(envs_dir=str(tmp_path / "none"))["kept"] == {}
    with pytest.raises(UserError, match="keep to be 0 or more"):
        run(keep=-1)
