"""What the scenarios' tests share: the machines, and a user who is logged in."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import time
import typing as t

import pytest
import testinfra
from testinfra.host import Host

ENGINE = os.environ["HPC_MOLECULE_ENGINE"]
PREFIX = "hpc-pytorch-%s-%s" % (os.environ["HPC_MOLECULE_ID"], os.environ["MOLECULE_SCENARIO_NAME"])
KEYS = os.path.join(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "keys")
SSHD = (
    "/usr/sbin/sshd -i -h /etc/hpc-molecule/host_key -o AuthorizedKeysFile=/etc/hpc-molecule/authorized_keys"
    " -o PermitRootLogin=yes -o UsePAM=no"
)


class Answer(t.NamedTuple):
    """How a command ended."""

    rc: int
    out: str


class Person:
    """A user who has logged in by ssh, as any user of a cluster does."""

    def __init__(self, name: str, machine: str) -> None:
        self.name, self.machine = name, machine

    def ssh(self, command: str) -> Answer:
        """Run a command over ssh; both streams, as they come."""
        proxy = "%s exec -i %s-%s %s" % (ENGINE, PREFIX, self.machine, SSHD)
        options = ["-F", "none", "-i", KEYS + "/user_key", "-o", "StrictHostKeyChecking=no"]
        options += ["-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "ProxyCommand=" + proxy]
        done = subprocess.run(
            ["ssh", *options, "%s@%s" % (self.name, self.machine), command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=180,
            check=False,
        )
        return Answer(done.returncode, done.stdout)

    def terminal(self, script: str) -> Answer:
        """What is typed after logging in: an interactive login shell, which reads the rc files."""
        return self.shell("-lic", script)

    def login_shell(self, script: str) -> Answer:
        """A login shell without a terminal: profile.d, but no ~/.bashrc on Debian."""
        return self.shell("-lc", script)

    def other_shell(self, script: str) -> Answer:
        """A second interactive shell that is no login shell: ~/.bashrc alone."""
        return self.shell("-ic", script)

    def shell(self, options: str, script: str) -> Answer:
        clean = 'exec env -i HOME="$HOME" USER="$USER" LOGNAME="$USER" TERM=dumb PATH=/usr/bin:/bin '
        # Bash says on standard error that it has no terminal; that is not the script's.
        return self.ssh("%sbash %s %s 2>/dev/null" % (clean, options, shlex.quote("exec 2>&1; " + script)))

    def job(self, script: str, timeout: int = 120) -> tuple[str, str]:
        """Submit a script of the home directory and wait until it has ended: its state, and the text of slurm-N.out."""
        sent = self.terminal("sbatch " + script)
        number = re.search(r"Submitted batch job (\d+)", sent.out)
        assert number, sent.out
        ends = time.monotonic() + timeout
        while True:
            shown = self.terminal("scontrol show job " + number.group(1)).out
            state = re.search(r"JobState=(\w+)", shown)
            assert state, shown
            if state.group(1) not in ("PENDING", "CONFIGURING", "RUNNING", "COMPLETING"):
                break
            assert time.monotonic() < ends, shown
            time.sleep(1)
        return state.group(1), self.terminal("cat slurm-%s.out" % number.group(1)).out


@pytest.fixture(scope="session")
def machine() -> t.Callable[[str], Host]:
    """A machine by its name in the inventory, as testinfra sees it (root, through the engine)."""
    return lambda name: testinfra.get_host("%s://%s-%s" % (ENGINE, PREFIX, name))


@pytest.fixture(scope="session")
def person() -> t.Callable[..., Person]:
    """A user at a machine, the login node unless another is named."""
    return lambda name, machine="login01": Person(name, machine)


@pytest.fixture(scope="session")
def alice(person: t.Callable[..., Person]) -> Person:
    """The user whom the site's playbook names."""
    return person("alice")
