#!/usr/bin/python
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sbatch_script
short_description: Write a Slurm job script
version_added: 0.1.0
author: hpc.pytorch contributors (@hpc-pytorch)
description:
  - Writes a job script from sbatch's own options, by their long names with underscores, and refuses what sbatch would
    not take, what contradicts itself and what is misspelt.
  - Every value is quoted the way its reader unquotes it, sbatch in directives and bash in commands, so that no value
    becomes another directive or a command. What no quoting can carry is refused.
  - What the cluster cannot run is refused as well, where its Slurm answers, O(check_cluster).
  - The script is checked with C(bash -n) before it is written. Of what would run and is likely not meant it warns; the filter
    P(hpc.pytorch.sbatch_lint#filter) says the same of scripts that others have written.
options:
  dest:
    description:
      - Where the script goes, an absolute path. Its folder must exist.
      - A symbolic link there is kept and its target replaced, by one rename.
    type: path
    required: true
  kind:
    description:
      - What the job is. Counts that contradict it are refused, and those it needs are added to the directives.
      - V(single) runs O(command) once, on the first node.
      - V(multi_gpu) runs a process for each GPU of one node, by C(torchrun --standalone).
      - V(multi_node) runs them on every node, by C(srun) and C(torchrun), one of each for a node. They meet at the first node,
        at a port from the job's id.
      - V(lightning) runs a task for each GPU by C(srun), as Lightning wants it with C(devices) and C(num_nodes) of the same counts.
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
      - V(current) stops at the first failure, activates the env whatever shell submits it, refuses an env whose last
        change was interrupted, and also runs with plain C(bash) where there is no Slurm. The exit code of O(command)
        is the job's, or that of O(post) after a command that succeeded.
      - V(guide) is the founding guide's C(test.sh), command for command, and takes none of the options that came later.
    type: str
    choices:
      - current
      - guide
    default: current
  launcher:
    description:
      - What starts O(command). By default V(torchrun) for O(kind=multi_gpu) and O(kind=multi_node), otherwise V(none).
      - With a launcher, O(srun), O(container) or O(checkpoint_seconds), each line of O(command) is one program, which they start;
        shell goes in O(pre) and O(post). C(python train.py) is right for every launcher. Those that start Python themselves get
        C(train.py).
      - V(torch.distributed.launch) is for torch before 1.10, which has no C(torchrun).
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
      - 'The launcher''s own options, after ours: a dictionary (V(true) for a flag), or a list of C(--name=value).'
    type: raw
  srun:
    description:
      - Whether C(srun) starts O(command), in a job; with plain C(bash) it is left out. By default where the kind, the container
        engine or O(checkpoint_seconds) need it.
    type: bool
  srun_options:
    description:
      - 'srun''s own options, such as C(cpu-bind) or C(label): a dictionary (V(true) for a flag), or a list of C(--name=value).'
      - O(cpus_per_task) is handed on without being named here.
    type: raw
  nproc_per_node:
    description:
      - How many processes a node runs. By default one for each GPU that is asked for, or as many as Slurm gave it.
    type: int
  rendezvous:
    description:
      - Where the processes find each other. V(standalone) is for one node; V(c10d) is the first node of the job; V(static) is that with
        the number of each node; V(env) sets C(MASTER_ADDR) and C(MASTER_PORT) and no more; V(none) leaves it to others.
      - By default what the kind and the launcher take.
    type: str
    choices:
      - standalone
      - c10d
      - static
      - env
      - none
  rendezvous_port:
    description:
      - A fixed port, where the site has only some open. Two jobs on a node cannot share one. By default it comes from the job's id.
    type: int
  checkpoint_seconds:
    description:
      - How long before the time limit O(command) gets C(SIGUSR1), to write a checkpoint and end with 0; the job then goes back
        into the queue. Sets O(signal), O(requeue) and O(open_mode). In seconds, from 1 to 65535, and less than O(time).
      - With O(kind=lightning) Lightning's own handler does both.
    type: int
  command:
    description:
      - 'What the job runs: lines of shell, as text or as a list of lines.'
    type: raw
    required: true
  pre:
    description:
      - Lines of shell before O(command), as text or as a list.
    type: raw
  post:
    description:
      - Lines of shell after O(command), as text or as a list. With O(style=current) they run only where it succeeded.
    type: raw
  conda_prefix:
    description:
      - Where conda is. A leading C(~) is the home of whoever runs the job.
    type: str
  conda_env:
    description:
      - 'The env that the job runs in: a name, or an absolute path. A leading C(~) is the home of whoever runs the
        job.'
      - A name is resolved when the job starts; nothing changes under a running job when the name comes to mean another
        env.
    type: str
  activation:
    description:
      - How O(style=current) activates O(conda_env).
      - V(conda) reads C(etc/profile.d/conda.sh) of O(conda_prefix), the default where that is given.
      - 'V(direct) needs no conda: it puts the env''s C(bin) first and runs its activation hooks. A name is looked
        for in C(~/.conda/envs), then in O(conda_prefix). The default for a path without O(conda_prefix).'
      - V(module) takes C(activate) from what O(modules) put on PATH, the default otherwise.
    type: str
    choices:
      - conda
      - module
      - direct
  venv:
    description:
      - The venv that the job runs in, an absolute path. A leading C(~) is the home of whoever runs the job.
    type: str
  uv_project:
    description:
      - The folder of a project of uv's, whose C(.venv) the job runs in. Run C(uv sync) on a login node.
    type: str
  container:
    description:
      - The image that O(command) runs in, and what runs it. O(pre) and O(post) run outside.
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
          - What runs it. V(pyxis) is a part of C(srun).
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
          - Folders of the node for the image, C(SOURCE[:TARGET[:ro]]).
        type: list
        elements: str
      workdir:
        description:
          - Folder that the command starts in. By default the job's own, which is mounted at its place, with charliecloud at C(/mnt/0).
        type: str
      gpu:
        description:
          - Whether the GPUs and their driver are in it. By default where the job asks for GPUs. For charliecloud the driver must be in
            the image already (C(ch-fromhost --nvidia)).
        type: bool
      options:
        description:
          - Further arguments of the engine's, or of srun's with pyxis.
        type: list
        elements: str
  modules:
    description:
      - Modules to load first, in this order. The command C(module) is found in batch shells too.
    type: list
    elements: str
  modules_use:
    description:
      - Folders of modulefiles to use before O(modules) are loaded, in this order.
    type: list
    elements: str
  modules_purge:
    description:
      - Whether to unload what the submitting shell had loaded before.
    type: bool
    default: false
  slurm_version:
    description:
      - The cluster's Slurm, such as V("18.08"). Before 19.05 O(gpus_per_node) becomes C(--gres), and what such a Slurm cannot say is
        refused. By default what O(check_cluster) finds.
    type: str
  check_cluster:
    description:
      - Whether to ask the cluster's Slurm what it has, and to refuse a job that no partition of those named can run.
      - With V(auto) only where it answers within seconds; with V(true) it must.
    type: str
    choices:
      - auto
      - "true"
      - "false"
    default: auto
  exports:
    description:
      - 'Variables for the job, in this order, after the env is active: a dictionary, or a list of C(NAME=value).'
      - Values are taken as they are; what the shell shall expand goes in O(pre).
    type: raw
  directives:
    description:
      - 'Directives that have no option here, such as those of a site''s own plugins: a dictionary (V(true) for a
        flag), or a list of C(--name=value).'
      - A misspelt option and one that has an option of its own are refused.
    type: raw
  job_name:
    description:
      - Name of the job.
    type: str
  nodes:
    description:
      - How many nodes, or minimum-maximum.
    type: str
  ntasks:
    description:
      - How many tasks C(srun) starts. One process with 16 CPUs is O(ntasks=1) and O(cpus_per_task=16), not O(ntasks=16).
    type: int
  ntasks_per_node:
    description:
      - How many tasks each node runs.
    type: int
  ntasks_per_core:
    description:
      - How many tasks a core runs at most.
    type: int
  cpus_per_task:
    description:
      - How many CPUs a task gets. With O(style=current) the script hands the number on to C(srun), and to OpenMP, where a launcher's
        processes share them.
    type: int
  cpus_per_gpu:
    description:
      - How many CPUs come with each GPU.
    type: int
  threads_per_core:
    description:
      - How many threads a core must have.
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
      - Flags for generic resources.
    type: str
  mem:
    description:
      - Memory per node, such as V(32G); V(0) is all of it.
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
      - 'Time limit: minutes, V(M:S), V(H:M:S), V(D-H), V(D-H:M) or V(D-H:M:S). In quotes, as YAML makes a number
        of V(1:30:00).'
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
      - Features that the nodes must have.
    type: str
  licenses:
    description:
      - Licenses that the job takes.
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
      - V(true) for whole nodes, or V(user), V(mcs), V(topo) for what may share them.
    type: raw
  distribution:
    description:
      - How tasks are laid out over nodes, sockets and cores.
    type: str
  hint:
    description:
      - What the job is bound by.
    type: str
    choices:
      - compute_bound
      - memory_bound
      - multithread
      - nomultithread
  array:
    description:
      - Indices of a job array, such as V(0-9%4).
    type: str
  dependency:
    description:
      - What the job waits for.
    type: str
  signal:
    description:
      - Signal sent before the time limit, such as V(B:USR1@120).
    type: str
  requeue:
    description:
      - V(true) lets Slurm start the job again after a node failed or a higher job took its place.
    type: bool
  no_requeue:
    description:
      - V(true) forbids that.
    type: bool
  open_mode:
    description:
      - Whether output is appended to a file that is there.
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
      - File for the job's output; V(%j) is the job's id, V(%x) its name. Its folder must exist.
    type: str
  error:
    description:
      - File for the job's errors; with O(output) where this is left out.
    type: str
  chdir:
    description:
      - Folder that the job starts in. Without it, the folder it is submitted from.
    type: str
  export:
    description:
      - 'Which variables of the submitting shell reach the job: V(ALL), V(NONE), V(NIL) or names. See also O(exports).'
    type: str
  mail_type:
    description:
      - When Slurm sends mail.
    type: str
  mail_user:
    description:
      - Who gets it.
    type: str
  comment:
    description:
      - Any remark.
    type: str
  make_folder:
    description:
      - Whether to make the script's folder where it is missing.
    type: bool
    default: false
  mode:
    description:
      - Permissions of the script, as in M(ansible.builtin.copy). Without it a new script gets C(0755) less the umask,
        and one that is there keeps its own.
    type: raw
  owner:
    description:
      - Owner of the script.
    type: str
  group:
    description:
      - Group of the script.
    type: str
