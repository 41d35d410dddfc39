# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reaches a compute node through a running allocation of the user."""

from __future__ import annotations

DOCUMENTATION = r"""
name: srun
short_description: Reach a compute node through a running Slurm allocation
version_added: 1.0.0
author:
  - hpc.pytorch contributors (@hpc-pytorch)
description:
  - Runs tasks on the nodes of the user's own job, as an ordinary user who may not log in there. Every command is a
    step of that job. C(srun) starts it on the machine that Ansible runs on, which is a login node of the cluster.
  - The plugin neither makes the allocation nor ends it. A playbook does that, with C(salloc --no-shell) and a short
    time limit first, and C(scancel) in C(always); see the example.
  - Modules are piped to the node (pipelining) if the configuration allows it. Files go through the standard streams
    of a step, so no folder has to be shared.
  - C(become) is refused. A step runs as the user who owns the job, and Slurm cannot change that.
  - If the job does not run, or does not have the node, the host is unreachable, and the message contains that of
    C(srun).
options:
  host:
    description: The node's name in Slurm.
    type: str
    default: inventory_hostname
    vars:
      - name: inventory_hostname
      - name: ansible_host
      - name: ansible_srun_node
  job_id:
    description: The running job that has the node.
    type: str
    vars:
      - name: ansible_srun_job_id
    env:
      - name: HPC_PYTORCH_SRUN_JOB_ID
  executable:
    description:
      - The C(srun) to run. Words before it are a command that runs it elsewhere and passes its arguments on unchanged.
    type: str
    default: srun
    vars:
      - name: ansible_srun_executable
    ini:
      - section: srun_connection
        key: executable
  arguments:
    description: More options of C(srun), quoted as in a shell.
    type: str
    default: ""
    vars:
      - name: ansible_srun_arguments
    ini:
      - section: srun_connection
        key: arguments
  timeout:
    description: How many seconds a step may wait before it starts.
    type: int
    default: 60
    vars:
      - name: ansible_srun_timeout
    ini:
      - section: srun_connection
        key: timeout
  pipelining:
    description: Whether to pipe modules to the node instead of copying them there first.
    type: bool
    default: true
    vars:
      - name: ansible_pipelining
      - name: ansible_srun_pipelining
notes:
  - Steps share the job's resources (C(--overlap)) from Slurm 20.11 on. Before that, only one step runs at a time.
"""

EXAMPLES = r"""
- name: Check the nodes of a job
  hosts: titan
  gather_facts: false
  tasks:
    - name: Use an allocation
      block:
        - name: Allocate the nodes
          ansible.builtin.command:
            argv: [salloc, --no-shell, --job-name=ask, --time=10, "--nodelist={{ ansible_play_hosts | join(',') }}"]
          delegate_to: localhost
          run_once: true
          register: __allocated
          changed_when: true

        - name: Check torch
          hpc.pytorch.torch_info:
            prefix: ~/.conda/envs/torch
          vars:
            ansible_connection: hpc.pytorch.srun
            ansible_srun_job_id: "{{ __allocated.stderr | regex_search('job allocation ([0-9]+)', '\\1') | first }}"
      always:
        - name: Release it
          ansible.builtin.command:
            argv: [scancel, --name=ask, --me]
          delegate_to: localhost
          run_once: true
          changed_when: true
"""

import os
import re
import shlex
import typing as t
import uuid

from ansible.errors import AnsibleConnectionFailure, AnsibleError, AnsibleFileNotFound
from ansible.module_utils.common.text.converters import to_bytes, to_text
from ansible.plugins.connection import ConnectionBase
from ansible.utils.display import Display
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError, shown
from ansible_collections.hpc.pytorch.plugins.module_utils._common.lines import lines_of
from ansible_collections.hpc.pytorch.plugins.module_utils._common.process import PIPE, start

display = Display()

# The variables that a login would set; the rest of the controller's variables is not passed on.
_EXPORTED = "HOME,USER,LOGNAME,SHELL,PATH,TERM,LANG,LC_ALL"
# Variables of an allocation that Ansible itself runs in; srun would read them as options.
_FOREIGN = re.compile(r"(SLURM_(?!CONF$)|SRUN_|SLURMD_|SALLOC_|SBATCH_)")
# srun's message about the exit code of the command.
_CHATTER = re.compile(
    rb"^srun: error: \S+: task 0: (Exited with exit code \d+|Killed|Terminated|Segmentation fault.*)\r?\n", re.MULTILINE
)


