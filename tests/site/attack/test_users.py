# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No user can stop, hang or fool a run for all users: one run of user.yml, in which most users have set a trap."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import typing as t
import uuid

import pytest

# What a module that a user has replaced may answer.
EVIL_HOST = {"host_name": "evil", "groups": ["compute", "login"], "host_vars": {"ansible_connection": "local"}}


def startup(code: str) -> str:
    """Commands that make a user's Python begin with *code*, whatever it is started for."""
    folder = ".local/lib/python3.%d/site-packages" % sys.version_info[1]
    return "mkdir -p %s && cat > %s/usercustomize.py <<'END'\n%s\nEND" % (folder, folder, code)


def replaced(answer: t.Any) -> str:
    """Commands by which a user's own Python answers for every module that runs as that user."""
    return startup("import os; os.write(1, %r.encode()); os._exit(0)" % json.dumps(answer))


@dataclasses.dataclass(frozen=True)
class Trap:
    """What a user does at home, and the first step that fails for that user; empty if none does."""

    does: str
    fails: str = ""


RC, ENV, JOB = "conda in the rc file", "environment torch", "job script"
TRAPS = {
    "rc file is a fifo": Trap("mkfifo .bashrc", RC),
    "rc file cannot be read": Trap(": > .bashrc && chmod 0 .bashrc", RC),
    "rc file leads nowhere": Trap("ln -s nowhere/file .bashrc", RC),
    "rc file is endless, condarc and list of envs are fifos": Trap(
        "ln -s /dev/zero .bashrc && mkfifo .condarc && mkdir .conda && mkfifo .conda/environments.txt", RC
    ),
    "rc file has 5 MiB, condarc is endless, locks are a file": Trap(
        "truncate -s 5M .bashrc && ln -s /dev/zero .condarc"
        " && mkdir -p .cache/hpc.pytorch && : > .cache/hpc.pytorch/locks",
        RC,
    ),
    "rc file is root's, lock is a fifo": Trap(
        "ln -s /etc/shadow .bashrc && mkdir -p .cache/hpc.pytorch/locks && mkfifo .cache/hpc.pytorch/locks/{lock}", RC
    ),
    "lock is held": Trap(
        "mkdir -p .cache/hpc.pytorch/locks"
        " && (exec flock .cache/hpc.pytorch/locks/{lock} sleep 100000) >/dev/null 2>&1 &",
        ENV,
    ),
    "netrc is a fifo": Trap("mkfifo .netrc", ENV),
    "rattler's credentials are a fifo": Trap("mkdir .rattler && mkfifo .rattler/credentials.json", ENV),
    "cache leads to root": Trap("ln -s /root .cache", ENV),
    "engine sleeps": Trap(
        "rm .local/share/hpc.pytorch/engine && mkdir -p .local/share/hpc.pytorch/engine/bin"
        " && printf '#!/bin/sh\\nexec sleep 100000\\n' > .local/share/hpc.pytorch/engine/bin/python"
        " && chmod 755 .local/share/hpc.pytorch/engine/bin/python",
        ENV,
    ),
    "env leads to root": Trap("mkdir -p .conda/envs && ln -s /root .conda/envs/torch", ENV),
    "conda's folder is a file": Trap(": > .conda", ENV),
    "record is a fifo": Trap(
        "mkdir -p .conda/envs/torch/conda-meta && mkfifo .conda/envs/torch/conda-meta/a-1-0.json", ENV
    ),
    "job script is a fifo": Trap("mkfifo test.sh", JOB),
    "folder of Ansible is a file": Trap(": > .ansible"),
    "python sleeps": Trap(startup("import time; time.sleep(100000)"), RC),
    "python ends": Trap(startup("import os; os._exit(0)"), RC),
    "python answers with a host and facts": Trap(
        replaced({"changed": True, "add_host": EVIL_HOST, "ansible_facts": {"conda_prefix": "/evil"}})
    ),
    "python answers with a group": Trap(replaced({"changed": True, "add_group": "evil", "parent_groups": ["login"]})),
    "python answers that the host is gone": Trap(replaced({"unreachable": True, "msg": "no route to host"}), RC),
    "python answers with lines": Trap(
        replaced({"failed": True, "msg": "x\u001b[2J\u2028\nuser     all is well" + "y" * 9999}), RC
    ),
}
# What only root can do to a user.
FROM_ROOT = {
    "no shell": ("usermod --shell /usr/sbin/nologin {name}", RC),
    "account has expired": ("usermod --expiredate 1 {name}", RC),
    "home directory is not there": ("rm -r '{home}'", RC),
    "home directory is full": ("mount -t tmpfs -o size=4k,nr_inodes=1,mode=777 none '{home}'", RC),
}


