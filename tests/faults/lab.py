# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The setup of every fault: a home, a base with our activation, job scripts, a channel on disk and by HTTP."""

from __future__ import annotations

import contextlib
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

TESTS = pathlib.Path(__file__).resolve().parents[1]
CHECKOUT = TESTS.parent
for folder in (TESTS, TESTS / "site", TESTS / "faults", CHECKOUT / ".collections"):
    sys.path.insert(0, str(folder))

from ansible_collections.hpc.pytorch.plugins.module_utils._common.unfinished import CHANGING_MARK
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script import render as script
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script.parameters import options_of
from made_channel import made_channel
from server import Server
from tiny_wheels import make_wheel

OLD = {"numpy": "2.3.5", "tinytool": "1.0"}
NEW = {"numpy": "2.4.0", "tinytool": "2.0"}
# Longer than any moment without a byte on a busy machine, short enough to wait for.
SILENCE = 8


class Row(t.NamedTuple):
    """One line of the table. *reads* is the message that a person reads; *problems* are the failures."""

    fault: str
    tries: int
    survived: int
    reads: str
    problems: t.Sequence[str] = ()


class Spent(t.NamedTuple):
    """Seconds of processor time that a run has used: before the env was marked as being changed, and since then."""

    unmarked: float = 0.0
    marked: float = 0.0

    def reaches(self, moment: Spent) -> bool:
        """Whether *moment* has come."""
        return self.marked >= moment.marked if moment.marked else self.marked > 0 or self.unmarked >= moment.unmarked


class Answer(t.NamedTuple):
    """The result of a module."""

    failed: bool
    changed: bool
    message: str
    problems: list[str]


