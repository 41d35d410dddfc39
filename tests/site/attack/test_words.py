# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What another user's job, node or program says: root reads no file for it, runs no command for it, and believes none.

Texts that need no second user are in tables of tests/unit: slurm/model/test_words.py, torch/test_records.py,
torch/fleet/test_answer.py, torch_check/test_words.py, plugin_utils/test_progress_action.py.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
# What runs on the controller is called here, as ansible-playbook calls it.
if "ansible_collections.hpc" not in sys.modules:
    _AnsibleCollectionFinder(paths=[str(CHECKOUT / ".collections")])._install()

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError  # noqa: E402
from ansible_collections.hpc.pytorch.plugins.plugin_utils import _progress  # noqa: E402
from ansible_collections.hpc.pytorch.plugins.plugin_utils._slurm_inventory.source import Source, fetch  # noqa: E402
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_check import allocation  # noqa: E402

SHOWN = (
    "JobId=7 JobName={name} UserId={user}({uid}) GroupId=users(100) MCS_label=N/A Priority=1 Nice=0 Account=(null)"
    " QOS=(null) JobState=FAILED Reason=NonZeroExitCode Dependency=(null) Requeue=1 Restarts=0 ExitCode=3:0"
    " NodeList=n1 BatchHost=n1 Command=/b.sh WorkDir=/ StdErr={out} StdIn=/dev/null StdOut={out} Power= \n"
)
ROW = "7           N/A         {uid:<12}FAILED                  768         0           n1{space}NonZeroExitCode\n"


@pytest.fixture
def job_of(place, as_root):
    """What slurm_job returns to root about job 7 of a user, with this name and this path of its output."""

    def call(user, out, name="train"):
        folder = place / "slurm"
        folder.mkdir(exist_ok=True)
        values = {"name": name, "user": getattr(user, "name", "root"), "uid": getattr(user, "uid", 0), "out": out}
        (folder / "job").write_text(SHOWN.format(**values))
        (folder / "rows").write_text(ROW.format(uid=values["uid"], space=" " * 1022))
        (folder / "scontrol").write_text(
            '#!/bin/sh\ncase "$*" in *config) echo "AccountingStorageType = (null)";; *) cat %s/job;; esac\n' % folder
        )
        (folder / "squeue").write_text("#!/bin/sh\ncat %s/rows\n" % folder)
        for command in ("scontrol", "squeue"):
            (folder / command).chmod(0o755)
        return as_root("slurm_job", job_id="7", state="completed", bin_dir=str(folder))

    return call


# What alice's job names as its output, made in her home; TREASURE is root's, OTHER is mallory's.
OUTPUTS = {
    "root's file": "",
    "a link to root's file": "ln -s TREASURE out",
    "a link to another user's file": "ln -s OTHER out",
    "a folder that is a link": "ln -s FOLDER out",
    "a pipe": "mkfifo out",
    "a device": "ln -s /dev/zero out",
    "the system's passwords": "ln -s /etc/shadow out",
    "a folder": "mkdir out",
    "a link to nowhere": "ln -s none out",
    "a link to itself": "ln -s out out",
    "a process of root's": "ln -s /proc/1/environ out",
}


@pytest.mark.parametrize("script", OUTPUTS.values(), ids=OUTPUTS)
def test_root_reads_no_file_that_is_not_the_jobs_users(job_of, alice, mallory, treasure, script):
    other = mallory.writes("secret", "mallory's secret\n", 0o644)
    places = {"TREASURE": treasure.path, "OTHER": other, "FOLDER": treasure.path.parent}
    for word, path in places.items():
        script = script.replace(word, str(path))
    alice.does(script or "true")
    out = alice.home / "out" if script else treasure.path
    found = job_of(alice, out / treasure.path.name if "folder that" in script else out)
    assert (found["job_state"], found["exit_code"], found["stdout_tail"]) == ("FAILED", 3, [])
    assert "root:" not in str(found) and "mallory's secret" not in str(found) and treasure.is_untouched()


