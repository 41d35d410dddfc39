# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Root and two real ordinary users. Only root can make them, so only root runs these tests (see ../conftest.py).

Each surface that another user or a server can reach is a file ``test_SURFACE.py``: a table of hostile inputs with the
right answer.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
import typing as t
import uuid

import pytest

RUN_MODULE = pathlib.Path(__file__).with_name("run_module.py")


@dataclasses.dataclass
class User:
    """A user of this machine, made for one test run."""

    name: str
    uid: int
    gid: int
    home: pathlib.Path

    def does(self, script: str) -> None:
        """Run shell commands as this user, in the home directory."""
        subprocess.run(
            ["/bin/sh", "-euc", script],
            user=self.uid,
            group=self.gid,
            extra_groups=[],
            cwd=self.home,
            env={"HOME": str(self.home), "PATH": "/usr/bin:/bin"},
            stdin=subprocess.DEVNULL,
            check=True,
        )

    def writes(self, name: str, text: str, mode: int = 0o755) -> pathlib.Path:
        """A file of this user's below the home directory."""
        path = self.home / name
        self.does("mkdir -p '%s'" % path.parent)
        path.write_text(text)
        os.chown(path, self.uid, self.gid)
        path.chmod(mode)
        return path


def _accounts() -> t.Iterator[pwd.struct_passwd]:
    """A user with an unused name."""
    name = "hpc" + uuid.uuid4().hex[:8]
    subprocess.run(
        ["useradd", "--no-create-home", "--shell", "/bin/sh", "--no-user-group", "--gid", "nogroup", name], check=True
    )
    yield pwd.getpwnam(name)
    subprocess.run(["userdel", name], check=True)


@pytest.fixture(scope="session")
def account() -> t.Iterator[pwd.struct_passwd]:
    """The account of alice."""
    yield from _accounts()


@pytest.fixture(scope="session")
def second_account() -> t.Iterator[pwd.struct_passwd]:
    """The account of mallory."""
    yield from _accounts()


@pytest.fixture
def place() -> t.Iterator[pathlib.Path]:
    """A folder of root's that everybody can enter."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hpc-pytorch-attack-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def _user(account: pwd.struct_passwd, home: pathlib.Path) -> User:
    home.mkdir(parents=True)
    os.chown(home, account.pw_uid, account.pw_gid)
    return User(account.pw_name, account.pw_uid, account.pw_gid, home)


@pytest.fixture
def closed_umask() -> t.Iterator[None]:
    """The umask of a hardened node."""
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.fixture
def alice(account: pwd.struct_passwd, place: pathlib.Path) -> User:
    """An ordinary user, with a home of this test's own."""
    return _user(account, place / "home" / "alice")


@pytest.fixture
def mallory(second_account: pwd.struct_passwd, place: pathlib.Path) -> User:
    """The ordinary user who attacks, with a home of this test's own."""
    return _user(second_account, place / "home" / "mallory")


@pytest.fixture
def scratch(place: pathlib.Path) -> pathlib.Path:
    """A sticky folder of root's in which everybody can write, as /scratch is."""
    folder = place / "scratch"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


@dataclasses.dataclass
class Treasure:
    """A file of root's that must stay as it is, and next to which nothing may appear."""

    path: pathlib.Path
    before: t.Any = None

    def state(self) -> t.Any:
        found = []
        for path in [self.path.parent, *self.path.parent.rglob("*")]:
            status = path.lstat()
            content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
            found.append(
                (str(path), status.st_mode, status.st_uid, status.st_gid, status.st_size, status.st_ino, content)
            )
        return sorted(found)

    def is_untouched(self) -> bool:
        return self.state() == self.before


@pytest.fixture
def treasure(place: pathlib.Path) -> Treasure:
    """Stands for /etc/passwd: what a planted link leads to."""
    folder = place / "treasure"
    folder.mkdir()
    found = Treasure(folder / "passwd")
    found.path.write_text("root:x:0:0\n")
    found.path.chmod(0o640)
    found.before = found.state()
    return found


@pytest.fixture
def as_root(place: pathlib.Path) -> t.Callable[..., dict[str, t.Any]]:
    """Runs a module as root; its result. ``environment`` is added to root's."""

    def call(module: str, environment: t.Mapping[str, str] | None = None, /, **options: t.Any) -> dict[str, t.Any]:
        home = place / "root"
        home.mkdir(exist_ok=True)
        done = subprocess.run(
            [sys.executable, str(RUN_MODULE), module],
            input=json.dumps(options),
            env={
                "HOME": str(home),
                "HPC_TEST_ROOT": str(home),
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                "LC_ALL": "C.UTF-8",
                **(environment or {}),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # A fifo that is waited for is found by this, and nothing else is.
            timeout=120,
            check=False,
        )
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        assert lines, done.stdout
        return t.cast("dict[str, t.Any]", json.loads(lines[-1]))

    return call


@pytest.fixture
def refused(as_root: t.Callable[..., dict[str, t.Any]]) -> t.Callable[..., str]:
    """Runs a module as root, which must refuse. Returns the line of the error."""

    def call(module: str, environment: t.Mapping[str, str] | None = None, /, **options: t.Any) -> str:
        result = as_root(module, environment, **options)
        assert result.get("failed"), result
        assert result["expected"] and result["found"] and result["remedy"] and "\n" not in result["msg"], result
        return str(result["msg"])

    return call


@pytest.fixture
def marker(place: pathlib.Path) -> pathlib.Path:
    """What a planted program writes when it is executed."""
    return place / "executed"


@pytest.fixture
def program(marker: pathlib.Path) -> str:
    """A planted program."""
    return "#!/bin/sh\n: > '%s'\n" % marker
