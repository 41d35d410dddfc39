# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernels in jobs of a real Slurm, started by a real Jupyter server. Runs in the container of tools/kernels.sh."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import typing as t

import pytest
from notebook import Kernel, Server, server

WHERE = "import os; print(os.environ['SLURM_JOB_ID'], os.environ['CUDA_VISIBLE_DEVICES'], os.environ['HOOKED'])"
ENDLESS = "print('it runs', flush=True)\nwhile True: pass"


def slurm(*command: str) -> str:
    """What one of Slurm's commands prints."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def jobs() -> list[str]:
    """The numbers of this user's jobs that have not ended. One that is ending has no processes of ours any more."""
    lines = slurm("squeue", "--noheader", "--me", "--format=%i %T").split("\n")
    return [line.split()[0] for line in lines if line and line.split()[1] != "COMPLETING"]


def processes() -> list[str]:
    """The command lines of launchers, kernels and sruns."""
    found = []
    for folder in pathlib.Path("/proc").iterdir():
        if folder.name.isdigit() and folder.stat().st_uid == os.getuid():
            try:
                words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:
                continue
            if any(name in words for name in ("launch.pyz", "ipykernel", "srun", "kernel.zip", "HPC_PYTORCH_KERNEL")):
                found.append(words)
    return found


def until(holds: t.Callable[[], bool]) -> None:
    """Ask until something holds; the job that runs the tests has a time limit."""
    while not holds():
        # A question to Slurm takes its time: this is no busy loop.
        slurm("squeue", "--noheader", "--me")


@pytest.fixture(scope="module")
def jupyter() -> t.Iterator[Server]:
    """The server of the user who runs the tests."""
    home = pathlib.Path(os.environ["HOME"])
    with server("/opt/conda/bin/python", home, {}) as running:
        yield running


@pytest.fixture
def kernel(jupyter: Server) -> t.Iterator[t.Callable[[str], Kernel]]:
    """Starts kernels; they are ended after the test, and nothing of them may be left."""
    started: list[Kernel] = []

    def start(name: str) -> Kernel:
        started.append(jupyter.kernel(name))
        return started[-1]

    yield start
    for one in started:
        one.shut_down()
    until(lambda: not jobs() and not processes())
    assert not [name for name in os.listdir("/tmp") if name.startswith("hpk-")]


def launcher(kernel: Kernel) -> int:
    """The process that Jupyter started."""
    found = [
        int(folder.name)
        for folder in pathlib.Path("/proc").iterdir()
        if folder.name.isdigit() and kernel.id.encode() in (folder / "cmdline").read_bytes()
    ]
    return min(found)


def test_a_cell_runs_in_a_job_with_its_gpu_and_the_environments_variables(kernel: t.Any) -> None:
    one = kernel("gpu")
    done = one.run(WHERE)
    assert done.status == "ok"
    assert done.text == "%s 0 yes\n" % jobs()[0]
    assert one.run("import sys; print(sys.prefix)").text == "/opt/app/envs/torch\n"
    # Nothing else is below a cell of a healthy kernel.
    assert one.run("1 + 1").text == "2"


def test_large_output_comes_whole_and_in_order(kernel: t.Any) -> None:
    done = kernel("cpu").run("for i in range(20000): print(i, 'x' * 100)")
    assert done.text == "".join("%d %s\n" % (i, "x" * 100) for i in range(20000))


def test_a_cell_asks_for_input(kernel: t.Any) -> None:
    one = kernel("cpu")
    cell = one.send("print('hello', input('who? '))")
    one.wait(cell, "who? ")
    one.answer("alice")
    assert "hello alice" in one.wait(cell).text


def test_an_interrupt_ends_the_cell_and_not_the_kernel(kernel: t.Any) -> None:
    one = kernel("cpu")
    one.run("x = 5")
    cell = one.send(ENDLESS)
    one.wait(cell, "it runs")
    one.interrupt()
    assert "KeyboardInterrupt" in one.wait(cell).text
    assert one.run("x").text == "5"


