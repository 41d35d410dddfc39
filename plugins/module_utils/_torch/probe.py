# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is run by the environment's own python. Private to hpc.pytorch.

This file is a script: the module sends its text to the interpreter that is looked at. So it stays ASCII, imports
nothing of ours, and works on Python 3.6 and torch 1.4 (hence no ``from __future__ import annotations``).

It tells what it is about to do before it does it, one JSON object per line on a file descriptor of its own, so that
a hang or a crash has a name. What torch prints goes elsewhere.
"""

import ctypes
import importlib.util
import json
import os
import site
import sys
import time
import warnings

KERNEL_VERSION = "/proc/driver/nvidia/version"
KERNEL_MODULE = "/sys/module/nvidia"
DRIVER_LIBRARY = "libcuda.so.1"
SIDE = 32


class Channel:
    """Where the records go."""

    def __init__(self, descriptor):
        self._descriptor = descriptor
        # What torch starts must not keep the channel open.
        os.set_inheritable(descriptor, False)

    def send(self, **record):
        """Write one record."""
        data = (json.dumps(record) + "\n").encode("ascii")
        while data:
            data = data[os.write(self._descriptor, data):]

    def step(self, name):
        """Say what comes next."""
        self.send(kind="step", step=name)


def describe(error):
    """An exception as one piece of data: its type, its text and the module or library it names."""
    try:
        text = str(error)
    except Exception:
        text = ""
    return {"type": type(error).__name__, "text": text[:4000], "name": getattr(error, "name", None)}


def look_at_python(channel):
    """Which interpreter this is, and whether a user site can add to it."""
    user_site = None
    if site.ENABLE_USER_SITE and os.path.isdir(site.getusersitepackages()):
        user_site = site.getusersitepackages()
    channel.send(
        kind="python",
        version="%d.%d.%d" % sys.version_info[:3],
        executable=sys.executable,
        prefix=sys.prefix,
        user_site=user_site,
    )


def find_torch(channel):
    """Whether there is a torch to import. A folder without code, as a half removal leaves it, is none."""
    try:
        spec = importlib.util.find_spec("torch")
    except (ImportError, ValueError, AttributeError) as error:
        channel.send(kind="torch_missing", leftover=None, error=describe(error))
        return False
    if spec is None:
        channel.send(kind="torch_missing", leftover=None)
        return False
    if spec.origin in (None, "namespace"):
        channel.send(kind="torch_missing", leftover=list(spec.submodule_search_locations or [""])[0])
        return False
    channel.send(kind="torch_found", path=spec.origin)
    return True


def import_torch(channel):
    """The module, or None with the reason on the channel. SystemExit and its like count as reasons too."""
    started = time.time()
    try:
        import torch
    except BaseException as error:
        channel.send(kind="import_failed", error=describe(error))
        return None
    version = getattr(torch, "version", None)
    channel.send(
        kind="torch",
        version=str(getattr(torch, "__version__", "")) or None,
        cuda=getattr(version, "cuda", None),
        hip=getattr(version, "hip", None),
        git=getattr(version, "git_version", None),
        path=os.path.dirname(getattr(torch, "__file__", None) or ""),
        seconds=round(time.time() - started, 3),
    )
    return torch


def operands():
    """Two matrices of small whole numbers and their product: exact in every float format a GPU may use."""
    left = [[(row * SIDE + column) % 7 - 3 for column in range(SIDE)] for row in range(SIDE)]
    right = [[(row * SIDE + column) % 5 - 2 for column in range(SIDE)] for row in range(SIDE)]
    columns = list(zip(*right))
    product = [[float(sum(a * b for a, b in zip(row, column))) for column in columns] for row in left]
    return left, right, product


def matmul(torch, device):
    """Multiply on *device*, copy the result back, and compare it with what plain Python says."""
    left, right, product = operands()
    result = torch.matmul(
        torch.tensor(left, dtype=torch.float32).to(device), torch.tensor(right, dtype=torch.float32).to(device)
    )
    if result.cpu().tolist() != product:
        raise ArithmeticError("the product of two matrices is wrong")


# What every device is put through, in this order.
KERNELS = (("matmul", matmul),)


def compute_on_cpu(channel, torch):
    """Prove that torch computes at all."""
    try:
        matmul(torch, torch.device("cpu"))
    except Exception as error:
        channel.send(kind="cpu", passed=False, error=describe(error))
        return False
    channel.send(kind="cpu", passed=True, error=None)
    return True


def look_at_cuda(channel, torch):
    """Whether CUDA starts, how many devices torch sees, and what torch says when there are none."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        error = None
        try:
            available = bool(torch.cuda.is_available())
            count = int(torch.cuda.device_count()) if available else 0
            if not available and built_for(torch):
                torch.cuda.init()
        except Exception as problem:
            available, count, error = False, 0, describe(problem)
    said = [str(warning.message)[:2000] for warning in caught]
    channel.send(kind="cuda", available=available, count=count, error=error, warnings=said[:10])
    return count


def built_for(torch):
    """The CUDA or ROCm version torch was built for, or None."""
    return getattr(torch.version, "cuda", None) or getattr(torch.version, "hip", None)


def look_at_device(channel, torch, index):
    """What device *index* is, and whether every kernel runs on it."""
    started = time.time()
    error = None
    kernel = "properties"
    channel.step("device %d: %s" % (index, kernel))
    try:
        properties = torch.cuda.get_device_properties(index)
        channel.send(
            kind="device",
            index=index,
            name=properties.name,
            compute_capability="%d.%d" % (properties.major, properties.minor),
            memory=int(properties.total_memory),
        )
        with torch.cuda.device(index):
            for kernel, run in KERNELS:
                channel.step("device %d: %s" % (index, kernel))
                run(torch, torch.device("cuda", index))
    except Exception as problem:
        error = describe(problem)
        error["kernel"] = kernel
    channel.send(
        kind="device_done", index=index, passed=error is None, error=error, seconds=round(time.time() - started, 3)
    )


def look_at_driver(channel, load):
    """Whether the node has NVIDIA's kernel module and driver library.

    :arg load: whether to try the library; it is known to be there once CUDA has started.
    """
    error = None
    if load:
        try:
            ctypes.CDLL(DRIVER_LIBRARY)
        except OSError as problem:
            error = describe(problem)
    kernel = None
    try:
        with open(KERNEL_VERSION, "rb") as stream:
            kernel = stream.readline().decode("ascii", "replace").strip()
    except OSError:
        pass
    channel.send(
        kind="driver",
        kernel_module=kernel is not None or os.path.isdir(KERNEL_MODULE),
        kernel_version=kernel,
        library=error is None,
        library_error=error,
    )


def main(descriptor):
    """Everything, in order."""
    # "-c" puts the current folder first; a job's script would not find a package there either.
    if sys.path and sys.path[0] == "":
        del sys.path[0]
    channel = Channel(descriptor)
    channel.step("look at python")
    look_at_python(channel)
    channel.step("find torch")
    if find_torch(channel):
        channel.step("import torch")
        torch = import_torch(channel)
        if torch is not None:
            channel.step("compute on the CPU")
            if compute_on_cpu(channel, torch):
                channel.step("start CUDA")
                count = look_at_cuda(channel, torch)
                for index in range(count):
                    look_at_device(channel, torch, index)
                channel.step("look at the driver")
                look_at_driver(channel, load=count == 0)
    channel.step("end")


if __name__ == "__main__":
    main(int(sys.argv[1]))