attributes:
  action_group:
    description: Use C(group/hpc.pytorch.all) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - hpc.pytorch.all
  check_mode:
    description: Can run without changing the target; all values are checked and RV(content) is returned.
    support: full
  diff_mode:
    description: Shows the difference of the script.
    support: full
notes:
  - Variables in O(exports) stand in the script for everyone who may read it, and in the result. Keep secrets in a file
    that O(pre) reads.
"""

EXAMPLES = r"""
- name: A job for one GPU, as we would write it today
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

- name: The founding guide's test.sh
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

- name: Four GPUs on each of two nodes, with a checkpoint before the time is up
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

- name: In an image
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

- name: Options of a site's own plugin, commands around, an env without conda
  hpc.pytorch.sbatch_script:
    dest: /home/alice/jobs/eval.sh
    job_name: eval
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
    - The directives in the order of the script, by sbatch's names, as sbatch reads them; V(true) is a flag.
  returned: success
  type: dict
  sample: {"job-name": "train", "nodes": "1", "gres": "gpu:1", "requeue": true}
dest:
  description: Where the script is.
  returned: success
  type: str
folder_made:
  description: Whether its folder was made, or would be in check mode.
  returned: success
  type: bool
"""

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hpc.pytorch.plugins.module_utils._common.exit import answer
from ansible_collections.hpc.pytorch.plugins.module_utils._common.files import write_atomically
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.client import read_cluster
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch.table import OPTIONS
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script import target
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script.activation import ACTIVATIONS
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script.containers import ENGINES
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script.kinds import KINDS, LAUNCHERS, RENDEZVOUS
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script.limits import violations
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script.render import STYLES, Script, render


def argument_spec() -> dict[str, dict[str, t.Any]]:
    """The options of the module: its own, and the table's."""
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
                "gpu": {"type": "bool"},
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
    }
    for option in OPTIONS:
        spec[option.name] = {"type": option.type}
        if option.choices:
            spec[option.name]["choices"] = list(option.choices)
    return spec