@dataclasses.dataclass(frozen=True)
class Member:
    """One of the users of the run."""

    name: str
    home: pathlib.Path
    fails: str

    @property
    def env(self) -> pathlib.Path:
        return self.home / ".conda/envs/torch"


@pytest.fixture(scope="module")
def ground() -> t.Iterator[pathlib.Path]:
    """A folder of root's, with an engine and a channel that everybody can read."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hpc-pytorch-users-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def engine(ground: pathlib.Path) -> pathlib.Path:
    """The tests' own engine lies in root's home directory."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(ground / "engine")], check=True)
    (packages,) = (ground / "engine/lib").glob("python3*/site-packages")
    import rattler
    import yaml

    for module in (rattler, yaml):
        source = pathlib.Path(str(module.__file__)).parent
        shutil.copytree(source, packages / source.name)
    subprocess.run(["chmod", "-R", "a+rX", str(ground / "engine")], check=True)
    return ground / "engine"


@pytest.fixture(scope="module")
def channel(ground: pathlib.Path, tiny_channel: t.Any) -> pathlib.Path:
    for name in ("python", "pytorch"):
        tiny_channel.make_package(ground / "channel", name)
    return t.cast(pathlib.Path, tiny_channel.index(ground / "channel"))


@pytest.fixture(scope="module")
def members(ground: pathlib.Path, engine: pathlib.Path) -> t.Iterator[dict[str, Member]]:
    """A good user before and after those with traps."""
    found = {}
    try:
        for label in ["alice", *TRAPS, *FROM_ROOT, "bob"]:
            name = "hpc" + uuid.uuid4().hex[:8]
            home = ground / "home" / name
            home.mkdir(parents=True)
            subprocess.run(
                ["useradd", "--no-create-home", "--home-dir", str(home), "--shell", "/bin/sh", "--no-user-group"]
                + ["--gid", "nogroup", name],
                check=True,
            )
            trap = TRAPS.get(label, Trap(""))
            found[label] = Member(name, home, FROM_ROOT[label][1] if label in FROM_ROOT else trap.fails)
            account = pwd.getpwnam(name)
            os.chown(home, account.pw_uid, account.pw_gid)
            lock = hashlib.sha256(json.dumps(str(found[label].env)).encode()).hexdigest()[:16]
            own = "mkdir -p .local/share/hpc.pytorch && ln -s '%s' .local/share/hpc.pytorch/engine\n" % engine
            subprocess.run(
                ["/bin/sh", "-euc", own + trap.does.replace("{lock}", lock).replace("{home}", str(home))],
                user=account.pw_uid,
                group=account.pw_gid,
                extra_groups=[],
                cwd=home,
                env={"PATH": "/usr/bin:/bin"},
                stdin=subprocess.DEVNULL,
                check=True,
            )
            if label in FROM_ROOT:
                does = FROM_ROOT[label][0].replace("{name}", name).replace("{home}", str(home))
                subprocess.run(["/bin/sh", "-euc", does], check=True)
        yield found
    finally:
        for member in found.values():
            end_processes_of(pwd.getpwnam(member.name).pw_uid)
            # What was ended is there until its parent has taken note: --force and --lazy do not mind.
            subprocess.run(["userdel", "--force", member.name], check=True)
            if os.path.ismount(member.home):
                subprocess.run(["umount", "--lazy", str(member.home)], check=True)


