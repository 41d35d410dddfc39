# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The NVIDIA driver and the GPUs of this machine, from /proc, nvidia-smi and libcuda. Private to hpc.pytorch."""

from __future__ import annotations

import json
import os
import sys
import typing as t

from .._common.lines import lines_of
from .._common.process import Result, run_limited
from .._files.environment import roots_own
from .._files.trust import untrusted_because
from . import parse
from .toolkit import trusted_on_path

KERNEL_MODULE = "/proc/driver/nvidia/version"
LIBRARY = "libcuda.so.1"
SMI_FOLDERS = ("/usr/bin", "/usr/local/bin", "/usr/lib/wsl/lib", "/run/current-system/sw/bin")

# Runs in a process of its own, so that a library that hangs or crashes does not end the module.
# libcuda answers cuDriverGetVersion without a GPU and without cuInit.
_PROBE = r"""
import ctypes, json, re, sys
answer = {}
try:
    cuda = ctypes.CDLL(sys.argv[1])
except OSError as error:
    print(json.dumps({"missing": str(error)}))
    sys.exit()
number = ctypes.c_int(0)
if cuda.cuDriverGetVersion(ctypes.byref(number)) == 0 and number.value > 0:
    answer["cuda"] = number.value
try:
    with open("/proc/self/maps") as maps:
        name = re.search(r"/libcuda\.so\.(\d+\.\d+(?:\.\d+)*)\s*$", maps.read(), re.M)
    if name:
        answer["driver"] = name.group(1)
except OSError:
    pass
print(json.dumps(answer), flush=True)
if "--gpus" not in sys.argv:
    sys.exit()
count = ctypes.c_int(0)
if cuda.cuInit(0) != 0 or cuda.cuDeviceGetCount(ctypes.byref(count)) != 0:
    sys.exit()
answer["gpus"] = []
for index in range(count.value):
    device, value, major, minor = ctypes.c_int(0), ctypes.c_size_t(0), ctypes.c_int(0), ctypes.c_int(0)
    name, uuid = ctypes.create_string_buffer(256), (ctypes.c_ubyte * 16)()
    if cuda.cuDeviceGet(ctypes.byref(device), index) != 0:
        continue
    gpu = {"index": index}
    if cuda.cuDeviceGetName(name, 256, device) == 0:
        gpu["name"] = name.value.decode("utf-8", "replace")
    if cuda.cuDeviceTotalMem_v2(ctypes.byref(value), device) == 0:
        gpu["memory_mb"] = value.value // 1048576
    if cuda.cuDeviceGetUuid(uuid, device) == 0:
        text = bytes(uuid).hex()
        gpu["uuid"] = "GPU-" + "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
    # 75 and 76: CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR
    if cuda.cuDeviceGetAttribute(ctypes.byref(major), 75, device) == 0 == cuda.cuDeviceGetAttribute(
        ctypes.byref(minor), 76, device
    ):
        gpu["compute_capability"] = "%d.%d" % (major.value, minor.value)
    answer["gpus"].append(gpu)
print(json.dumps(answer))
"""


class Machine(t.NamedTuple):
    """The driver and the GPUs of a machine."""

    driver: dict[str, t.Any] | None
    gpus: list[dict[str, t.Any]]
    warnings: list[str]


def find_driver(
    environment: t.Mapping[str, str],
    seconds: float,
    kernel_module: str = KERNEL_MODULE,
    smi_folders: t.Sequence[str] = SMI_FOLDERS,
    library_name: str = LIBRARY,
) -> Machine:
    """Ask /proc, then nvidia-smi, then libcuda. Each command has *seconds*; without an answer there is a warning."""
    warnings: list[str] = []
    loaded = _kernel_module(kernel_module)
    smi_cuda, gpus = _smi(environment, seconds, warnings, smi_folders, expected=loaded is not None)
    library = _libcuda(environment, seconds, warnings, library_name, gpus=gpus is None)
    if gpus is None:
        gpus = library.get("gpus", [])
    version, source = loaded, "proc"
    if version is None and gpus and gpus[0].get("driver_version"):
        version, source = gpus[0]["driver_version"], "nvidia-smi"
    cuda = parse.from_number(library["cuda"]) if library.get("cuda") else None
    if smi_cuda and cuda and smi_cuda != cuda:
        warnings.append("nvidia-smi reports CUDA %s and libcuda reports %s: programs use libcuda" % (smi_cuda, cuda))
    if version is None and (library.get("driver") or cuda or smi_cuda):
        version, source = library.get("driver"), "libcuda" if library.get("driver") or cuda else "nvidia-smi"
    driver: dict[str, t.Any] | None = None
    if version or cuda or smi_cuda:
        driver = {"version": version, "cuda_version": cuda or smi_cuda, "source": source, "loaded": loaded is not None}
    return Machine(driver, [_public(gpu) for gpu in gpus], warnings)


