# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of ansible-playbook for the benches: they must change nothing, and are timed, weighed or counted."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import typing as t

TESTS = pathlib.Path(__file__).resolve().parents[1]
CHECKOUT = TESTS.parent
PLAYBOOKS = TESTS / "bench" / "plays"
sys.path.insert(0, str(TESTS))

import task_counts

# How often the memory of the processes is added up: about a fiftieth of one core.
SECONDS_BETWEEN_SAMPLES = 1.0


class Weight(t.NamedTuple):
    """What a run took of this machine.

    controller: the most bytes that ansible-playbook had in memory. together: it and its forks and modules, where a page
    that several of them have counts once (PSS). processor: seconds of all of them, which other load hardly changes.
    """

    controller: int
    together: int
    processor: float


class Playbook:
    """How ansible-playbook is started: with which environment and arguments."""

    def __init__(self, environment: t.Mapping[str, str], *arguments: str) -> None:
        self.environment = dict(environment, ANSIBLE_NOCOLOR="1")
        program = shutil.which("ansible-playbook", path=self.environment["PATH"])
        if program is None:
            raise SystemExit("expected ansible-playbook on PATH; found none")
        self.command = [program, *arguments]

    def run(self, *arguments: str) -> str:
        """Run it, and return its output."""
        done = subprocess.run(
            [*self.command, *arguments],
            cwd=CHECKOUT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        _refuse_failed(done.returncode, done.stdout)
        return done.stdout

    def unchanged(self, *arguments: str) -> str:
        """Run it, and end the bench if anything changed."""
        output = self.run(*arguments)
        changed = re.findall(r"^(\S+) +: ok=\d+ +changed=([1-9]\d*)", output, re.MULTILINE)
        if changed:
            raise SystemExit("expected %s to change nothing; found that it did:\n%s" % (arguments, output))
        return output

    def counts(self, *arguments: str) -> task_counts.Counts:
        """Run it, and count its tasks and modules."""
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "counts"
            counted = Playbook(dict(self.environment, **task_counts.environment(file)))
            counted.command = self.command
            counted.unchanged(*arguments)
            return task_counts.read(file)

    def weighed(self, *arguments: str) -> Weight:
        """Run it, and measure its memory and processor time."""
        with tempfile.TemporaryFile("w+") as output:
            process = subprocess.Popen(
                [*self.command, *arguments],
                cwd=CHECKOUT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            ended = threading.Event()
            samples: list[int] = []

            def sample() -> None:
                while not ended.wait(SECONDS_BETWEEN_SAMPLES):
                    samples.append(sum(_pss(pid) for pid in _with_descendants(process.pid)))

            thread = threading.Thread(target=sample)
            thread.start()
            _pid, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            ended.set()
            thread.join()
            output.seek(0)
            _refuse_failed(process.returncode, output.read())
        return Weight(usage.ru_maxrss * 1024, max(samples, default=0), usage.ru_utime + usage.ru_stime)


def in_text(counts: task_counts.Counts) -> str:
    """The counts for the column of notes."""
    modules = {host: len(names) for host, names in counts.modules.items()}
    if not modules:
        return "%d tasks" % len(counts.tasks)
    most = max(modules, key=lambda host: modules[host])
    return "%d tasks; modules: %d on %s, %.1f a host" % (
        len(counts.tasks),
        modules[most],
        most,
        sum(modules.values()) / len(counts.results),
    )


def _refuse_failed(code: int, output: str) -> None:
    if code:
        sys.stderr.write(output)
        raise SystemExit("ansible-playbook failed, see above")


def _with_descendants(pid: int) -> list[int]:
    """The process and what it started; processes that are gone meanwhile are left out."""
    children: dict[int, list[int]] = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text()
        except OSError:
            continue
        # The name in parentheses may hold anything.
        children.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(folder.name))
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


def _pss(pid: int) -> int:
    """Bytes in memory, with its share of the pages that several processes have; 0 if it is gone."""
    try:
        lines = pathlib.Path("/proc/%d/smaps_rollup" % pid).read_text()
    except OSError:
        return 0
    found = re.search(r"^Pss: +(\d+) kB", lines, re.MULTILINE)
    return int(found.group(1)) * 1024 if found else 0