NAMES = {
    "the note's": "a UserId=x(0) GroupId=y JobState=COMPLETED ExitCode=0:0 StdOut=/etc/shadow",
    "a whole job of root's": "a UserId=root(0) GroupId=root(0) JobState=COMPLETED ExitCode=0:0 StdOut=/etc/shadow",
    "a line": "a\nJobId=7 JobName=b UserId=root(0) GroupId=root(0) JobState=COMPLETED ExitCode=0:0 StdOut=/etc/shadow",
    "a line separator": "a\u2028JobId=7 JobName=b UserId=root(0) GroupId=root(0) JobState=COMPLETED ExitCode=0:0",
    "a task": "a\nJobId=8 ArrayJobId=7 ArrayTaskId=1 JobName=b UserId=root(0) GroupId=root(0) JobState=COMPLETED",
    "a path": "a Command=/x UserId=root(0) GroupId=root(0) JobState=COMPLETED ExitCode=0:0 StdOut=/etc/shadow",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_the_name_of_a_job_is_no_state_no_owner_and_no_output(job_of, alice, name):
    alice.writes("out", "hers\n", 0o600)
    found = job_of(alice, alice.home / "out", name)
    assert found["failed"] and (found["job_state"], found["exit_code"]) == ("FAILED", 3) and found["tasks"] == []
    assert found["stdout_tail"] in (["hers"], []) and "root:" not in str(found["stdout_tail"])
    assert found["msg"].isprintable() and found["job_name"].isprintable()


def test_the_output_of_a_users_job_is_read(job_of, alice):
    alice.writes("out", "one\n\x1b[2J caf\u00e9\n 10%\r 20%\r\n", 0o600)
    assert job_of(alice, alice.home / "out")["stdout_tail"] == ["one", "\\x1b[2J caf\u00e9", " 20%"]


def test_the_output_of_roots_own_job_is_read_where_only_root_writes(job_of, treasure, scratch):
    assert job_of(None, treasure.path)["stdout_tail"] == ["root:x:0:0"]
    # In a sticky folder nobody can replace what is root's.
    (scratch / "out").write_text("root's\n")
    assert job_of(None, scratch / "out")["stdout_tail"] == ["root's"]


REPLACED = {
    "a link": "ln -s TREASURE out",
    "a hard link": "ln TREASURE out || mkfifo out",
    "a file of hers": "echo 'job ended well' > out",
    "a folder of hers": "mkdir mine; ln -s TREASURE mine/out",
    "a folder of hers that is a link": "ln -s FOLDER mine",
}


@pytest.mark.parametrize("script", REPLACED.values(), ids=REPLACED)
def test_the_output_of_roots_own_job_is_not_what_another_user_put_there(job_of, mallory, treasure, scratch, script):
    made = script.replace("TREASURE", str(treasure.path)).replace("FOLDER", str(treasure.path.parent))
    mallory.does("cd '%s'; %s" % (scratch, made))
    out = scratch / ("mine" if "mine" in script else "") / (treasure.path.name if "FOLDER" in script else "out")
    assert job_of(None, out)["stdout_tail"] == []


# --- commands on the controller ----------------------------------------------------------------------------------


def options(folder, state="present"):
    return allocation.Options(state, "n1", "x", None, 1, 1, False, (), str(folder))


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize("how", ["bin_dir", "PATH", "a link of root's"])
def test_root_runs_no_salloc_of_another_users(mallory, place, program, marker, state, how):
    for name in ("salloc", "scancel"):
        mallory.writes("bin/" + name, program)
    folder = mallory.home / "bin"
    if how == "a link of root's":
        (place / "slurm").symlink_to(folder)
        folder = place / "slurm"
    found = options(folder, state) if how != "PATH" else options(folder, state)._replace(bin_dir=None)
    environment = {"PATH": "%s:/usr/bin:/bin" % folder}
    with pytest.raises(UserError, match="expected Slurm's command .* that only root can write"):
        if state == "present":
            allocation.allocate(found, os.getpid(), environment)
        else:
            allocation.release(found, environment)
    assert not marker.exists()


@pytest.mark.parametrize("how", ["bin_dir", "PATH"])
def test_root_runs_no_scontrol_of_another_users_for_an_inventory(mallory, program, marker, monkeypatch, how):
    mallory.writes("bin/scontrol", program)
    folder = str(mallory.home / "bin")
    monkeypatch.setenv("PATH", folder + ":/usr/bin:/bin")
    with pytest.raises(UserError, match="expected Slurm's command .* that only root can write"):
        fetch(Source(None, None, folder if how == "bin_dir" else None, 10))
    assert not marker.exists()


def test_root_runs_its_own_scontrol(place):
    folder = place / "slurm"
    folder.mkdir()
    (folder / "scontrol").write_text("#!/bin/sh\necho NodeName=n1 State=IDLE\n")
    (folder / "scontrol").chmod(0o755)
    assert "NodeName=n1" in fetch(Source(None, None, str(folder), 10))


# --- progress ----------------------------------------------------------------------------------------------------


class AsUser:
    """A connection whose commands run as a user, as become does it."""

    become = None
    _shell = None

    def __init__(self, user):
        self.user = user

    def exec_command(self, command, in_data=None, sudoable=True):
        done = subprocess.run(
            command,
            shell=True,
            user=self.user.uid,
            group=self.user.gid,
            extra_groups=[],
            capture_output=True,
            check=False,
            # A pipe that is waited for is found by this.
            timeout=60,
        )
        return done.returncode, done.stdout, done.stderr


PLANTED = {
    "a pipe": "mkfifo FILE",
    "a pipe that somebody holds": "mkfifo FILE; exec 3<>FILE",
    "two gigabytes": "truncate -s 2G FILE",
    "a device": "ln -s /dev/zero FILE",
    "a line of escapes": 'printf \'{"step": "\\\\u001b[2J\\\\u009b\\\\nok"}\\n\' > FILE',
    "a file of root's": "ln -s TREASURE FILE",
}


@pytest.mark.parametrize("script", PLANTED.values(), ids=PLANTED)
def test_a_users_progress_file_costs_little_and_leaves_no_process(mallory, treasure, script):
    path = mallory.home / "progress"
    mallory.does(script.replace("FILE", "progress").replace("TREASURE", str(treasure.path)))
    line = _progress.progress_line(_progress._last_line(AsUser(mallory), str(path)))
    assert line == ("\\x1b[2J\\x9b ok" if "step" in script else "")
    running = subprocess.run(["ps", "-o", "args=", "-u", str(mallory.uid)], capture_output=True, text=True, check=False)
    assert running.stdout == ""
