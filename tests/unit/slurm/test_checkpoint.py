# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job with checkpoint_seconds: the command gets the signal, writes its checkpoint, and the job is requeued."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script import parameters, render


def render_script(params, slurm=None):
    return render.render(parameters.options_of(params), slurm)


# Prints when it is ready for the signal, and ends with the given exit code.
TRAINING = """
import os, signal, sys
ended = []
signal.signal(signal.SIGUSR1, lambda *_: ended.append(1))
print("ready", os.getpid(), flush=True)
while not ended:
    signal.pause()
print("checkpoint")
sys.exit(int(sys.argv[1]))
"""
# As srun: what it starts gets the signals that it gets.
SRUN = """#!{python}
import signal, subprocess, sys
words = sys.argv[1:]
while words[0].startswith("--"):
    words.pop(0)
# Before the child starts, as srun does.
child = None
early = []
signal.signal(signal.SIGUSR1, lambda *_: child.send_signal(signal.SIGUSR1) if child else early.append(1))
child = subprocess.Popen(words)
if early:
    child.send_signal(signal.SIGUSR1)
sys.exit(child.wait())
"""
# As torchrun: an agent that the signal would kill, and a process in its own session. Slurm signals both.
TORCHRUN = """#!{python}
import os, signal, subprocess, sys
assert signal.getsignal(signal.SIGUSR1) == signal.SIG_IGN, "the agent would die"
words = [word for word in sys.argv[1:] if not word.startswith("--")]
child = subprocess.Popen([sys.executable, *words], start_new_session=True)
sys.exit(child.wait())
"""


