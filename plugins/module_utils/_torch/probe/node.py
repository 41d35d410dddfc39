# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the probe that checks the node and its driver. Private to hpc.pytorch. For the rules see talk.py.

Paths are below *root*, which is empty except in tests.
"""

import ctypes
import errno
import os
import re

VARIABLES = (
    "CUDA_VISIBLE_DEVICES",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "NVIDIA_VISIBLE_DEVICES",
    "PYTHONHOME",
    "PYTHONNOUSERSITE",
    "PYTHONPATH",
    "PYTORCH_NVML_BASED_CUDA_CHECK",
    "SLURMD_NODENAME",
    "SLURM_GPUS_ON_NODE",
    "SLURM_JOB_GPUS",
    "SLURM_JOB_ID",
    "SLURM_STEP_GPUS",
    "SLURM_STEP_ID",
)
DRIVER_LIBRARY = "libcuda.so.1"
NVML_LIBRARY = "libnvidia-ml.so.1"
LOG_LINES = 20
LOG_BYTES = 1 << 24


def listing(folder):
    """Return the names in *folder*, or None if it cannot be read."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return None


def check_node(channel, root, describe_place):
    """Report names and small files, which costs next to nothing. Return the number of GPUs, or None if unknown."""
    version = None
    try:
        with open(root + "/proc/driver/nvidia/version", "rb") as stream:
            version = stream.read(65536).decode("ascii", "replace")
    except OSError:
        pass
    files = listing(root + "/dev") or []
    module = version is not None or os.path.isdir(root + "/sys/module/nvidia")
    gpus = listing(root + "/proc/driver/nvidia/gpus")
    channel.send(
        kind="node",
        hostname=os.uname()[1],
        kernel_module=module,
        kernel_version=version,
        uvm_module=os.path.isdir(root + "/sys/module/nvidia_uvm"),
        gpus=None if gpus is None else len(gpus),
        files=[name for name in files if name.startswith("nvidia") or name == "dxg"],
        variables={name: os.environ[name] for name in VARIABLES if name in os.environ},
        place=describe_place(root, module),
    )
    return None if gpus is None else len(gpus)


def check_driver(channel, describe, mapped, start):
    """Report whether the driver's library is there, which file it is, and its version.

    :arg start: whether to start it, which returns the error that torch may hide.
    """
    answer = {"library": True, "library_error": None, "path": None, "cuda": None, "init": None}
    try:
        library = ctypes.CDLL(DRIVER_LIBRARY)
    except OSError as problem:
        answer.update(library=False, library_error=describe(problem))
    else:
        paths = [path for path in mapped() if re.match(r"libcuda\.so(\.|$)", os.path.basename(path))]
        answer["path"] = paths[0] if paths else None
        number = ctypes.c_int(0)
        if ask(library, "cuDriverGetVersion", ctypes.byref(number)) == 0 and number.value > 0:
            answer["cuda"] = number.value
        if start:
            answer["init"] = ask(library, "cuInit", ctypes.c_uint(0))
    channel.send(kind="driver", **answer)


def ask(library, name, *arguments):
    """Return what the function *name* returns, or None if the library lacks it."""
    try:
        return getattr(library, name)(*arguments)
    except AttributeError:
        return None


def check_files(channel, root):
    """Report which device files can be opened; for the others, the name of the error."""
    names = [name for name in listing(root + "/dev") or [] if re.match(r"nvidia\d+$", name)]
    opened = {}
    for name in names + ["nvidiactl", "nvidia-uvm"]:
        try:
            os.close(os.open(root + "/dev/" + name, os.O_RDWR | os.O_NONBLOCK))
        except OSError as problem:
            opened[name] = errno.errorcode.get(problem.errno, str(problem.errno))
        else:
            opened[name] = None
    channel.send(kind="files", opened=opened)


def query_nvml(channel, describe):
    """Report what NVML knows about every GPU of the node, also those that this process may not use."""
    try:
        library = ctypes.CDLL(NVML_LIBRARY)
    except OSError as problem:
        channel.send(kind="nvml", error=describe(problem), code=None, devices=[])
        return
    code = ask(library, "nvmlInit_v2")
    count = ctypes.c_uint(0)
    code = code or ask(library, "nvmlDeviceGetCount_v2", ctypes.byref(count))
    devices = [] if code else [nvml_device(library, index) for index in range(count.value)]
    channel.send(kind="nvml", error=None, code=code, devices=devices)
    ask(library, "nvmlShutdown")


class FabricInfo(ctypes.Structure):
    """nvmlGpuFabricInfo_t."""

    _fields_ = [
        ("cluster", ctypes.c_ubyte * 16),
        ("status", ctypes.c_int),
        ("clique", ctypes.c_uint),
        ("state", ctypes.c_ubyte),
    ]


def nvml_device(library, index):
    """Return one GPU; None for what this library or this GPU does not know."""
    found = {"index": index, "uuid": None, "compute_mode": None, "mig": None, "instances": None, "fabric": None}
    found["processes"] = None
    handle = ctypes.c_void_p()
    if ask(library, "nvmlDeviceGetHandleByIndex_v2", ctypes.c_uint(index), ctypes.byref(handle)) != 0:
        return found
    text = ctypes.create_string_buffer(96)
    if ask(library, "nvmlDeviceGetUUID", handle, text, ctypes.c_uint(96)) == 0:
        found["uuid"] = text.value.decode("ascii", "replace")
    number, pending = ctypes.c_uint(0), ctypes.c_uint(0)
    if ask(library, "nvmlDeviceGetComputeMode", handle, ctypes.byref(number)) == 0:
        found["compute_mode"] = number.value
    if ask(library, "nvmlDeviceGetMigMode", handle, ctypes.byref(number), ctypes.byref(pending)) == 0:
        found["mig"] = number.value == 1
    if found["mig"]:
        found["instances"] = mig_instances(library, handle)
    info = FabricInfo()
    if ask(library, "nvmlDeviceGetGpuFabricInfo", handle, ctypes.byref(info)) == 0:
        found["fabric"] = int(info.state)
    number = ctypes.c_uint(0)
    # 7: the list of no entries is too short, and the number is the length that it would need.
    if ask(library, "nvmlDeviceGetComputeRunningProcesses", handle, ctypes.byref(number), None) in (0, 7):
        found["processes"] = number.value
    return found


def mig_instances(library, handle):
    """Return how many instances of a GPU can be used, or None if unknown."""
    most, instance = ctypes.c_uint(0), ctypes.c_void_p()
    if ask(library, "nvmlDeviceGetMaxMigDeviceCount", handle, ctypes.byref(most)) != 0:
        return None
    codes = [
        ask(library, "nvmlDeviceGetMigDeviceHandleByIndex", handle, ctypes.c_uint(index), ctypes.byref(instance))
        for index in range(most.value)
    ]
    return None if None in codes else codes.count(0)


def read_log(channel, root):
    """Report the driver's last lines in the kernel's log, if this user may read it."""
    data = b""
    try:
        end = os.open(root + "/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        channel.send(kind="kernel_log", lines=None)
        return
    try:
        while len(data) < LOG_BYTES:
            try:
                more = os.read(end, 8192)
            except BrokenPipeError:
                # Overwritten while reading: the next one is the oldest that is left.
                continue
            if not more:
                break
            data += more
    except OSError:
        pass
    finally:
        os.close(end)
    lines = [line for line in data.decode("utf-8", "replace").split("\n") if re.search(r"NVRM|nvidia|uvm_", line)]
    channel.send(kind="kernel_log", lines=[line.partition(";")[2][:500] or line[:500] for line in lines[-LOG_LINES:]])
