# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The setup of the faults of a whole site.yml: this machine is login and compute, all prefixes are below one folder.

The channel holds the system's Python, pip and two small wheels, one of them named torch; everything else is as
`make site` does it: an engine from pip, the channel, the base, the env, its check, the report and a job.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import typing as t

from lab import CHECKOUT, processor_seconds
from tiny_wheels import make_wheel
from whole import not_whole, state_of

OLD = {"torch": "2.13.0", "tinytool": "1.0"}
NEW = {"torch": "2.13.0", "tinytool": "2.0"}
# Names that differ between two runs of the same request: job output, reports, venvs of the engine, locks.
_VARIES = re.compile(r"(jobs|report)/|engine|\.lock\Z|__pycache__|\.pyc\Z|conda-meta/(history|hpc_pytorch\.\w+)\Z")


class Done(t.NamedTuple):
    """The end of a run: exit status, counters of the recap, what was printed."""

    status: int
    changed: int
    output: str

    @property
    def errors(self) -> list[str]:
        """The messages of tasks that failed."""
        return [
            re.sub(r"\s+", " ", found).strip()
            for found in re.findall(r'^(?:fatal|failed): .*?"msg": "(.*?)(?<!\\)"', self.output, re.MULTILINE)
        ] or re.findall(r"^(?:\[ERROR\]: |fatal: )(.*)", self.output, re.MULTILINE)


class Moment(t.NamedTuple):
    """A moment of a run: how many tasks have begun, and the processor time since the last of them began."""

    tasks: int
    seconds: float


class Running:
    """A run of site.yml. Its output goes to a file, so nothing has to drain a pipe."""

    def __init__(self, process: subprocess.Popen[bytes], log: pathlib.Path) -> None:
        self.process, self.log = process, log
        self._used = self._begun_at = 0.0
        self._tasks = 0

    def tasks(self) -> int:
        """How many tasks have begun."""
        return len(re.findall(rb"^TASK \[", self.log.read_bytes(), re.MULTILINE))

    def watched(self) -> t.Iterator[Moment]:
        """The moments of the run, until it ends."""
        while self.process.poll() is None:
            self._used = max(self._used, processor_seconds(self.process.pid))
            tasks = self.tasks()
            if tasks > self._tasks:
                self._tasks, self._begun_at = tasks, self._used
            yield Moment(self._tasks, self._used - self._begun_at)
            time.sleep(0.01)

    def kill(self) -> None:
        """Kill the run and all that it started, as a power cut or the end of a container does."""
        # Stopped first: a process that still runs could start another one that is not seen.
        for number in (signal.SIGSTOP, signal.SIGSTOP, signal.SIGKILL):
            killed = descendants(self.process.pid)
            for pid in killed:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        self.process.wait()
        while any(map(_runs, killed)):
            time.sleep(0.01)

    def end(self) -> Done:
        """Wait for the end."""
        self.process.wait(timeout=900)
        output = self.log.read_text(encoding="utf-8", errors="replace")
        return Done(self.process.returncode, sum(map(int, re.findall(r" changed=(\d+)", output))), output)