class Connection(ConnectionBase):
    """Steps of a running job."""

    transport = "hpc.pytorch.srun"
    has_pipelining = True
    has_tty = False

    def _connect(self) -> Connection:
        # Each command is a step of its own: there is nothing to open.
        if self.become is not None:
            problem = UserError(
                "no become with connection srun",
                "become method %s" % self.become.name,
                "leave become out, since a step runs as the user who owns the job",
            )
            raise AnsibleError(str(problem))
        if not re.fullmatch(r"[0-9]+([_+][0-9]+)?", self.get_option("job_id") or ""):
            problem = UserError(
                "ansible_srun_job_id to be the number of a running job",
                shown(self.get_option("job_id")),
                "allocate first (salloc --no-shell) and set it to the job's number",
            )
            raise AnsibleConnectionFailure(str(problem))
        self._connected = True
        return self

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        return self._step(cmd, to_bytes(in_data, nonstring="passthru") or b"")

    def put_file(self, in_path: str, out_path: str) -> None:
        super().put_file(in_path, out_path)
        display.vvv("PUT %s TO %s" % (in_path, out_path), host=self.get_option("host"))
        if not os.path.exists(to_bytes(in_path, errors="surrogate_or_strict")):
            raise AnsibleFileNotFound("file or module does not exist: %s" % in_path)
        with open(to_bytes(in_path, errors="surrogate_or_strict"), "rb") as stream:
            code, _out, err = self._step("cat > %s" % shlex.quote(out_path), stream)
        if code:
            raise AnsibleError(
                "failed to write %s on %s: %s" % (out_path, self.get_option("host"), to_text(err).strip())
            )

    def fetch_file(self, in_path: str, out_path: str) -> None:
        super().fetch_file(in_path, out_path)
        display.vvv("FETCH %s TO %s" % (in_path, out_path), host=self.get_option("host"))
        with open(to_bytes(out_path, errors="surrogate_or_strict"), "wb") as stream:
            code, _out, err = self._step("cat %s" % shlex.quote(in_path), b"", stream)
        if code:
            os.unlink(to_bytes(out_path, errors="surrogate_or_strict"))
            raise AnsibleError("failed to read %s on %s: %s" % (in_path, self.get_option("host"), to_text(err).strip()))

    def close(self) -> None:
        self._connected = False

    def _step(self, command: str, given: t.Any, output: t.Any = PIPE, overlap: bool = True) -> tuple[int, bytes, bytes]:
        """Run a command on the node: its exit code, standard output and standard error.

        :arg given: its standard input, bytes or an open file.
        :arg output: where its standard output goes.
        """
        sign = uuid.uuid4().hex
        # Both signs come through standard error: without the first one the command was never started, without the
        # second one it was cut off.
        script = 'cd "$HOME" 2>/dev/null; echo %s+ >&2; ( %s\n); code=$?; echo "%s-$code" >&2; exit $code' % (
            sign,
            command,
            sign,
        )
        argv = self._argv(overlap) + ["/bin/sh", "-c", script]
        display.vvv("EXEC %s" % shlex.join(argv), host=self.get_option("host"))
        is_file = not isinstance(given, bytes)
        try:
            with start(
                argv, self._environment(), stdin=given if is_file else PIPE, stdout=output, stderr=PIPE
            ) as process:
                out, err = process.communicate(None if is_file else given)
        except OSError as error:
            problem = UserError(
                "an executable srun at %s" % argv[0],
                error.strerror or str(error),
                "run Ansible on a login node, or set ansible_srun_executable",
            )
            raise AnsibleConnectionFailure(str(problem)) from error
        begun = re.search(rb"^%s\+\r?\n" % sign.encode(), err, re.MULTILINE)
        ended = re.search(rb"^%s-(\d+)\r?\n" % sign.encode(), err, re.MULTILINE)
        if begun and ended:
            own = err[: begun.start()] + err[begun.end() : ended.start()] + err[ended.end() :]
            return int(ended.group(1)), out or b"", _CHATTER.sub(b"", own)
        messages = [line for line in lines_of(to_text(err)) if line.strip() and sign not in line]
        if not begun and overlap and any("unrecognized option" in line and "overlap" in line for line in messages):
            return self._step(command, given, output, overlap=False)
        job, node = self.get_option("job_id"), self.get_option("host")
        problem = UserError(
            "a step of job %s on node %s%s" % (job, node, " that is not cut off" if begun else ""),
            "; ".join(messages if len(messages) <= 6 else messages[:3] + messages[-3:])
            or "srun ended with exit code %d and printed nothing" % process.returncode,
            _remedy(messages, job),
        )
        raise AnsibleConnectionFailure(str(problem))

    def _argv(self, overlap: bool) -> list[str]:
        """srun and its options."""
        return [
            *shlex.split(self.get_option("executable")),
            "--jobid=%s" % self.get_option("job_id"),
            "--nodes=1",
            "--ntasks=1",
            "--nodelist=%s" % self.get_option("host"),
            *(["--overlap"] if overlap else []),
            "--immediate=%d" % self.get_option("timeout"),
            "--quit-on-interrupt",
            "--chdir=/",
            "--mpi=none",
            "--export=%s" % _EXPORTED,
            *shlex.split(self.get_option("arguments")),
        ]

    @staticmethod
    def _environment() -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if not _FOREIGN.match(name)}


def _remedy(messages: t.Sequence[str], job: str) -> str:
    """What to do about a step that srun did not start, by its messages."""
    text = "\n".join(messages)
    if "CPU binding outside of job step allocation" in text or "Unable to satisfy cpu bind request" in text:
        return "set ansible_srun_arguments to --cpu-bind=none, so that the step may use any CPU of the job"
    if "More processors requested than permitted" in text:
        return "ask for no more CPUs than job %s has on the node (ansible_srun_arguments), or allocate more" % job
    return "check that the job runs and has the node (squeue --jobs=%s), and allocate again if its time is over" % job
