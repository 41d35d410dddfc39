#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: slurm_job
version_added: 0.1.0
short_description: Submit a job to Slurm once, wait for it, or cancel it
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Hands a script to C(sbatch), once. The same script with the same O(arguments) is not submitted again by a later run, whatever
    became of the job, unless O(force) says so; a changed script is.
  - The record of the submission is a file beside the script, O(record). A run that is interrupted or killed, even between C(sbatch) and
    the record, neither loses the job nor submits it twice; for that the job bears a mark in its comment.
  - Waits until Slurm says how the job has ended, in whatever state that is. A job that Slurm puts back into the queue (after
    a node failed, or for one of higher priority) is waited for. One that will never start as it stands ends the wait.
  - Needs no accounting. The controller says how a job is, and where it has forgotten the job, C(sacct) does, where there is
    a database. Where there is none, and nobody looked in time, the result is V(VANISHED), which is a failure.
options:
  script:
    description:
      - The job script, an absolute path. It is submitted in its own folder, where Slurm puts its output if the script does not say
        otherwise.
      - As root, a script that somebody else can write is refused; use C(become_user).
    type: path
  job_id:
    description: A job that has been submitted before, V(123), or one task of an array, V(123_4).
    type: str
  state:
    description:
      - V(checked), the script can be submitted by this user. It is read; nothing is submitted, and no Slurm is needed.
      - V(submitted), the job is in the queue, or was.
      - V(completed), and it has ended with exit code 0; anything else is a failure.
      - V(cancelled), the job has ended, and is cancelled where it has not.
    type: str
    choices: [checked, submitted, completed, cancelled]
    default: submitted
  arguments:
    description:
      - More options of C(sbatch), each as V(--name=value) or V(--name). They win over those in the script.
      - They are a part of what makes a submission the same.
    type: list
    elements: str
    default: []
  timeout:
    description: How many seconds to wait for the end of the job, its time in the queue included. Without it, as long as it takes.
    type: int
  on_timeout:
    description: What becomes of a job that O(timeout) was too short for. It is a failure in either case.
    type: str
    choices: [leave, cancel]
    default: leave
  force:
    description: Submit the script although it has been submitted before. A job of it that is still there stays, with a warning.
    type: bool
    default: false
  tail:
    description: How many of the last lines of the job's output come back.
    type: int
    default: 20
  lint:
    description:
      - What becomes of mistakes that the filter P(hpc.pytorch.sbatch_lint#filter) finds in a script that is about to be submitted.
      - V(warn) warns of each. V(refuse) also fails where one of them keeps the script from running as it was meant, before
        anything is submitted. V(off) does not look.
    type: str
    choices: ['off', warn, refuse]
    default: warn
  record:
    description:
      - The file that says what was submitted. Without it, C(.NAME.hpc_pytorch_job) beside the script.
      - Needed where the script lies in a folder that the user cannot write.
    type: path
  bin_dir:
    description: Folder of Slurm's commands, where they are not on E(PATH).
    type: path
  progress_file:
    description: Where progress is written for the action plugin; not meant to be set.
    type: path
extends_documentation_fragment:
  - hpc.pytorch.attributes.action_group
attributes:
  check_mode:
    support: full
    description:
      - Submits and cancels nothing. What would be submitted is given to C(sbatch --test-only), whose refusal is a failure.
      - A script that is not there yet is no failure.
  diff_mode:
    support: full
    description: Says what is submitted or cancelled.
notes:
  - Run it on a login node, as the user whose job it is.
  - E(SBATCH_ACCOUNT), E(SBATCH_QOS) and E(SBATCH_RESERVATION) count as they do for C(sbatch); other variables of its options do not.
  - An interrupted run leaves the job where it is. The next run waits on.
seealso:
  - module: hpc.pytorch.sbatch_script
  - name: sbatch
    description: Its options.
    link: https://slurm.schedmd.com/sbatch.html
  - name: Job states
    description: What each state means.
    link: https://slurm.schedmd.com/job_state_codes.html
"""

EXAMPLES = r"""
- name: Train, at most for two hours with the time in the queue
  hpc.pytorch.slurm_job:
    script: ~/jobs/train.sh
    state: completed
    timeout: 7200
  register: training

- name: Say how it went
  ansible.builtin.debug:
    msg: "{{ training.summary }}"

- name: Submit it to another partition, and go on
  hpc.pytorch.slurm_job:
    script: ~/jobs/train.sh
    arguments: [--partition=tesla]
    record: ~/jobs/tesla.job
  register: other

- name: Wait for that one
  hpc.pytorch.slurm_job:
    job_id: "{{ other.job_id }}"
    state: completed

- name: Stop what was submitted from here
  hpc.pytorch.slurm_job:
    script: ~/jobs/train.sh
    state: cancelled
"""

RETURN = r"""
job_id:
  description: Slurm's number of the job. None where nothing was submitted, as in check mode.
  returned: always
  type: str
  sample: "4711"
job_name:
  description: Its name.
  returned: always
  type: str
job_state:
  description:
    - The state as Slurm writes it, such as V(PENDING), V(RUNNING), V(COMPLETED), V(FAILED), V(CANCELLED), V(TIMEOUT), V(OUT_OF_MEMORY),
      V(NODE_FAIL), V(PREEMPTED), V(DEADLINE), V(BOOT_FAIL), V(REVOKED).
    - V(VANISHED) where Slurm does not know the job any more and nobody has seen how it ended.
    - Of an array, the state of a task that still runs, or else waits, or else failed.
  returned: always
  type: str
  sample: COMPLETED
reason:
  description: What Slurm says about it, such as V(Priority) or V(NonZeroExitCode).
  returned: always
  type: str
exit_code:
  description: Exit code of the script, 0 until it has ended.
  returned: always
  type: int
signal:
  description: The signal that ended it, as Slurm tells it; 0 for none.
  returned: always
  type: int
restarts:
  description: How often Slurm has put it back into the queue.
  returned: always
  type: int
nodes:
  description: The nodes it has or had, by name.
  returned: always
  type: list
  elements: str
stdout_file:
  description: File of its output.
  returned: always
  type: str
stdout_tail:
  description: The last lines of it.
  returned: always
  type: list
  elements: str
stderr_tail:
  description: The last lines of its errors, where they have a file of their own.
  returned: always
  type: list
  elements: str
tasks:
  description: The tasks of an array, or the components of a heterogeneous job; empty for any other.
  returned: always
  type: list
  elements: dict
  contains:
    task:
      description: Its index in the array, V(+1) for a component.
      type: str
    job_state:
      description: As above, as is what follows.
      type: str
    reason:
      description: See there.
      type: str
    exit_code:
      description: See there.
      type: int
    signal:
      description: See there.
      type: int
    restarts:
      description: See there.
      type: int
    stdout_file:
      description: See there.
      type: str
lint:
  description: The mistakes in the script, in the order of its lines.
  returned: when a script was about to be submitted and O(lint) is not V(off)
  type: list
  elements: dict
  contains:
    line:
      description: Number of the line.
      type: int
    code:
      description: Its name, such as V(misspelt-option).
      type: str
    severity:
      description: V(error) or V(warning).
      type: str
    message:
      description: What is wrong.
      type: str
    remedy:
      description: What helps.
      type: str
summary:
  description: All of it on one line.
  returned: always
  type: str
  sample: job 4711 (train) ended with exit code 0 (COMPLETED, on titan01)
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._common.exit import answer
from ..module_utils._common.progress import PROGRESS_OPTION, Progress
from ..module_utils._slurm.job.declare import Options, Work


def main() -> None:
    module = AnsibleModule(
        argument_spec=dict(
            PROGRESS_OPTION,
            script={"type": "path"},
            job_id={"type": "str"},
            state={
                "type": "str",
                "choices": ["checked", "submitted", "completed", "cancelled"],
                "default": "submitted",
            },
            arguments={"type": "list", "elements": "str", "default": []},
            timeout={"type": "int"},
            on_timeout={"type": "str", "choices": ["leave", "cancel"], "default": "leave"},
            force={"type": "bool", "default": False},
            tail={"type": "int", "default": 20},
            lint={"type": "str", "choices": ["off", "warn", "refuse"], "default": "warn"},
            record={"type": "path"},
            bin_dir={"type": "path"},
        ),
        required_one_of=[("script", "job_id")],
        mutually_exclusive=[("script", "job_id"), ("job_id", "record")],
        supports_check_mode=True,
    )
    answer(module, lambda: run(module))


def run(module: AnsibleModule) -> dict[str, t.Any]:
    """Do what the parameters ask for, and add the diff."""
    options = Options.from_params(module.params)
    with Progress(module.params["progress_file"]) as progress:
        result = Work(options, progress, module.warn, module.check_mode).run()
    if module._diff:
        result["diff"] = options.diff(result["changed"])
    return result


if __name__ == "__main__":
    main()
