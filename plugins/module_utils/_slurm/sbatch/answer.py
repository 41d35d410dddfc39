# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an answer of sbatch says about the job: it is there, is refused, or may be there. Private to hpc.pytorch.

The texts are those of Slurm's communication errors (src/common/slurm_errno.c of 18.08 to 25.11) and of the C library.
"""

from __future__ import annotations

import re

from ..._common.lines import lines_of, whole

# The script was sent, or may have been, and no answer came back.
_LOST = re.compile(
    r"timed out|zero bytes were transmitted or received|unable to contact slurm controller"
    r"|(message|communication) (send|receive|connection|shutdown) failure|unexpected message received"
    r"|header lengths are longer than data received|insane message length|connection reset|broken pipe"
    r"|connection refused|no route to host|network is (down|unreachable)|transport endpoint"
    r"|interrupted system call|input/output error|temporarily unavailable|operation now in progress",
    re.IGNORECASE,
)
# Limits of what a user may have in the queue.
_NO_MORE = re.compile(r"MaxSubmitJob|GrpSubmitJob|violates accounting/QOS policy")
# An option by its name, in anyone's words, or what Slurm's own verdicts call it (src/common/slurm_errno.c).
_OPTION = re.compile(
    r"(^|[\s'\"])--?[A-Za-z]|unrecognized option|submission failed: ([^;]*\b([Ii]nvalid|specification)\b|Requested "
    r"|More processors requested|Memory required by task|Required partition|User's group not permitted)"
)
_VERDICT = re.compile(r"^sbatch: error: Batch job submission failed: (.*)$")


def job_number(output: str) -> tuple[str, str] | None:
    """The number and the cluster that ``sbatch --parsable`` prints: ``7`` or ``7;gpus``; None without a number."""
    lines = lines_of(output.strip())
    number, _sign, cluster = lines[-1].partition(";") if lines else ("", "", "")
    return None if whole(number) is None else (number, cluster)


def may_have_arrived(status: int, errors: str) -> bool:
    """Whether Slurm may have the job although sbatch printed no number.

    :arg status: its exit status; below 0 if a signal killed it, 128 and a signal if a shell started it.
    :arg errors: its standard error. A message of the site's own, such as job_submit.lua's, stands above sbatch's line.
    """
    lines = [line.strip() for line in lines_of(errors) if line.strip()]
    verdicts = [match.group(1) for match in map(_VERDICT.match, lines) if match]
    if verdicts:
        return bool(_LOST.search(verdicts[-1]))
    # Without that line it said nothing about the submission, or ended before it had begun one.
    return status <= 0 or 128 < status < 193 or not lines or any(_LOST.search(line) for line in lines)


def was_not_sent(errors: str) -> bool:
    """Whether sbatch reports that it could not even connect to the controller."""
    return "(connect failure)" in errors


def remedy_of_refusal(message: str, path: str) -> str:
    """What to do about a script that sbatch refuses.

    :arg message: what it printed, as command.failure writes it.
    :arg path: of the script.
    """
    if _NO_MORE.search(message):
        return (
            "wait until other jobs of yours have ended, or ask for less: sacctmgr show association and sacctmgr"
            " show qos have the limits"
        )
    if _OPTION.search(message):
        return "correct the option that it names"
    return "do what the message asks for; sbatch --test-only %s repeats it" % path