class SiteLab:
    """Everything of one site is below ``folder/root``; its home and its temporary files are next to it."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.root = folder, folder / "root"
        self.prefix = self.root / "envs/torch"
        self._runs = 0
        # Of other runs on this machine.
        self._earlier = set(pathlib.Path("/tmp").glob("hpc.pytorch-*.progress"))
        for name in ("home", "tmp"):
            (folder / name).mkdir(parents=True)
        wheels = folder / "wheels"
        for name, version in {*OLD.items(), *NEW.items()}:
            files = {"%s/part%d.py" % (name, number): "NUMBER = %d\n" % number for number in range(200)}
            make_wheel(wheels, name, version, files={"%s/__init__.py" % name: "__version__ = %r\n" % version, **files})
        self.wheels = wheels

    def variables(self, versions: t.Mapping[str, str]) -> dict[str, t.Any]:
        """The variables of inventories/local, small."""
        wheels = ["%s/%s-%s-py3-none-any.whl" % (self.wheels, name, version) for name, version in versions.items()]
        return {
            "local_root": str(self.root),
            "channel_python": "/usr/bin/python3",
            "channel_wheels": [*wheels, "pip"],
            "torch_env_packages": ["tinytool=%s" % versions["tinytool"], "pip"],
            # The small wheel only has the name.
            "torch_check_fail": False,
            "job_script_example": False,
            "job_script_command": "python -c 'import torch, tinytool; print(tinytool.__version__)'",
        }

    def forget(self) -> None:
        """Remove the site; files of a user, which no run may touch, are put in its place."""
        shutil.rmtree(self.root, ignore_errors=True)
        self.add_files()

    def add_files(self) -> None:
        """Put the files of a user into an empty root."""
        for path in self._canaries():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("mine\n")

    def start(
        self, versions: t.Mapping[str, str], *arguments: str, contained: bool = False, before: t.Sequence[str] = ()
    ) -> Running:
        """Start site.yml.

        :arg contained: in a PID namespace of its own, as in a container.
        :arg before: a command that runs the given one, such as ``faketime -1d``.
        """
        self._runs += 1
        log = self.folder / ("run%d.log" % self._runs)
        playbook = str(pathlib.Path(sys.executable).with_name("ansible-playbook"))
        command = [playbook, "site.yml", "-e", json.dumps(self.variables(versions)), *arguments]
        own = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"] if contained else []
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [*own, *before, *command],
                cwd=CHECKOUT,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
        return Running(process, log)

    def run(self, versions: t.Mapping[str, str], *arguments: str, before: t.Sequence[str] = ()) -> Done:
        """Run site.yml to its end."""
        with alone():
            return self.start(versions, *arguments, before=before).end()

    def environment(self) -> dict[str, str]:
        """The caller's variables, with a home and a folder for temporary files of the lab's own."""
        return dict(
            os.environ,
            HOME=str(self.folder / "home"),
            TMPDIR=str(self.folder / "tmp"),
            ANSIBLE_CONFIG=str(CHECKOUT / "ansible.cfg"),
            ANSIBLE_CALLBACK_RESULT_FORMAT="json",
            ANSIBLE_NOCOLOR="1",
            PYTHONDONTWRITEBYTECODE="1",
        )

    def tree(self) -> set[str]:
        """What is below the root, but for names that differ from run to run."""
        found = (str(path.relative_to(self.root)) for path in self.root.rglob("*"))
        return {path for path in found if not _VARIES.search(path)}

    def wrong(self, versions: t.Mapping[str, str], tree: t.AbstractSet[str]) -> list[str]:
        """What is not as after a run without a fault, whose :meth:`tree` is given."""
        problems = not_whole(self.prefix, dict(versions))
        here = self.tree()
        for what, names in (("left behind", here - tree), ("missing", tree - here)):
            problems += ["%s: %s and %d more" % (what, min(names), len(names) - 1)] if names else []
        problems += ["left behind: %s" % path for path in self.temporary()]
        problems += ["lost: %s" % path for path in self._canaries() if not path.exists()]
        return problems

    def temporary(self) -> list[str]:
        """Our files in the folders for temporary files that no process uses. Those of ansible-core are not ours."""
        found = [path for path in (self.folder / "tmp").iterdir() if not path.name.startswith("ansible")]
        found += list(self.root.glob("engine*/.work.*"))
        open_files = set()
        for path in pathlib.Path("/proc").glob("[0-9]*/fd/*"):
            with contextlib.suppress(OSError):
                open_files.add(os.readlink(path))
        for path in pathlib.Path("/tmp").glob("hpc.pytorch-*.progress"):
            if path not in self._earlier and str(path) not in open_files and path.exists():
                found.append(path)
        return [str(path) for path in found]

    def found(self, versions: t.Sequence[t.Mapping[str, str]]) -> tuple[str, list[str]]:
        """What there is after a fault, in words, and what is wrong with it."""
        state = state_of(self.prefix)
        if state == "env":
            wholes = [each for each in versions if not not_whole(self.prefix, dict(each))]
            return ("a whole env", []) if wholes else ("a broken env", ["a broken env is taken for complete"])
        return {"absent": "no env", "unfinished": "an env marked as unfinished"}.get(state, state), []

    def keep(self, name: str) -> None:
        """Move the site away, to bring it back with :meth:`restore`."""
        self.root.rename(self.folder / name)

    def restore(self, name: str) -> None:
        """Bring back the site of that name, with hard links between cache and envs."""
        shutil.rmtree(self.root, ignore_errors=True)
        subprocess.run(["cp", "-a", "--reflink=auto", str(self.folder / name), str(self.root)], check=True)

    def _canaries(self) -> list[pathlib.Path]:
        return [self.root / place for place in ("mine", "envs/mine/notes", "modulefiles/mine", "jobs/mine")]


def require(done: Done, changed: bool | None = None) -> Done:
    """End the program if a preparation failed."""
    if done.status or (changed is not None and bool(done.changed) != changed):
        raise SystemExit("expected site.yml to end well without a fault; found:\n%s" % done.output[-4000:])
    return done


def one_line(done: Done) -> list[str]:
    """Why the end of a run is not one clear line: no failure, several, or one without a remedy."""
    if done.status == 0:
        return ["it did not fail"]
    if len(done.errors) != 1:
        return ["%d error lines: %s" % (len(done.errors), done.errors)]
    return [] if "; remedy: " in done.errors[0] else ["no remedy: %s" % done.errors[0]]


def descendants(pid: int) -> list[int]:
    """The process and all that it started, parents first."""
    children: dict[int, list[int]] = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(folder.name))
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


def _runs(pid: int) -> bool:
    try:
        stat = pathlib.Path("/proc/%d/stat" % pid).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


@contextlib.contextmanager
def alone() -> t.Iterator[None]:
    """Wait for other whole runs on this machine if HPC_TEST_LOCK names their lock file."""
    with contextlib.ExitStack() as stack:
        if os.environ.get("HPC_TEST_LOCK"):
            fcntl.flock(stack.enter_context(open(os.environ["HPC_TEST_LOCK"], "ab")), fcntl.LOCK_EX)
        yield