def _public(gpu: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {key: gpu.get(key) for key in ("index", "name", "uuid", "memory_mb", "compute_capability")}


def _kernel_module(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return parse.kernel_module(stream.read(65536))
    except OSError:
        return None


def _smi(
    environment: t.Mapping[str, str], seconds: float, warnings: list[str], folders: t.Sequence[str], expected: bool
) -> tuple[str | None, list[dict[str, t.Any]] | None]:
    """Return the CUDA version and the GPUs that nvidia-smi reports; None if it is not there or fails."""
    smi = trusted_on_path("nvidia-smi", environment, folders)
    if smi is None:
        if expected:
            warnings.append("the NVIDIA kernel module is loaded but there is no nvidia-smi")
        return None, None
    fields: t.Sequence[str] = parse.SMI_FIELDS
    result = _query(smi, fields, seconds, environment)
    if result.rc and "not a valid field" in result.stdout + result.stderr:
        # Drivers before 510 do not know compute_cap.
        fields = fields[:-1]
        result = _query(smi, fields, seconds, environment)
    if result.problem:
        warnings.append("nvidia-smi failed: %s" % result.problem)
        return None, None
    gpus = parse.smi_gpus(result.stdout, fields)
    table = run_limited([smi], seconds, roots_own(environment))
    if table.problem:
        warnings.append("nvidia-smi failed: %s" % table.problem)
    return parse.smi_cuda(table.stdout), gpus


def _query(smi: str, fields: t.Sequence[str], seconds: float, environment: t.Mapping[str, str]) -> Result:
    return run_limited(
        [smi, "--query-gpu=" + ",".join(fields), "--format=csv,noheader,nounits"], seconds, roots_own(environment)
    )


def _libcuda(
    environment: t.Mapping[str, str], seconds: float, warnings: list[str], name: str, gpus: bool
) -> dict[str, t.Any]:
    """Return the versions that libcuda reports and, if *gpus*, the GPUs."""
    argv = [sys.executable, "-I", "-c", _PROBE, name] + (["--gpus"] if gpus else [])
    # All GPUs, in nvidia-smi's order, also those that this process may not use.
    loader = dict(loader_environment(environment, name), CUDA_DEVICE_ORDER="PCI_BUS_ID")
    loader.pop("CUDA_VISIBLE_DEVICES", None)
    result = run_limited(argv, seconds, loader)
    if result.problem:
        warnings.append("libcuda failed: %s" % result.problem)
    answer: dict[str, t.Any] = {}
    for line in lines_of(result.stdout):
        try:
            answer = json.loads(line)
        except ValueError:
            break
    return answer


def loader_environment(environment: t.Mapping[str, str], library: str = LIBRARY) -> dict[str, str]:
    """Return *environment* for a child that loads libraries; as root, without folders that another user can write."""
    clean = roots_own(environment)
    if os.geteuid() != 0:
        return clean
    for name in [name for name in clean if name.startswith("LD_") and name != "LD_LIBRARY_PATH"]:
        del clean[name]
    folders = [folder for folder in clean.pop("LD_LIBRARY_PATH", "").split(":") if os.path.isabs(folder)]
    trusted = [folder for folder in folders if _may_load(folder, library)]
    if trusted:
        clean["LD_LIBRARY_PATH"] = ":".join(trusted)
    return clean


def _may_load(folder: str, library: str) -> bool:
    """Return whether root may load *library* from there: another user can write neither the folder nor the file."""
    path = os.path.join(folder, library)
    return untrusted_because(path if os.path.lexists(path) else folder) is None