def test_a_restart_is_another_job(kernel: t.Any) -> None:
    one = kernel("cpu")
    first = one.run("x = 5\n" + WHERE.replace("os.environ['CUDA_VISIBLE_DEVICES']", "1")).text
    one.restart()
    second = one.run(WHERE.replace("os.environ['CUDA_VISIBLE_DEVICES']", "1")).text
    assert first != second
    assert "NameError" in one.run("x").text


def test_a_job_that_waits_says_what_for_and_the_cell_runs_then(kernel: t.Any) -> None:
    first = kernel("gpu")
    first.run("1")
    second = kernel("gpu")
    cell = second.send(WHERE)
    waits = second.wait(cell, "waits").text
    assert "Job %s waits in Slurm's queue of titan: " % max(jobs(), key=int) in waits
    first.shut_down()
    done = second.wait(cell)
    assert done.status == "ok" and done.text.endswith(" 0 yes\n")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_job_that_waits_goes_with_its_launcher(jupyter: Server, kernel: t.Any, number: int) -> None:
    first = kernel("gpu")
    first.run("1")
    second = kernel("gpu")
    second.wait(second.send("1"), "waits")
    waiting = max(jobs(), key=int)
    os.kill(launcher(second), number)
    # Jupyter starts a kernel that died again, with a job of its own; the old one is gone.
    until(lambda: waiting not in jobs())


def test_the_kernel_goes_with_its_launcher(kernel: t.Any) -> None:
    one = kernel("cpu")
    one.run("1")
    job = jobs()[0]
    os.kill(launcher(one), signal.SIGKILL)
    until(lambda: job not in jobs())


def test_the_job_goes_with_srun(kernel: t.Any) -> None:
    one = kernel("cpu")
    one.run("1")
    job = jobs()[0]
    found = [folder for folder in pathlib.Path("/proc").glob("[0-9]*") if (folder / "comm").read_text() == "srun\n"]
    for folder in found:
        os.kill(int(folder.name), signal.SIGKILL)
    until(lambda: job not in jobs())
    assert "does not run" in one.run("1").text


def test_a_cancelled_job_is_named_below_the_cell_that_ran(kernel: t.Any) -> None:
    one = kernel("cpu")
    cell = one.send(ENDLESS)
    one.wait(cell, "it runs")
    slurm("scancel", jobs()[0])
    done = one.wait(cell)
    assert done.status == "error"
    assert "The kernel CPU does not run. The job was cancelled." in done.text
    # So is it below the next ones, until the kernel is restarted.
    assert "The job was cancelled." in one.run("1").text
    one.restart()
    assert one.run("1 + 1").text == "2"


def test_a_time_limit_is_named(kernel: t.Any) -> None:
    one = kernel("cpu")
    cell = one.send(ENDLESS)
    one.wait(cell, "it runs")
    slurm("scontrol", "update", "JobId=" + jobs()[0], "EndTime=now")
    assert "The job reached its time limit." in one.wait(cell).text


def test_a_kernel_that_kills_itself_is_named(kernel: t.Any) -> None:
    one = kernel("cpu")
    done = one.run("import os; os.kill(os.getpid(), 9)")
    assert "It was killed by signal 9 in its job." in done.text
    assert "see whether memory ran out" in done.text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no-partition", ("Slurm refused the job", "Invalid partition name specified", "jupyter_kernel_slurm")),
        ("too-much", ("Slurm refused the job", "Requested node configuration is not available")),
        ("no-env", ("expected the env /opt/app/envs/gone; found none", "remedy: make it")),
        ("no-ipykernel", ("ipykernel cannot be imported", "torch_env_packages: [ipykernel]")),
        ("broken-ipykernel", ("ipykernel cannot be imported", "ImportError: broken on purpose")),
    ],
)
def test_a_kernel_that_does_not_start_says_why(kernel: t.Any, name: str, words: t.Sequence[str]) -> None:
    one = kernel(name)
    for _twice in range(2):
        done = one.run("1 + 1")
        assert done.status == "error"
        for word in words:
            assert word in done.text
    assert one.state() == "idle"
