#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: slurm_job
version_added: 1.0.0
short_description: Submit a job to Slurm once, wait for it, or cancel it
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Submits a script with C(sbatch), once. A later run does not submit the same script with the same O(arguments)
    again, even if the job failed, unless O(force) is set. It does submit a changed script.
  - The record of the submission is a file next to the script, O(record). A run that is interrupted or killed, even
    between C(sbatch) and the record, neither loses the job nor submits it twice; a mark in the job's comment makes
    that possible.
  - Waits until the job has ended, in any state. It also waits for a job that Slurm puts back into the queue (after
    a node failed, or for a job of higher priority). A job that will never start as it is ends the wait.
  - Needs no accounting. The state comes from the controller. If the controller has forgotten the job, it comes from
    C(sacct), if there is a database. Without one, and if no poll saw the end, the result is V(VANISHED), which is a
    failure.
options:
  script:
    description:
      - The job script, an absolute path. It is submitted in its own folder, where Slurm puts the output unless the
        script sets another place.
      - As root, the module refuses a script that another user can write; use C(become_user). It also refuses one whose
        folder, C(chdir), environments or programs (absolute paths in its lines) another user can write.
    type: path
  job_id:
    description: A job that has been submitted before, V(123), or one task of an array, V(123_4).
    type: str
  state:
    description:
      - V(checked) makes sure that this user can submit the script. It reads the script, submits nothing and needs no
        Slurm.
      - V(submitted) makes sure that the job has been submitted.
      - V(completed) also waits for its end; any end but exit code 0 is a failure.
      - V(cancelled) makes sure that the job has ended, and cancels it if it has not.
    type: str
    choices: [checked, submitted, completed, cancelled]
    default: submitted
  arguments:
    description:
      - More options of C(sbatch), each as V(--name=value) or V(--name). They override those in the script.
      - A script with other arguments is another submission.
    type: list
    elements: str
    default: []
  timeout:
    description: How many seconds to wait for the end of the job, including its time in the queue. No limit by default.
    type: int
  on_timeout:
    description: What to do with a job that has not ended within O(timeout). It is a failure in either case.
    type: str
    choices: [leave, cancel]
    default: leave
  force:
    description: Submit the script although it has been submitted before. An earlier job stays, with a warning.
    type: bool
    default: false
  tail:
    description: How many of the last lines of the job's output to return.
    type: int
    default: 20
  lint:
    description:
      - What to do about mistakes that the filter P(hpc.pytorch.sbatch_lint#filter) finds in a script before it is
        submitted.
      - V(warn) warns about each. V(refuse) also fails before anything is submitted if one of them is an error. V(off)
        does not check the script.
    type: str
    choices: ['off', warn, refuse]
    default: warn
  relies_on:
    description:
      - Folders and environments that the job enters or activates and that the script does not name by their absolute
        paths. As root, the module fails if another user can write them.
    type: list
    elements: path
    default: []
  record:
    description:
      - The file that records the submission. By default, C(.NAME.hpc_pytorch_job) next to the script.
      - Required if the user cannot write the script's folder.
    type: path
  bin_dir:
    description: Folder of Slurm's commands, if they are not on E(PATH).
    type: path
  progress_file:
    description: The file for progress that the action plugin shows; do not set it.
    type: path
extends_documentation_fragment:
  - hpc.pytorch.attributes.action_group
attributes:
  check_mode:
    support: full
    description:
      - Submits and cancels nothing. A script that would be submitted is checked with C(sbatch --test-only), whose
        refusal is a failure.
      - A script that does not exist yet is no failure.
  diff_mode:
    support: full
    description: Shows what is submitted or cancelled.
notes:
  - Run it on a login node, as the user who owns the job.
  - E(SBATCH_ACCOUNT), E(SBATCH_QOS) and E(SBATCH_RESERVATION) apply as they do for C(sbatch); other variables with
    options of C(sbatch) do not.
  - An interrupted run leaves the job in the queue. The next run continues to wait for it.
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
- name: Train, for at most two hours including the time in the queue
  hpc.pytorch.slurm_job:
    script: ~/jobs/train.sh
    state: completed
    timeout: 7200
  register: training

- name: Show how it ended
  ansible.builtin.debug:
    msg: "{{ training.summary }}"

- name: Submit it to another partition without waiting
  hpc.pytorch.slurm_job:
    script: ~/jobs/train.sh
    arguments: [--partition=tesla]
    record: ~/jobs/tesla.job
  register: other

- name: Wait for that job
  hpc.pytorch.slurm_job:
    job_id: "{{ other.job_id }}"
    state: completed

- name: Cancel the first job
  hpc.pytorch.slurm_job:
    script: ~/jobs/train.sh
    state: cancelled
"""

RETURN = r"""
job_id:
  description: Slurm's number of the job. V(null) if nothing was submitted, as in check mode.
  returned: always
  type: str
  sample: "4711"
job_name:
  description: Its name.
  returned: always
  type: str
job_state:
  description:
    - The state as Slurm writes it, such as V(PENDING), V(RUNNING), V(COMPLETED), V(FAILED), V(CANCELLED), V(TIMEOUT),
      V(OUT_OF_MEMORY), V(NODE_FAIL), V(PREEMPTED), V(DEADLINE), V(BOOT_FAIL), V(REVOKED).
    - V(VANISHED) if Slurm answers that it does not know the job, or another job has its number now, and no poll saw how
      it ended.
    - For an array, the state of a task that still runs, else of one that waits, else of one that failed.
  returned: always
  type: str
  sample: COMPLETED
reason:
  description:
    - Slurm's reason for the state, such as V(Priority) or V(NonZeroExitCode).
    - V(by user 2000) if the state comes from the database, which has who cancelled the job.
  returned: always
  type: str
exit_code:
  description: Exit code of the script; 0 until it has ended.
  returned: always
  type: int
signal:
  description: The signal that ended it, according to Slurm; 0 for none.
  returned: always
  type: int
restarts:
  description: How often Slurm has put it back into the queue.
  returned: always
  type: int
nodes:
  description: The names of the nodes that it has or had.
  returned: always
  type: list
  elements: str
stdout_file:
  description: The file of its output.
  returned: always
  type: str
stdout_tail:
  description:
    - The last lines of its output, with control characters as escapes such as C(\x1b).
    - Empty if the file does not belong to the user who owns the job. If root runs this for its own job, empty also
      where another user can write to the folder of the output, unless that is sticky.
  returned: always
  type: list
  elements: str
stderr_tail:
  description: As RV(stdout_tail) for its standard error, if that has a file of its own.
  returned: always
  type: list
  elements: str
tasks:
  description: The tasks of an array, or the components of a heterogeneous job; empty for any other job.
  returned: always
  type: list
  elements: dict
  contains:
    task:
      description: Its index in the array, V(+1) for a component.
      type: str
    job_state:
      description: As RV(job_state).
      type: str
    reason:
      description: As RV(reason).
      type: str
    exit_code:
      description: As RV(exit_code).
      type: int
    signal:
      description: As RV(signal).
      type: int
    restarts:
      description: As RV(restarts).
      type: int
    stdout_file:
      description: As RV(stdout_file).
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
      description: The kind of mistake, such as V(misspelt-option).
      type: str
    severity:
      description: V(error) if sbatch refuses the script, otherwise V(warning).
      type: str
    message:
      description: The mistake.
      type: str
    remedy:
      description: How to correct it.
      type: str
script:
  description: The path of the script.
  returned: with O(state=checked)
  type: str
  sample: /home/alice/jobs/train.sh
ping:
  description: >-
    V(0) if a controller of Slurm answers within 5 seconds; V(124) if it does not, V(127) if there is no C(scontrol), or
    what C(scontrol ping) ended with.
  returned: with O(state=checked)
  type: int
  sample: 0
summary:
  description: The job on one line.
  returned: always
  type: str
  sample: job 4711 (train) ended with exit code 0 (COMPLETED, on titan01)
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._common.exit import answer
from ..module_utils._files.progress import PROGRESS_OPTION, Progress
from ..module_utils._slurm.job.call import Options
from ..module_utils._slurm.job.declare import Work


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
            relies_on={"type": "list", "elements": "path", "default": []},
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
