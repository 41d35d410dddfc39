"""The steps for the users in hpc_users run at the same time: two users, each of whose steps waits for the other's."""

from __future__ import annotations

import json
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import tempfile
import uuid

import pytest

# What each user's Python does before anything else: it waits for the other user's Python to start as often.
WAIT = """
import os
names = os.listdir({meeting!r})
turn = "-%d" % len([name for name in names if name.startswith({name!r})])
open(os.path.join({meeting!r}, {name!r} + turn), "w").close()
while {wait} and not os.path.exists(os.path.join({meeting!r}, {other!r} + turn)):
    os.sched_yield()
"""

EXAMPLE = ["digits.LICENSE.txt", "digits.csv.gz", "test.sh", "train_digits.py"]


@pytest.fixture
def ground():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hpc-pytorch-users-"))
    folder.chmod(0o755)
    (folder / "meeting").mkdir()
    (folder / "meeting").chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def homes(ground):
    """The home directory of each of two new users."""
    names = ["hpc" + uuid.uuid4().hex[:8] for _number in range(2)]
    try:
        for name in names:
            command = ["useradd", "--no-create-home", "--home-dir", str(ground / name), "--shell", "/bin/sh"]
            subprocess.run([*command, "--no-user-group", "--gid", "nogroup", name], check=True)
            (ground / name).mkdir()
            os.chown(ground / name, pwd.getpwnam(name).pw_uid, -1)
        yield {name: ground / name for name in names}
    finally:
        for name in names:
            subprocess.run(["userdel", "--force", name], check=True)


@pytest.fixture
def user_layer(ground, homes, playbook_run):
    """Runs user.yml for both."""
    inventory = ground / "hosts.json"
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_become_method": "ansible.builtin.su",
        "hpc_users": list(homes),
        "hpc_user_timeout": 120,
        "torch_env_user_timeout": 120,
        "conda_prefix": "/opt/conda",
        "conda_expose": ["bashrc"],
        "torch_env_state": "absent",
        "job_script_dest": "~/jobs/test.sh",
        "job_script_make_folder": True,
        "job_script_command": "python train_digits.py",
        "job_script_example": True,
    }
    groups = {"login": {"hosts": {"n1": {}}}, "compute": {"hosts": {"n2": {}, "n3": {}}}}
    inventory.write_text(json.dumps({"all": {"vars": variables, "children": groups}}))
    return lambda *arguments, playbook="user": playbook_run(
        "-i", str(inventory), "playbooks/%s.yml" % playbook, *arguments
    )


@pytest.fixture
def waiting(ground, homes):
    """Makes each user's Python wait for the other's."""

    def prepare(wait: bool) -> None:
        for name, other in zip(homes, reversed(homes)):
            packages = homes[name] / (".local/lib/python3.%d/site-packages" % python_minor())
            packages.mkdir(parents=True)
            code = WAIT.format(meeting=str(ground / "meeting"), name=name, other=other, wait=wait)
            (packages / "usercustomize.py").write_text(code)
            for each in homes[name].rglob("*"):
                os.chown(each, pwd.getpwnam(name).pw_uid, -1)

    return prepare


def python_minor() -> int:
    command = ["/usr/bin/python3", "-c", "import sys; print(sys.version_info[1])"]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_each_step_of_one_user_while_that_of_the_other_runs(user_layer, homes, waiting, ground):
    waiting(True)
    run = user_layer("--limit", "n1:n3")
    assert run.rc == 0 and "failed: " not in run.output, run.output
    met = [path.name for path in (ground / "meeting").iterdir()]
    turns = [sorted(each.partition("-")[2] for each in met if each.startswith(name)) for name in homes]
    # The rc file, the environment, and the job script with the example.
    assert turns[0] == turns[1] and len(turns[0]) >= 3, met
    for name, home in homes.items():
        assert (home / ".bashrc").read_text().endswith('export PATH="/opt/conda/bin:$PATH"\n')
        made = [home / ".bashrc", home / "jobs/test.sh", home / "jobs/train_digits.py", home / "jobs/digits.csv.gz"]
        assert {path.owner() for path in made} == {name}


def test_one_after_the_other_with_one_fork(user_layer, homes, waiting):
    waiting(False)
    run = user_layer("--forks", "1", "--diff")
    assert run.rc == 0, run.output
    assert all("/.bashrc (%s)" % name in run.output and (homes[name] / ".bashrc").exists() for name in homes)


def test_check_mode_says_what_would_change_and_a_second_run_changes_nothing(user_layer, homes):
    run = user_layer("--check")
    assert run.rc == 0 and run.output.count("changed: [") == 2, run.output
    assert not [home for home in homes.values() if any(home.iterdir())]
    assert user_layer().rc == 0
    before = {name: (home / ".bashrc").stat().st_ino for name, home in homes.items()}
    again = user_layer()
    assert again.rc == 0 and "changed: [" not in again.output
    assert {name: (home / ".bashrc").stat().st_ino for name, home in homes.items()} == before


def test_a_user_whose_script_fails_gets_no_example_and_the_others_get_theirs(user_layer, homes):
    first, second = homes
    (homes[first] / "jobs").write_text("no folder")
    run = user_layer()
    assert run.rc == 0 and run.output.count("user     %s: job script failed: " % first) == 1, run.output
    assert second not in run.output.partition("user     ")[2] and " ignored=0 " in run.output
    assert sorted(path.name for path in homes[first].iterdir() if path.name[0] != ".") == ["jobs"]
    assert (homes[second] / "jobs/train_digits.py").exists() and (homes[first] / ".bashrc").exists()
    run = user_layer("-e", "hpc_users_fail=true")
    assert run.rc != 0 and "%s: a step failed" % first in " ".join(run.output.split()), run.output


def test_a_user_whose_example_cannot_be_written_keeps_the_script(user_layer, homes):
    first, second = homes
    (homes[first] / "jobs/digits.csv.gz").mkdir(parents=True)
    for path in (homes[first] / "jobs", homes[first] / "jobs/digits.csv.gz"):
        os.chown(path, pwd.getpwnam(first).pw_uid, -1)
    run = user_layer()
    assert run.rc == 0 and run.output.count("user     %s: job script failed: " % first) == 1, run.output
    assert "/jobs/digits.csv.gz, or nothing; found a folder" in " ".join(run.output.split()), run.output
    assert sorted(os.listdir(homes[first] / "jobs")) == ["digits.csv.gz", "test.sh"]
    assert sorted(os.listdir(homes[second] / "jobs")) == EXAMPLE


def test_job_yml_names_each_failure_of_each_step_once(user_layer, homes):
    first, second = homes
    (homes[first] / "jobs").write_text("no folder")
    # sbatch refuses the job of the other user, or is not there.
    run = user_layer("-e", '{"job_script_submit_arguments": ["--no-such-option"]}', playbook="job")
    named = re.findall(r"^ +user +(\w+): ([\w ]+) failed: ", run.output, re.MULTILINE)
    assert run.rc != 0 and named == [(first, "job script"), (second, "job")], run.output
    assert (homes[second] / "jobs/test.sh").exists()


def test_the_hosts_and_the_recap_are_those_of_the_inventory(user_layer):
    run = user_layer()
    assert sorted(line.split()[0] for line in run.output.partition("PLAY RECAP")[2].splitlines()[1:] if line) == [
        "n1",
        "n2",
    ]
