# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a kernel does not run, in lines for the person at the notebook. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ..settings import SLURM, Settings

# What srun and bash print, as a pattern, with what it means and what to do.
_KNOWN: tuple[tuple[str, str, str], ...] = (
    (
        r"DUE TO TIME LIMIT",
        "The job reached its time limit.",
        "ask for more time (time in jupyter_kernel_slurm), and save results in files",
    ),
    (
        r"DUE TO NODE FAILURE|\bNODE_FAIL\b",
        "The node of the job failed.",
        "start the kernel again: it gets another node",
    ),
    (
        r"DUE TO PREEMPTION|DUE TO JOB REQUEUE",
        "Slurm ended the job for one of higher priority.",
        "start the kernel again, or choose another partition or QOS",
    ),
    (
        r"oom[-_]kill|[Oo]ut [Oo]f [Mm]emory|OUT_OF_MEMORY",
        "The kernel ran out of memory.",
        "ask for more memory (mem in jupyter_kernel_slurm), or work on less data at a time",
    ),
    (
        r"\*\*\* (JOB|STEP) [\d.+]+ ON \S+ CANCELLED|[Jj]ob (allocation )?\d+ has been (cancelled|revoked)",
        "The job was cancelled.",
        "start the kernel again if that was not meant",
    ),
    (
        r"srun: error: (Unable to allocate resources|Batch job submission failed|Job submit/allocate failed)",
        "Slurm refused the job.",
        "correct jupyter_kernel_slurm; sinfo lists partitions, sacctmgr show association the accounts",
    ),
    (
        r"Unable to contact slurm controller|Connection refused|Protocol authentication error|Munge",
        "Slurm does not answer this machine.",
        "see whether sinfo works in a terminal of JupyterLab; if not, ask the administrators",
    ),
)
# What srun prints on every end.
_NOISE = re.compile(
    r"srun: (job \d+ (queued and waiting|has been allocated)|Terminating StepId|Force Terminated|Waiting up to"
    r"|Job step aborted|launch/slurm: |error: \S+: task \d+: (Killed|Terminated|Exited))"
)
_SHOWN = 12
_AGAIN = "Restart the kernel to start it again."


class Failure(t.NamedTuple):
    """Why a kernel does not run.

    :arg headline: in a few words.
    :arg text: all of it, in lines.
    """

    headline: str
    text: str


def _failure(settings: Settings, headline: str, found: t.Sequence[str], remedy: str) -> Failure:
    title = "The kernel %s does not run. %s" % (settings.display_name, headline)
    lines = [title, *("  " + line for line in found)]
    return Failure(headline, "\n".join([*lines, *(["Remedy: %s." % remedy] if remedy else []), _AGAIN]))


def of_error(settings: Settings, error: str) -> Failure:
    """For a message of ours, which has its own remedy."""
    return _failure(settings, "It could not be started.", [error], "")


def of_report(settings: Settings, content: t.Mapping[str, t.Any], errors: t.Sequence[str]) -> Failure:
    """For what the kernel's machine reports before there is a kernel."""
    if content["why"] == "ipykernel":
        # The name of the missing module may be another one than ipykernel, which then is broken.
        return _failure(
            settings,
            "ipykernel cannot be imported in the environment %s." % settings.env,
            ["%s (in %s)" % (content["text"], content["prefix"])],
            "install it there: torch_env_packages: [ipykernel] for role torch_env, or conda install -p %s ipykernel"
            % content["prefix"],
        )
    return _failure(settings, "It broke on its machine.", [content["text"], *shown(errors)], "report it")


def of_verdict(settings: Settings, text: str) -> Failure:
    """For a torch that cannot use the GPUs that were asked for."""
    return _failure(
        settings,
        "torch cannot use the GPUs that the kernel was given.",
        text.split("\n"),
        "see the reason above; jupyter_kernel_expect_cuda: false starts the kernel all the same",
    )


def of_end(settings: Settings, status: int | None, errors: t.Sequence[str], was_ready: bool) -> Failure:
    """For an end that nobody asked for.

    :arg status: of the kernel, negative for a signal; None if only the process around it is known to have ended.
    :arg errors: the last lines on standard error.
    """
    whole = "\n".join(errors)
    # A message of the start script: expected, found, remedy.
    ours = [line for line in errors if line.startswith("job script: expected ")]
    if ours and not was_ready:
        message = ours[-1].replace("job script: ", "", 1)
        return _failure(settings, "The environment could not be activated.", [message], "")
    for pattern, headline, remedy in _KNOWN:
        if re.search(pattern, whole):
            return _failure(settings, headline, shown(errors), remedy)
    where = "in its job" if settings.start == SLURM else "on this machine"
    if status is not None and status < 0:
        headline = "It was killed by signal %d %s." % (-status, where)
        remedy = "see whether memory ran out" if status == -9 else "see the messages above, and JupyterLab's log"
        return _failure(settings, headline, shown(errors), remedy)
    headline = "It ended %s%s." % (where, "" if status is None else ", with status %d" % status)
    remedy = "see the messages above" if errors else "see JupyterLab's log"
    return _failure(settings, headline, shown(errors), remedy)


def shown(errors: t.Sequence[str]) -> list[str]:
    """The lines that say something, the last ones first to stay."""
    kept = [line for line in errors if not _NOISE.match(line)]
    return kept[-_SHOWN:]
