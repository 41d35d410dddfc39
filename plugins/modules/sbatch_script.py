#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sbatch_script
short_description: Write a Slurm job script
version_added: 1.0.0
author: hpc.pytorch contributors (@hpc-pytorch)
description:
  - Writes a job script from the options of sbatch, under their long names with underscores. It refuses options that
    sbatch would not accept, that contradict each other, or that are misspelt.
  - Every value is quoted for its reader, sbatch in directives and bash in commands, so that no value becomes another
    directive or a command. A value that cannot be quoted is refused.
  - If Slurm answers, a job that the cluster cannot run is refused as well, see O(check_cluster).
  - 'The job expands variables in O(exports), O(container), O(venv), O(uv_project), O(conda_env), O(conda_prefix),
    O(modules_use), O(launcher_options) and O(srun_options): C($SCRATCH), C(${SCRATCH}), and with a default
    C(${SLURM_TMPDIR:-/tmp/$USER}). C(\$SCRATCH) is the text C($SCRATCH). Every other C($) is text, also that of command
    substitutions. A variable that is not set ends the job. Variables in directives are refused, as sbatch does not
    expand them.'
  - C(bash -n) checks the script before it is written. The module warns about scripts that would run but probably not do
    what you meant; the filter P(hpc.pytorch.sbatch_lint#filter) reports the same mistakes in scripts by others.
options:
  dest:
    description:
      - The script, an absolute path. O(make_folder) decides whether a missing folder is made.
      - If O(dest) is a symbolic link, the link is kept and its target is replaced, by one rename.
      - As root, a place where another user can write is refused. In a sticky folder such as C(/tmp) root may replace
        only files of its own.
    type: path
    required: true
  kind:
    description:
      - The kind of job. Counts that contradict it are refused, and missing counts are added to the directives.
      - V(single) runs O(command) once, on the first node.
      - V(multi_gpu) runs one process for each GPU of one node, with C(torchrun --standalone).
      - V(multi_node) runs one process for each GPU of every node, with one C(srun) task and one C(torchrun) per node.
        The processes connect to the first node, at a port that depends on the job's id.
      - V(lightning) runs one C(srun) task for each GPU, as Lightning expects when C(devices) and C(num_nodes) have the
        same counts.
      - V(array) is V(single) for each index of O(array).
    type: str
    choices:
      - single
      - multi_gpu
      - multi_node
      - lightning
      - array
    default: single
  style:
    description:
      - V(current) stops at the first failure, activates the environment from any submitting shell, refuses an
        environment whose last change was interrupted, and also runs with plain C(bash) without Slurm. The job's exit
        code is that of O(command), or that of O(post) after a command that succeeded.
      - V(guide) is C(test.sh) of the cluster's user guide, command for command. It refuses every option that the guide
        does not use.
    type: str
    choices:
      - current
      - guide
    default: current
  launcher:
    description:
      - The program that starts O(command). By default V(torchrun) for O(kind=multi_gpu) and O(kind=multi_node),
        otherwise V(none).
      - With a launcher, O(srun), O(container) or O(checkpoint_seconds), each line of O(command) is one program that
        they start; put shell code in O(pre) and O(post). C(python train.py) is right for every launcher. A launcher
        that starts Python itself gets C(train.py).
      - V(torch.distributed.launch) is for torch before 1.10, which has no C(torchrun).
      - V(accelerate) gets C(--multi_gpu) for several processes, unless O(launcher_options) choose another way to
        distribute (C(use_fsdp), C(use_deepspeed), C(config_file), ...). In a job without GPUs the script sets
        C(ACCELERATE_USE_CPU).
      - V(deepspeed) is for one node.
    type: str
    choices:
      - none
      - torchrun
      - torch.distributed.run
      - torch.distributed.launch
      - accelerate
      - deepspeed
      - mpirun
  launcher_options:
    description:
      - 'More options of the launcher, added after the generated ones: a dictionary (V(true) for a flag), or a list of
        C(--name=value).'
    type: raw
  srun:
    description:
      - Whether C(srun) starts O(command) in a job; with plain C(bash) it is left out. By default if the kind, the
        container engine or O(checkpoint_seconds) needs it.
    type: bool
  srun_options:
    description:
      - 'More options of C(srun), such as C(cpu-bind) or C(label): a dictionary (V(true) for a flag), or a list of
        C(--name=value).'
      - O(cpus_per_task) is passed on without an entry here.
      - With C(ntasks-per-node) or C(ntasks) the step has other counts than the job, such as one C(torchrun) on each
        node in a job of four tasks a node. Its tasks then share the CPUs of all of the job's.
    type: raw
  nproc_per_node:
    description:
      - Number of processes on each node. By default one for each requested GPU, or for each GPU that Slurm allocated.
    type: int
  rendezvous:
    description:
      - How the processes find each other. V(standalone) is for one node; V(c10d) uses the first node of the job;
        V(static) uses the first node and numbers the nodes; V(env) sets C(MASTER_ADDR) and C(MASTER_PORT), and in each
        process that C(srun) or C(mpirun) starts C(RANK), C(LOCAL_RANK) and C(WORLD_SIZE); V(none) does nothing.
      - The default depends on the kind and the launcher. A rendezvous at which the processes would not meet is refused.
    type: str
    choices:
      - standalone
      - c10d
      - static
      - env
      - none
  rendezvous_port:
    description:
      - A fixed port, for sites with few open ports. Two jobs on a node cannot share one. By default it depends on the
        job's id.
    type: int
  checkpoint_seconds:
    description:
      - Seconds before the time limit at which O(command) gets C(SIGUSR1), from 1 to 65535 and less than O(time). The
        command writes a checkpoint and ends with 0; the job then goes back into the queue. Sets O(signal), O(requeue)
        and O(open_mode).
      - With O(kind=lightning) Lightning's own handler does both.
      - A job that Slurm preempts with a grace time goes back into the queue too. For its checkpoint Slurm sends
        C(SIGTERM) to what C(srun) started, or C(SIGUSR1) as before where C(SlurmctldParameters) has
        C(preempt_send_user_signal).
    type: int
  command:
    description:
      - 'The commands of the job: lines of shell, as text or as a list of lines.'
    type: raw
    required: true
  pre:
    description:
      - Lines of shell before O(command), as text or as a list.
    type: raw
  post:
    description:
      - Lines of shell after O(command), as text or as a list. With O(style=current) they run only if it succeeded.
    type: raw
  always:
    description:
      - Lines of shell that run last, after a failure too, to copy results back for example. The job's exit code stays
        that of its failure; after success it is theirs.
      - They also run before O(checkpoint_seconds) puts the job back into the queue, and after C(SIGTERM). A job that
        Slurm kills has the site's C(KillWait) for them, often 30 seconds.
    type: raw
  once_per_node:
    description:
      - Programs that run once on each node after O(pre) and before O(command), one a line, to install a package or to
        copy data for example. C(srun) starts them, in the image of O(container) if there is one; O(srun_options) and
        the launcher are for O(command) alone.
    type: raw
  login_shell:
    description:
      - Whether a login shell runs the script (C(#!/bin/bash -l)), which reads the profile of the site and of the user.
    type: bool
    default: false
  conda_prefix:
    description:
      - Prefix of the conda installation. A leading C(~) is the home directory of the user who runs the job.
    type: str
  conda_env:
    description:
      - 'The conda environment of the job: a name, or an absolute path. A leading C(~) is the home directory of the user
        who runs the job.'
      - A name is resolved when the job starts, so a running job keeps its environment when the name gets another
        target.
    type: str
  activation:
    description:
      - How O(style=current) activates O(conda_env).
      - V(conda) sources C(etc/profile.d/conda.sh) in O(conda_prefix). The default with O(conda_prefix).
      - 'V(direct) needs no conda: it puts the C(bin) folder of the environment first on PATH and runs its activation
        hooks. A name is searched for in C(~/.conda/envs), then in O(conda_prefix). The default for a path without
        O(conda_prefix).'
      - V(module) uses the C(activate) that O(modules) put on PATH. The default otherwise.
      - An environment that is active in the submitting shell is deactivated first, before the modules are loaded. If in
        the end another C(python) than the environment's is the first on PATH, the job stops with an error.
    type: str
    choices:
      - conda
      - module
      - direct
  venv:
    description:
      - The virtual environment of the job, an absolute path. A leading C(~) is the home directory of the user who runs
        the job.
    type: str
  uv_project:
    description:
      - The folder of a uv project. The job runs in its C(.venv). Run C(uv sync) on a login node first.
    type: str
  container:
    description:
      - The image that O(command) runs in, and the engine that runs it. O(pre) and O(post) run outside.
    type: dict
    suboptions:
      image:
        description:
          - A file, a folder (charliecloud) or a name that the engine knows, such as C(docker://...) or, for pyxis,
            C(nvcr.io#nvidia/pytorch:24.01-py3).
        type: str
        required: true
      engine:
        description:
          - The container engine. V(pyxis) is a plugin of C(srun).
        type: str
        choices:
          - apptainer
          - singularity
          - charliecloud
          - enroot
          - pyxis
        default: apptainer
      mounts:
        description:
          - Folders of the node to mount in the image, C(SOURCE[:TARGET[:ro]]).
        type: list
        elements: str
      workdir:
        description:
          - Folder that the command starts in. By default the job's own folder, mounted at the same path (with
            charliecloud, at C(/mnt/0)).
        type: str
      gpu:
        description:
          - Whether the container sees the GPUs and their driver, V(true) or V(false), or whose GPUs they are, V(nvidia)
            (as V(true)) or V(amd) (C(--rocm), for apptainer, singularity and charliecloud). By default V(true) if the
            job requests GPUs. For charliecloud NVIDIA's driver must be in the image already (C(ch-fromhost --nvidia)).
        type: raw
      options:
        description:
          - More arguments for the engine, or for C(srun) with pyxis.
        type: list
        elements: str
  modules:
    description:
      - Environment modules to load first, in this order. The command C(module) is found in batch shells too.
      - An entry may be another command of C(module), which runs at its place, such as V(reset), V(restore NAME),
        V(unload NAME) or V(swap OLD NEW). At the beginning V(reset), V(restore) and V(purge) come
        before O(modules_use).
    type: list
    elements: str
  modules_use:
    description:
      - Folders of modulefiles to use before O(modules) are loaded, in this order.
    type: list
    elements: str
  modules_purge:
    description:
      - Whether to unload the modules of the submitting shell first.
    type: bool
    default: false
  slurm_version:
    description:
      - The version of the cluster's Slurm, such as V("18.08"). Before 19.05 O(gpus_per_node) becomes C(--gres), and
        options that such a Slurm does not have are refused; warnings are those that concern it. By default the version
        that O(check_cluster) finds.
    type: str
  check_cluster:
    description:
      - Whether to query Slurm for the cluster's partitions and nodes, and to refuse a job that none of the named
        partitions can run.
      - V(auto) checks only if Slurm answers within seconds; V(true) requires an answer.
    type: str
    choices:
      - auto
      - "true"
      - "false"
    default: auto
  exports:
    description:
      - 'Variables for the job, set in this order after the environment is active: a dictionary, or a list of
        C(NAME=value).'
    type: raw
  directives:
    description:
      - 'Directives without an option here, such as those of a site''s own plugins: a dictionary (V(true) for a flag),
        or a list of C(--name=value).'
      - A misspelt directive, or one that has an option of its own, is refused.
    type: raw
  make_folder:
    description:
      - Whether to make the folder of the script if it is missing. Otherwise a missing folder is an error.
    type: bool
    default: false
  mode:
    description:
      - Permissions of the script, as in M(ansible.builtin.copy). By default a new script gets C(0755) minus the umask,
        and an existing script keeps its permissions.
    type: raw
  owner:
    description:
      - Owner of the script.
    type: str
  group:
    description:
      - Group of the script.
    type: str
  files:
    description:
      - Files to write next to the script, after it, with mode V(0644), and with O(owner) and O(group) if given.
      - They are written as M(hpc.pytorch.host_files) does it, so as root only where no other user can write. If a file
        cannot be written, the script stays.
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - Name of the file in the folder of O(dest).
        type: str
        required: true
      src:
        description:
          - The content as a file on the controller, below C(files/) of the role or playbook.
        type: str
      content:
        description:
          - The text of the file.
        type: str
      content_base64:
        description:
          - The content of the file in base64, if it is not text.
        type: str
  # >>> generated: options of sbatch
  job_name:
    description:
      - Name of the job.
    type: str
  nodes:
    description:
      - Number of nodes, or minimum-maximum.
    type: str
  ntasks:
    description:
      - Number of tasks that C(srun) starts. One process with 16 CPUs is O(ntasks=1) and O(cpus_per_task=16), not
        O(ntasks=16).
    type: int
  ntasks_per_node:
    description:
      - Number of tasks on each node.
    type: int
  ntasks_per_core:
    description:
      - Largest number of tasks on a core.
    type: int
  ntasks_per_gpu:
    description:
      - Number of tasks for each GPU; with it the job has O(ntasks) or GPUs, and Slurm computes the other.
    type: int
  cpus_per_task:
    description:
      - Number of CPUs for each task. With O(style=current) the script passes the number on to C(srun), and to OpenMP,
        where the processes of a launcher share the CPUs.
    type: int
  cpus_per_gpu:
    description:
      - Number of CPUs for each GPU.
    type: int
  threads_per_core:
    description:
      - Number of threads that each core must have.
    type: int
  partition:
    description:
      - Partition, or several with commas.
    type: str
  clusters:
    description:
      - Cluster, or several with commas.
    type: str
  gres:
    description:
      - Generic resources per node, such as V(gpu:1) or V(gpu:titan:2,nvme:100).
    type: str
  gpus:
    description:
      - GPUs of the whole job, V([type:]number).
    type: str
  gpus_per_node:
    description:
      - GPUs per node, V([type:]number).
    type: str
  gpus_per_task:
    description:
      - GPUs per task, V([type:]number).
    type: str
  gpu_bind:
    description:
      - How tasks are bound to GPUs.
    type: str
  gres_flags:
    description:
      - Flags for generic resources, such as V(enforce-binding).
    type: str
  mem:
    description:
      - Memory per node, such as V(32G). V(0) is all of it.
    type: str
  mem_per_cpu:
    description:
      - Memory per CPU.
    type: str
  mem_per_gpu:
    description:
      - Memory per GPU.
    type: str
  time:
    description:
      - 'Time limit: minutes, V(M:S), V(H:M:S), V(D-H), V(D-H:M) or V(D-H:M:S). Put it in quotes, because YAML reads
        V(1:30:00) as a number.'
    type: raw
  account:
    description:
      - Account that the job is charged to.
    type: str
  qos:
    description:
      - Quality of service.
    type: str
  reservation:
    description:
      - Reservation, or several with commas.
    type: str
  constraint:
    description:
      - Features that the nodes must have, such as V(v100|a100).
    type: str
  licenses:
    description:
      - Licenses that the job uses.
    type: str
  nodelist:
    description:
      - Nodes that the job must get.
    type: str
  exclude:
    description:
      - Nodes that the job must not get.
    type: str
  exclusive:
    description:
      - V(true) for whole nodes; V(user), V(mcs) or V(topo) restrict who may share them.
    type: raw
  distribution:
    description:
      - How tasks are distributed over nodes, sockets and cores.
    type: str
  hint:
    description:
      - What limits the speed of the job.
    type: str
    choices:
      - compute_bound
      - memory_bound
      - multithread
      - nomultithread
  mem_bind:
    description:
      - How tasks are bound to memory.
    type: str
  overcommit:
    description:
      - V(true) allots one CPU for each node, and starts more tasks than CPUs.
    type: bool
  array:
    description:
      - Indices of a job array, such as V(0-9%4).
    type: str
  dependency:
    description:
      - Jobs that this job waits for, such as V(afterok:4711).
    type: str
  signal:
    description:
      - Signal that Slurm sends before the time limit, such as V(B:USR1@120).
    type: str
  requeue:
    description:
      - V(true) lets Slurm start the job again after a node failed or a job of higher priority preempted it.
    type: bool
  no_requeue:
    description:
      - V(true) forbids Slurm to start the job again.
    type: bool
  open_mode:
    description:
      - Whether output is appended to an existing file.
    type: str
    choices:
      - append
      - truncate
  wait_all_nodes:
    description:
      - V(1) starts the script when all nodes are up.
    type: int
    choices:
      - 0
      - 1
  output:
    description:
      - File for the output of the job; V(%j) is the job's id, V(%x) its name. The folder must exist.
    type: str
  error:
    description:
      - File for the errors of the job. By default they go to the file of O(output).
    type: str
  chdir:
    description:
      - Folder that the job starts in. By default the folder that it is submitted from.
    type: str
  export:
    description:
      - 'Which variables of the submitting shell reach the job: V(ALL), V(NONE), V(NIL) or names. See also O(exports).'
    type: str
  mail_type:
    description:
      - Events for which Slurm sends mail, such as V(END,FAIL).
    type: str
  mail_user:
    description:
      - Who gets the mail.
    type: str
  comment:
    description:
      - A comment, stored with the job.
    type: str
  # <<< generated: options of sbatch
attributes:
  action_group:
    description: Use C(group/hpc.pytorch.all) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - hpc.pytorch.all
  check_mode:
    description: Checks all values and returns RV(content) without changing the target.
    support: full
  diff_mode:
    description: Shows how the script and O(files) change.
    support: full
notes:
  - The values of O(exports) and O(files) are visible in the result, and in the script and the files to everyone who may
    read them. Keep secrets in a file that O(pre) reads.
"""

EXAMPLES = r"""
- name: A job for one GPU
  hpc.pytorch.sbatch_script:
    dest: "{{ ansible_facts['user_dir'] }}/train.sh"
    job_name: train
    nodes: "1"
    ntasks: 1
    cpus_per_task: 16
    partition: titan
    gres: gpu:1
    mem: 32G
    time: "12:00:00"
    output: "%x-%j.out"
    conda_prefix: /opt/app/anaconda3
    conda_env: torch
    command: python train.py

- name: A job for one GPU, and next to it the program that it runs
  hpc.pytorch.sbatch_script:
    dest: "{{ ansible_facts['user_dir'] }}/train/job.sh"
    make_folder: true
    gres: gpu:1
    cpus_per_task: 8
    mem: 32G
    time: "1:00:00"
    conda_env: ~/.conda/envs/torch
    command: python train.py
    files:
      - name: train.py
        src: train.py

- name: The test.sh of a cluster's user guide
  hpc.pytorch.sbatch_script:
    dest: "{{ ansible_facts['user_dir'] }}/test.sh"
    style: guide
    job_name: test
    nodes: "1"
    ntasks: 16
    partition: titan
    gres: gpu:1
    conda_prefix: /opt/app/anaconda3
    conda_env: torch
    command: python pytorch_test.py

- name: Four GPUs on each of two nodes, with a checkpoint before the time limit
  hpc.pytorch.sbatch_script:
    dest: /home/alice/jobs/ddp.sh
    kind: multi_node
    job_name: ddp
    nodes: "2"
    gpus_per_node: "4"
    cpus_per_task: 32
    mem: 128G
    time: 1-00:00:00
    output: "%x-%j.out"
    checkpoint_seconds: 120
    conda_env: ~/.conda/envs/torch
    command: python train.py

- name: Lightning, with Trainer(accelerator="gpu", devices=8, num_nodes=4, strategy="ddp")
  hpc.pytorch.sbatch_script:
    dest: /home/alice/jobs/lightning.sh
    kind: lightning
    nodes: "4"
    gres: gpu:8
    cpus_per_task: 8
    mem: 256G
    time: "12:00:00"
    conda_env: ~/.conda/envs/torch
    command: python train.py

- name: A job in a container
  hpc.pytorch.sbatch_script:
    dest: /home/alice/jobs/image.sh
    gres: gpu:1
    cpus_per_task: 8
    mem: 32G
    time: "1:00:00"
    modules_purge: true
    modules: [apptainer]
    container:
      image: /images/pytorch.sif
      mounts: [/data:/data:ro]
    command: python train.py

- name: Accelerate on two nodes, in an image on the scratch file system that the job knows
  hpc.pytorch.sbatch_script:
    dest: /home/alice/jobs/scratch.sh
    kind: multi_node
    launcher: accelerate
    nodes: "2"
    gpus_per_node: "4"
    cpus_per_task: 32
    mem: 128G
    time: "12:00:00"
    output: "%x-%j.out"
    container:
      image: $SCRATCH/images/torch.sif
      mounts: ["$SCRATCH/data:/data:ro"]
    exports:
      TORCH_HOME: ${SLURM_TMPDIR:-/tmp/$USER}/torch
    command: python train.py --data /data --output results
    always: cp -r results "$SCRATCH/results-$SLURM_JOB_ID"

- name: One torchrun on each node of a job with four tasks a node
  hpc.pytorch.sbatch_script:
    dest: /home/alice/jobs/step.sh
    kind: multi_node
    nodes: "2"
    gpus_per_node: "4"
    ntasks_per_node: 4
    cpus_per_task: 8
    mem: 128G
    time: "12:00:00"
    output: "%x-%j.out"
    srun_options:
      ntasks-per-node: 1
    modules: [reset, swap gcc gcc/12, cuda/12.4]
    venv: $HOME/envs/torch
    command: python train.py

- name: Other options of sbatch, commands before the main one, an environment without conda
  hpc.pytorch.sbatch_script:
    dest: /home/alice/jobs/eval.sh
    job_name: eval
    cpus_per_task: 4
    mem: 16G
    time: "1:00:00"
    directives:
      begin: now+1hour
    conda_env: ~/.conda/envs/torch
    exports:
      DATASET: /data/digits
    pre:
      - mkdir -p results
    command:
      - python eval.py
      - python plot.py
"""

RETURN = r"""
content:
  description: The whole script.
  returned: success
  type: str
directives:
  description:
    - The directives in the order of the script, by the names that sbatch uses; V(true) is a flag.
  returned: success
  type: dict
  sample: {"job-name": "train", "nodes": "1", "gres": "gpu:1", "requeue": true}
dest:
  description: Path of the script.
  returned: success
  type: str
files:
  description: Each of O(files), in their order, as RV(hpc.pytorch.host_files#module:files).
  returned: success
  type: list
  elements: dict
  sample: [{"path": "/home/alice/train/train.py", "state": "file", "changed": true}]
folder_made:
  description: Whether the folder of the script was made, or would be made in check mode.
  returned: success
  type: bool
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hpc.pytorch.plugins.module_utils._common.exit import answer
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch.table import OPTIONS
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script.activation import ACTIVATIONS
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script.declare import declare
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script.extra_files import ELEMENT
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script.images import ENGINES
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script.parameters import options_of
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script.render import STYLES
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script.start.plan import KINDS, LAUNCHERS, RENDEZVOUS


def argument_spec() -> dict[str, dict[str, t.Any]]:
    """The options of the module: its own, and those of sbatch."""
    spec: dict[str, dict[str, t.Any]] = {
        "dest": {"type": "path", "required": True},
        "kind": {"type": "str", "choices": list(KINDS), "default": "single"},
        "style": {"type": "str", "choices": list(STYLES), "default": "current"},
        "launcher": {"type": "str", "choices": list(LAUNCHERS)},
        "launcher_options": {"type": "raw"},
        "srun": {"type": "bool"},
        "srun_options": {"type": "raw"},
        "nproc_per_node": {"type": "int"},
        "rendezvous": {"type": "str", "choices": list(RENDEZVOUS)},
        "rendezvous_port": {"type": "int"},
        "checkpoint_seconds": {"type": "int"},
        "command": {"type": "raw", "required": True},
        "pre": {"type": "raw"},
        "post": {"type": "raw"},
        "always": {"type": "raw"},
        "once_per_node": {"type": "raw"},
        "login_shell": {"type": "bool", "default": False},
        "conda_prefix": {"type": "str"},
        "conda_env": {"type": "str"},
        "activation": {"type": "str", "choices": list(ACTIVATIONS)},
        "venv": {"type": "str"},
        "uv_project": {"type": "str"},
        "container": {
            "type": "dict",
            "options": {
                "image": {"type": "str", "required": True},
                "engine": {"type": "str", "choices": list(ENGINES), "default": ENGINES[0]},
                "mounts": {"type": "list", "elements": "str"},
                "workdir": {"type": "str"},
                "gpu": {"type": "raw"},
                "options": {"type": "list", "elements": "str"},
            },
        },
        "modules": {"type": "list", "elements": "str"},
        "modules_use": {"type": "list", "elements": "str"},
        "modules_purge": {"type": "bool", "default": False},
        "slurm_version": {"type": "str"},
        "check_cluster": {"type": "str", "choices": ["auto", "true", "false"], "default": "auto"},
        "exports": {"type": "raw"},
        "directives": {"type": "raw"},
        "make_folder": {"type": "bool", "default": False},
        "mode": {"type": "raw"},
        "owner": {"type": "str"},
        "group": {"type": "str"},
        "files": {"type": "list", "elements": "dict", "options": ELEMENT},
    }
    for option in OPTIONS:
        spec[option.name] = {"type": option.type}
        if option.choices:
            spec[option.name]["choices"] = list(option.choices)
    return spec


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    answer(module, lambda: declare(module, options_of(module.params)))


if __name__ == "__main__":
    main()