def write(module: AnsibleModule, script: Script) -> dict[str, t.Any]:
    """Bring the file to the script's content and attributes, or say what would change."""
    dest = module.params["dest"]
    before = target.read(dest)
    changed = before != script.content
    folder_made = not os.path.isdir(os.path.dirname(dest))
    if changed and not module.check_mode:
        os.makedirs(os.path.dirname(dest), exist_ok=True)
        write_atomically(dest, script.content.encode(), default_mode=0o755)
    attributes: dict[str, t.Any] = {}
    if os.path.exists(dest):
        wanted = module.load_file_common_arguments(dict(module.params, path=os.path.realpath(dest)))
        changed = module.set_fs_attributes_if_different(wanted, changed, attributes)
    diff: list[dict[str, t.Any]] = [
        {"before_header": dest, "after_header": dest, "before": before or "", "after": script.content}
    ]
    if attributes.get("before") != attributes.get("after"):
        diff.append(attributes)
    return {"changed": changed, "diff": diff, "dest": dest, "folder_made": folder_made}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    answer(module, lambda: run(module))


def run(module: AnsibleModule) -> dict[str, t.Any]:
    """Check, render, write."""
    asked = module.params["check_cluster"]
    cluster = None if asked == "false" else read_cluster(required=asked == "true")
    script = render(module.params, cluster.version if cluster else None)
    found = violations(script.directives, cluster) if cluster else []
    if found:
        raise found[0]
    target.require_writable(module.params["dest"], may_make_folder=module.params["make_folder"] or module.check_mode)
    target.require_syntax(module, script)
    for warning in [*script.warnings, *target.missing_folders(script.directives, module.params["dest"])]:
        module.warn(warning)
    return dict(write(module, script), content=script.content, directives=script.directives)


if __name__ == "__main__":
    main()