class Lab:
    """Everything is below *folder*; the env is ``~/.conda/envs/torch`` of its home."""

    def __init__(self, folder: pathlib.Path, channel: pathlib.Path, shared: pathlib.Path | None = None) -> None:
        self.folder = folder
        self.channel = channel
        self.shared = shared or folder
        self.home = folder / "home"
        self.parent = self.home / ".conda/envs"
        self.prefix = self.parent / "torch"
        self.cache = self.home / "pkgs"
        self.old = folder / "old"
        self.base = self.shared / "base"
        self.forget()
        if shared:
            return
        for name, version in (("tinytool", "1.0"), ("tinytool", "2.0")):
            files = {"tinytool/part%d.py" % number: "NUMBER = %d\n" % number for number in range(60)}
            make_wheel(
                folder / "wheels",
                name,
                version,
                files={"tinytool/__init__.py": "__version__ = %r\n" % version, **files},
            )
        self._make_base()

    def another(self, name: str) -> Lab:
        """A lab with another home, for faults at the same time."""
        folder = self.folder / name
        folder.mkdir()
        return Lab(folder, self.channel, self.shared)

    def forget(self) -> None:
        """Empty the home directory."""
        shutil.rmtree(self.home, ignore_errors=True)
        self.parent.mkdir(parents=True)
        (self.folder / "tmp").mkdir(exist_ok=True)

    def restore(self) -> None:
        """Bring back the old env, and a cache without the packages of the new one."""
        if not self.old.exists():
            self.forget()
            self.require(self.run(self.request(OLD)))
            self.home.rename(self.old)
        shutil.rmtree(self.home, ignore_errors=True)
        # With the hard links between cache and env.
        subprocess.run(["cp", "-a", "--reflink=auto", str(self.old), str(self.home)], check=True)

    def request(self, versions: t.Mapping[str, str], channel: str | None = None, **more: t.Any) -> dict[str, t.Any]:
        """The options for an env with linked packages, a pip requirement and all bytecode."""
        wheels = ["--no-index", "--find-links %s" % (self.shared / "wheels"), "tinytool==%s" % versions["tinytool"]]
        return {
            "prefix": str(self.prefix),
            "packages": ["python", "numpy=%s" % versions["numpy"]],
            "channels": [channel or "file://%s" % self.channel],
            "pip": wheels,
            "compile": True,
            "package_cache": str(self.cache),
            **more,
        }

    def start(self, request: t.Mapping[str, t.Any]) -> subprocess.Popen[str]:
        """Start conda_env as a process group of its own."""
        return subprocess.Popen(
            [sys.executable, str(TESTS / "module_process.py"), "conda_env", json.dumps(request)],
            cwd="/",
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, request: t.Mapping[str, t.Any]) -> Answer:
        """Run conda_env."""
        return self.answer(self.start(request))

    def answer(self, process: subprocess.Popen[str]) -> Answer:
        """The result of a run. A failure must be one line with a remedy."""
        out, error = process.communicate(timeout=300)
        try:
            result = json.loads(out)
        except ValueError:
            return Answer(True, False, out, ["no result but: %s" % (out + error)[-500:]])
        message = self.in_words(str(result.get("msg", "")))
        problems = []
        if result.get("failed") and ("\n" in message or "; remedy: " not in message):
            problems.append("not one line with a remedy: %s" % message)
        return Answer(bool(result.get("failed")), bool(result.get("changed")), message, problems)

    def kill_at(self, request: t.Mapping[str, t.Any], moment: Spent) -> None:
        """Kill the run's process group when it has used that much processor time, or when it has ended."""
        process = self.start(request)
        for spent in self._watched(process):
            if spent.reaches(moment):
                break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()

    def measure(self, request: t.Mapping[str, t.Any]) -> Spent:
        """The processor time of a complete run."""
        process = self.start(request)
        *_earlier, spent = Spent(), *self._watched(process)
        self.require(self.answer(process))
        return spent

    def _watched(self, process: subprocess.Popen[str]) -> t.Iterator[Spent]:
        """The processor time that a run has used so far, repeatedly until it ends."""
        spent = Spent()
        while process.poll() is None:
            used = max(processor_seconds(process.pid), spent.unmarked + spent.marked)
            # All time after the mark was set counts as marked.
            marked = spent.marked > 0 or (self.prefix / CHANGING_MARK).exists()
            spent = Spent(spent.unmarked, max(used - spent.unmarked, 1e-6)) if marked else Spent(used)
            yield spent
            time.sleep(0.002)

    def require(self, answer: Answer) -> None:
        """End the program if a preparation failed."""
        if answer.failed:
            raise SystemExit(
                "expected conda_env to make an env without a fault; found: %s" % (answer.problems or answer.message)
            )

    def refusals(self) -> tuple[list[str], list[str]]:
        """Which of ``source activate`` and the job scripts use the env (names), and all error lines."""
        took, messages = [], []
        commands = {"source activate": "source activate torch && echo it runs"}
        for how in ("direct", "conda"):
            options = {
                "conda_env": "torch",
                "activation": how,
                "conda_prefix": str(self.base),
                "command": "echo it runs",
            }
            commands["a job script, activation %s" % how] = script.render(options_of(options)).content
        for name, command in commands.items():
            ran = subprocess.run(
                ["bash", "-c", command],
                cwd="/",
                env=dict(self.environment(), PATH="%s/bin:/usr/bin:/bin" % self.base),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            if ran.returncode == 0 or "it runs" in ran.stdout:
                took.append(name)
            messages += ran.stderr.splitlines()
        return took, messages

    def environment(self) -> dict[str, str]:
        """Variables without the caller's settings."""
        return {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "TMPDIR": str(self.folder / "tmp"),
            "LC_ALL": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            "HPC_TEST_SILENCE": str(SILENCE),
        }

    def in_words(self, message: str) -> str:
        """The message without the paths and numbers that differ from run to run."""
        for path, name in (
            (self.cache, "CACHE"),
            (self.prefix, "ENV"),
            (self.home, "HOME"),
            (self.channel, "CHANNEL"),
            (self.shared, ""),
        ):
            message = message.replace(str(path), name)
        message = re.sub(r"\.torch\.[^/]+\.partial", "ENV.partial", message)
        return re.sub(r"127\.0\.0\.1:\d+", "SERVER", message)

    def _make_base(self) -> None:
        for template, place in (("conda.sh.j2", "etc/profile.d/conda.sh"), ("activate.j2", "bin/activate")):
            (self.base / place).parent.mkdir(parents=True, exist_ok=True)
            variables = {"conda_prefix": str(self.base), "conda_envs_dirs": ["~/.conda/envs"]}
            arguments = "src=%s dest=%s" % (CHECKOUT / "roles/conda/templates" / template, self.base / place)
            subprocess.run(
                [
                    str(pathlib.Path(sys.executable).with_name("ansible")),
                    "localhost",
                    "-i",
                    "localhost,",
                    "-c",
                    "local",
                    "-e",
                    json.dumps(dict(variables, ansible_python_interpreter=sys.executable)),
                    "-m",
                    "ansible.builtin.template",
                    "-a",
                    arguments,
                ],
                cwd=CHECKOUT,
                env=dict(os.environ, ANSIBLE_CONFIG=str(CHECKOUT / "ansible.cfg")),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                check=True,
            )


@contextlib.contextmanager
def open_lab(folder: pathlib.Path) -> t.Iterator[Lab]:
    """A lab with the channel that all faults use."""
    channel = made_channel(["numpy==%s" % OLD["numpy"], "pip"], ["numpy==%s" % NEW["numpy"], "pip"])
    yield Lab(folder, channel)


def served(lab: Lab) -> Server:
    """The lab's channel by HTTP."""
    return Server(lab.channel)


def processor_seconds(pid: int) -> float:
    """The processor time of a process and its children, including ended ones."""
    try:
        with open("/proc/%d/stat" % pid, encoding="utf-8", errors="replace") as stream:
            fields = stream.read().rpartition(")")[2].split()
        children = []
        for task in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/children" % (pid, task), encoding="ascii") as stream:
                children += stream.read().split()
    except OSError:
        return 0.0
    own = sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")
    return own + sum(processor_seconds(int(child)) for child in children)