@pytest.fixture
def job(tmp_path):
    """A job script that runs with a stand-in for Slurm's commands, until its command is ready for the signal."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, text in (
        ("srun", SRUN),
        ("torchrun", TORCHRUN),
        ("scontrol", '#!/bin/sh\n[ "$1" = show ] && echo n1 || echo "$@" >> requeued\n'),
    ):
        (tools / name).write_text(text.format(python=sys.executable) if name != "scontrol" else text)
        (tools / name).chmod(0o755)
    (tools / "python").symlink_to(sys.executable)
    (tmp_path / "training.py").write_text(TRAINING)
    started = []

    def start(environment=None, **params):
        (tmp_path / "job.sh").write_text(render_script(dict({"checkpoint_seconds": 60}, **params)).content)
        process = subprocess.Popen(
            ["bash", "job.sh"],
            cwd=tmp_path,
            env=dict(
                {"PATH": "%s:/usr/bin:/bin" % tools, "HOME": str(tmp_path), "SLURM_JOB_ID": "4711"},
                **(environment or {}),
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    start.folder = tmp_path
    yield start
    for process in started:
        process.kill()
        process.wait()


def signalled(process):
    """Send the signal once the command has set its handler; return exit code, output and errors."""
    assert process.stdout.readline().startswith("ready"), process.stderr.read()
    process.send_signal(signal.SIGUSR1)
    return ended(process)


def ended(process):
    out, err = process.stdout.read(), process.stderr.read()
    return process.wait(), out, err


def requeued(job):
    path = job.folder / "requeued"
    return path.read_text() if path.exists() else ""


@pytest.mark.parametrize(
    "environment,identity",
    [({}, "4711"), ({"SLURM_ARRAY_JOB_ID": "4700", "SLURM_ARRAY_TASK_ID": "3"}, "4700_3")],
)
@pytest.mark.parametrize("srun", [False, True])
def test_the_command_gets_the_signal_and_the_job_is_requeued(job, environment, identity, srun):
    process = job(environment, srun=srun, command="python training.py 0", post="echo never")
    assert signalled(process) == (0, "checkpoint\n", "")
    assert requeued(job) == "requeue %s\n" % identity


def test_a_launcher_lives_through_the_signal_that_its_processes_get(job):
    process = job(kind="multi_gpu", gres="gpu:2", command="python training.py 0")
    word, pid = process.stdout.readline().split()
    assert word == "ready"
    process.send_signal(signal.SIGUSR1)
    # What Slurm does with every process of the step.
    os.kill(int(pid), signal.SIGUSR1)
    assert ended(process) == (0, "checkpoint\n", "")
    assert requeued(job) == "requeue 4711\n"


def test_a_command_that_fails_after_the_signal_fails_the_job(job):
    process = job(command="python training.py 3")
    code, _out, err = signalled(process)
    assert code == 3 and "exit code 3" in err and err.count("\n") == 1
    assert requeued(job) == ""


def test_a_command_without_a_handler_is_told_of(job):
    process = job(command="sh -c 'echo ready; exec sleep 60'")
    code, _out, err = signalled(process)
    assert code == 128 + signal.SIGUSR1 and "handle SIGUSR1" in err and requeued(job) == ""


@pytest.mark.parametrize("_again", range(20))
def test_a_signal_while_the_command_starts_reaches_it(job, _again):
    process = job(
        command="sh -c 'trap \"exit 0\" USR1; kill -USR1 $PPID; for _ in 1 2 3 4 5 6 7 8 9; do sleep 1; done; exit 9'"
    )
    assert ended(process)[0] == 0 and requeued(job) == "requeue 4711\n"


def test_a_signal_before_the_command_has_begun_requeues_at_once(job):
    process = job(pre="kill -USR1 $$", command="echo never")
    code, out, _err = ended(process)
    assert (code, out, requeued(job)) == (0, "", "requeue 4711\n")


@pytest.mark.parametrize(
    "command,code,out", [("true", 0, "post\n"), ("sh -c 'exit 7'", 7, ""), ("no-such-program", 127, "")]
)
def test_without_the_signal_a_job_ends_as_any_other(job, command, code, out):
    process = job(command=command, post="echo post")
    assert (*ended(process)[:2], requeued(job)) == (code, out, "")


@pytest.mark.parametrize(
    "line", ["python x.py | tee log", "python x.py & wait", "python x.py; true", "python x.py && true"]
)
def test_a_pipe_would_keep_the_signal_away(line):
    with pytest.raises(UserError) as caught:
        render_script({"checkpoint_seconds": 60, "command": ["python first.py", line]})
    assert "checkpoint_seconds" in caught.value.expected


@pytest.mark.parametrize("line", ["python x.py > log 2>&1", "python x.py &> log", "python x.py 'a | b' \"c; d\" e\\&f"])
def test_a_redirection_and_a_quoted_sign_are_no_pipe(line):
    assert line in render_script({"checkpoint_seconds": 60, "command": line}).content


def test_lightning_is_left_to_its_own_handlers():
    content = render_script(
        {"kind": "lightning", "gres": "gpu:2", "checkpoint_seconds": 90, "command": "python training.py"}
    ).content
    # Lightning sets no handler for a signal that is ignored.
    assert "trap" not in content and "#SBATCH --signal=SIGUSR1@90\n" in content


# What scontrol of Slurm 22.05 prints of a job that is in its GraceTime, and of one that may be preempted.
TIMES = "   StartTime=2026-11-27T08:21:54 PreemptEligibleTime=2026-11-27T08:21:54 PreemptTime=%s\n"


@pytest.mark.parametrize(
    "shown,code,goes_back",
    [
        (TIMES % "2026-11-27T08:22:51", 0, True),
        # What ends the processes of a step is an end with 143 to srun.
        (TIMES % "2026-11-27T08:22:51", 143, True),
        (TIMES % "None", 0, False),
        (TIMES % "None", 143, False),
        ("   PreemptTime=None SuspendTime=2026-11-27T08:22:51\n", 0, False),
        ("", 0, False),
    ],
)
def test_a_job_that_is_preempted_goes_back_into_the_queue_whatever_its_command_made_of_it(job, shown, code, goes_back):
    (job.folder / "shown").write_text(shown)
    (job.folder / "tools/scontrol").write_text('#!/bin/sh\n[ "$1" = show ] && cat shown || echo "$@" >> requeued\n')
    process = job(command="bash -c 'exit %d'" % code, post="echo post")
    found, out, err = ended(process)
    assert requeued(job) == ("requeue 4711\n" if goes_back else "")
    assert (found, out) == ((0, "") if goes_back else (code, "" if code else "post\n")), err
