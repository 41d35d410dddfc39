# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of the probe, in order. Private to hpc.pytorch. For the rules of this folder see talk.py.

A hang inside CUDA cannot be interrupted from within. So the module kills the probe and starts another one with a plan
that skips what hung. On a node without a fault this costs nothing.
"""

import sys


def main(parts, descriptor, plan):
    """Run all steps.

    :arg parts: the other files of this folder, by name.
    :arg plan: the steps to run, see Plan in plan.py.
    """
    # "-c" puts the current folder first; a job's script would not find a package there either.
    if sys.path and sys.path[0] == "":
        del sys.path[0]
    if plan["alone"]:
        parts.origin.keep_own_folders()
    channel = parts.talk.Channel(descriptor)
    channel.step("check the node")
    gpus = parts.node.check_node(channel, plan["root"], parts.surroundings.describe_place)
    trouble = plan["trouble"]
    if plan["torch"]:
        trouble = use_torch(parts, channel, plan, gpus)
    if trouble:
        check_node(parts, channel, plan)
    channel.step("end")


def use_torch(parts, channel, plan, gpus):
    """Import torch and test every device. Return whether the node has to be checked for a cause."""
    describe = parts.talk.describe
    channel.step("check LD_LIBRARY_PATH")
    parts.libraries.check_path(channel)
    channel.step("check python")
    parts.package.check_python(channel, parts.origin.added_folders)
    channel.step("find torch")
    if not parts.package.find_torch(channel, describe):
        return False
    channel.step("import torch")
    torch = parts.package.import_torch(channel, describe, parts.origin.files_from_outside)
    parts.origin.check_modules(channel)
    if torch is None or not computes(parts, channel, torch):
        parts.doubled.check_doubled(channel, parts.origin.package_folders())
        return False
    built = parts.package.built_for(torch)
    nvidia = bool(getattr(torch.version, "cuda", None)) if built else False
    channel.step("start CUDA")
    count = parts.kernels.start_cuda(channel, describe, torch, built)
    todo = range(count) if plan["devices"] is None else plan["devices"]
    passed = list(plan["passed"])
    good = count > 0
    for index in todo:
        if parts.kernels.test_device(channel, describe, torch, index):
            passed.append(index)
        else:
            good = False
    channel.step("check the driver")
    if built:
        channel.send(kind="nccl", version=parts.kernels.nccl_version(torch))
    if count:
        parts.libraries.find_shadows(channel, torch.__path__[0])
    if count or not built:
        check_driver(parts, channel, start=False)
    if plan["all_reduce"] and len(passed) > 1:
        good = parts.kernels.all_reduce(channel, describe, torch, sorted(passed)) and good
    if not good and count:
        parts.doubled.check_doubled(channel, parts.origin.package_folders())
    if plan["numpy"]:
        parts.numpy_arrays.check_numpy(channel, describe, torch, parts.origin.files_from_outside)
    return nvidia and (plan["trouble"] or not good or gpus not in (None, count) or plan["expect"] not in (None, count))


def computes(parts, channel, torch):
    """Return whether torch multiplies matrices on the CPU."""
    channel.step("compute on the CPU")
    return parts.kernels.compute_on_cpu(channel, parts.talk.describe, torch)


# The checks of a node in trouble: name and function. Each may hang on a failed node, so each is a task.
CHECKS = (
    ("device files", lambda parts, channel, plan: parts.node.check_files(channel, plan["root"])),
    ("kernel log", lambda parts, channel, plan: parts.node.read_log(channel, plan["root"])),
    ("libcuda", lambda parts, channel, plan: check_driver(parts, channel, start=True)),
    ("NVML", lambda parts, channel, plan: parts.node.query_nvml(channel, parts.talk.describe)),
)


def check_node(parts, channel, plan):
    """Run every check that the plan does not skip."""
    for task, check in CHECKS:
        if task not in plan["skip"]:
            channel.step("check " + task, task)
            check(parts, channel, plan)


def check_driver(parts, channel, start):
    """Ask the driver's library, and start it if *start*."""
    parts.node.check_driver(channel, parts.talk.describe, parts.libraries.mapped, start=start)