def end_processes_of(uid: int) -> None:
    """End what a user of this test left running."""
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if folder.stat().st_uid == uid:
                os.kill(int(folder.name), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue


@pytest.fixture(scope="module")
def runs() -> list[t.Any]:
    """The one run, after the first test."""
    return []


@pytest.fixture
def run(
    ground: pathlib.Path,
    members: dict[str, Member],
    channel: pathlib.Path,
    playbook_run: t.Callable[..., t.Any],
    runs: list[t.Any],
) -> t.Any:
    """user.yml for all of them, as site.yml runs it."""
    if runs:
        return runs[0]
    inventory = ground / "hosts.json"
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_become_method": "ansible.builtin.su",
        "hpc_users": [member.name for member in members.values()],
        "hpc_user_timeout": 30,
        "torch_env_user_timeout": 40,
        "conda_prefix": "/opt/conda",
        "conda_expose": ["bashrc"],
        "conda_channels": ["file://%s" % channel],
        "conda_engine_prefix": str(ground / "no engine of the site"),
        "job_script_dest": "~/test.sh",
        "job_script_command": "true",
    }
    hosts = {"all": {"vars": variables, "children": {"login": {"hosts": {"n1": {}}}}}}
    hosts["all"]["children"]["compute"] = {"hosts": {"n2": {}, "n3": {}}}
    inventory.write_text(json.dumps(hosts))
    probe = ground / "probe.yml"
    probe.write_text(
        json.dumps(
            [{"hosts": "all", "gather_facts": False, "tasks": [{"ansible.builtin.debug": {"msg": "at the end"}}]}]
        )
    )
    runs.append(playbook_run("-i", str(inventory), "playbooks/user.yml", str(probe)))
    return runs[0]


def named(run: t.Any) -> dict[str, str]:
    """From each user that the end of the run names to the first step that failed."""
    found = re.findall(r"user     (\w+): (.*?) failed: ", run.output)
    return dict(reversed(found))


def test_the_run_ends_by_itself_and_well(run):
    assert run.rc == 0, run.output[-6000:]


@pytest.mark.parametrize("label", ["alice", "bob"])
def test_the_others_get_everything(run, members, label):
    member = members[label]
    assert "/opt/conda/bin" in (member.home / ".bashrc").read_text()
    assert (member.env / "share/pytorch.txt").exists() and (member.home / "test.sh").exists()
    assert member.name not in named(run), run.output


@pytest.mark.parametrize("label", [*TRAPS, *FROM_ROOT])
def test_the_end_names_whose_step_failed(run, members, label):
    assert named(run).get(members[label].name, "") == members[label].fails, run.output


@pytest.mark.parametrize("label", [label for label in TRAPS if label.startswith("rc file")])
def test_what_only_one_step_needs_stops_no_other(run, members, label):
    """Also a condarc that is no file, a list of envs and a lock that cannot be read: an env needs none of them."""
    assert (members[label].env / "share/pytorch.txt").exists() and (members[label].home / "test.sh").exists()


def test_the_hosts_are_those_of_the_inventory(run):
    ended = run.output[run.output.rindex("PLAY [all]") :]
    assert set(re.findall(r"ok: \[(\w+)\]", ended)) == {"n1", "n2", "n3"}, ended


def test_each_reason_is_one_line_of_visible_characters(run):
    lines = [line for line in run.output.splitlines() if "user     " in line]
    assert len([line for line in lines if " failed: " in line]) >= len([1 for trap in TRAPS.values() if trap.fails])
    assert all(len(line) < 420 and line.isprintable() for line in lines)
    assert not [line for line in lines if line.strip(' -"').startswith("user     all is well")]
