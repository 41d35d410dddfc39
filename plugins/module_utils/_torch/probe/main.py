# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probe's order of things. Private to hpc.pytorch. Rules: see talk.py.

A hang inside CUDA cannot be interrupted from within. So the module kills the probe, and starts another one with a plan
that leaves out what hung: a healthy node pays nothing for that.
"""

import sys


def main(parts, descriptor, plan):
    """Everything, in order.

    :arg parts: the other files of this folder, by name.
    :arg plan: what is to be done, see Plan in plan.py.
    """
    # "-c" puts the current folder first; a job's script would not find a package there either.
    if sys.path and sys.path[0] == "":
        del sys.path[0]
    channel = parts.talk.Channel(descriptor)
    channel.step("look at the node")
    gpus = parts.node.look_at_node(channel, plan["root"])
    trouble = plan["trouble"]
    if plan["torch"]:
        trouble = use_torch(parts, channel, plan, gpus)
    if trouble:
        look_closer(parts, channel, plan)
    channel.step("end")


def use_torch(parts, channel, plan, gpus):
    """Import torch and use every device; whether the node has to be looked at more closely."""
    describe = parts.talk.describe
    channel.step("look at LD_LIBRARY_PATH")
    parts.libraries.look_at_path(channel)
    channel.step("look at python")
    parts.package.look_at_python(channel)
    channel.step("find torch")
    if not parts.package.find_torch(channel, describe):
        return False
    channel.step("import torch")
    torch = parts.package.import_torch(channel, describe)
    if torch is None:
        return False
    channel.step("compute on the CPU")
    if not parts.kernels.compute_on_cpu(channel, describe, torch):
        return False
    built = parts.package.built_for(torch)
    nvidia = bool(getattr(torch.version, "cuda", None)) if built else False
    channel.step("start CUDA")
    count = parts.kernels.look_at_cuda(channel, describe, torch, built)
    todo = range(count) if plan["devices"] is None else plan["devices"]
    passed = list(plan["passed"])
    good = count > 0
    for index in todo:
        if parts.kernels.look_at_device(channel, describe, torch, index):
            passed.append(index)
        else:
            good = False
    channel.step("look at the driver")
    if built:
        channel.send(kind="nccl", version=parts.kernels.nccl_version(torch))
    if count:
        parts.libraries.look_at_shadows(channel, torch.__path__[0])
        parts.node.look_at_driver(channel, describe, parts.libraries.mapped, start=False)
    elif not built:
        parts.node.look_at_driver(channel, describe, parts.libraries.mapped, start=False)
    if plan["all_reduce"] and len(passed) > 1:
        good = parts.kernels.all_reduce(channel, describe, torch, sorted(passed)) and good
    return nvidia and (plan["trouble"] or not good or gpus not in (None, count) or plan["expect"] not in (None, count))


def look_closer(parts, channel, plan):
    """What explains a trouble. Each may hang on a sick node, so each is a task."""
    describe = parts.talk.describe
    tasks = (
        ("device files", lambda: parts.node.look_at_files(channel, plan["root"])),
        ("kernel log", lambda: parts.node.look_at_log(channel, plan["root"])),
        ("libcuda", lambda: parts.node.look_at_driver(channel, describe, parts.libraries.mapped, start=True)),
        ("NVML", lambda: parts.node.look_at_nvml(channel, describe)),
    )
    for task, look in tasks:
        if task not in plan["skip"]:
            channel.step("look at " + task, task)
            look()
