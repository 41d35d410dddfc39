"""The lab does what its README says: its libraries are called through ctypes, each in a process of its own."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import textwrap

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._cuda import driver

from .scene import KERNEL_LINE, RELEASE, Scene

CALLS = """
import ctypes, json
cuda = ctypes.CDLL("libcuda.so.1")
number = ctypes.c_int(-1)
def ask(name, *arguments):
    rc = getattr(cuda, name)(ctypes.byref(number), *arguments)
    return number.value if rc == 0 else "error %d" % rc
answer = {}
"""


def run(scene, code, timeout=30, **more):
    return subprocess.run(
        [sys.executable, "-c", CALLS + textwrap.dedent(code)],
        env=scene.environment(**more),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def answer(scene, code):
    result = run(scene, code)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_settings_reach_the_driver(scene):
    scene.libcuda(version=12080, count=2, name=["A", "B"], capability=[70, 90], compute_mode=3)
    assert answer(
        scene,
        """
        name = ctypes.create_string_buffer(99)
        cuda.cuDeviceGetName(name, 99, 1)
        modes = [ask("cuDeviceGetAttribute", attribute, 1) for attribute in (75, 76, 20)]
        found = [ask("cuDriverGetVersion"), cuda.cuInit(0), ask("cuDeviceGetCount"), name.value.decode()]
        print(json.dumps(found + modes))
        """,
    ) == [12080, 0, 2, "B", 9, 0, 3]


def test_an_error_is_one_functions_own(scene):
    place = scene.libcuda(errors={"cuInit": 802})
    assert answer(scene, 'print(json.dumps([ask("cuDriverGetVersion"), cuda.cuInit(0)]))') == [13000, 802]
    assert os.readlink(place / "libcuda.so.1") == "libcuda.so.%s" % RELEASE


def test_two_drivers_of_one_scene_are_two(scene):
    scene.stub_libcuda()
    scene.libcuda()
    assert answer(scene, 'print(json.dumps([ask("cuDriverGetVersion"), cuda.cuInit(0)]))') == ["error 34", 34]
    code = 'print(open("/proc/self/maps").read())'
    assert str(scene.root / "cuda/lib64/stubs/libcuda.so.1") in run(scene, code).stdout


def test_compat_stands_under_its_own_name(scene):
    scene.compat_libcuda()
    assert "/cuda/compat/libcuda.so.590.44.01" in run(scene, 'print(open("/proc/self/maps").read())').stdout
    assert answer(scene, "print(cuda.cuInit(0))") == 804


@pytest.mark.parametrize("where", ["load", "cuInit"])
def test_a_crash_is_one(scene, where):
    scene.libcuda(crash=where)
    assert run(scene, "cuda.cuInit(0)").returncode < 0


def test_a_hang_is_one(scene):
    scene.libcuda(hang="cuInit", log=scene.root / "log")
    with pytest.raises(subprocess.TimeoutExpired):
        run(scene, "cuda.cuInit(0)", timeout=2)
    assert (scene.root / "log").read_text().splitlines() == ["load", "cuInit"]


def test_functions_are_found_as_nvidias_runtime_does(scene):
    scene.libcuda(count=3)
    assert answer(
        scene,
        """
        found = {}
        for name in (b"cuDeviceGetCount", b"cuDeviceTotalMem", b"cuNoSuchThing"):
            address = ctypes.c_void_p()
            rc = cuda.cuGetProcAddress_v2(name, ctypes.byref(address), 13000, ctypes.c_ulong(0), None)
            found[name.decode()] = rc == 0 and bool(address.value)
        call = ctypes.CFUNCTYPE(ctypes.c_int)(address.value)
        print(json.dumps([found, call()]))
        """,
    ) == [{"cuDeviceGetCount": True, "cuDeviceTotalMem": True, "cuNoSuchThing": True}, 801]


def test_nvml(scene):
    scene.libcuda()
    scene.nvml(count=2, mig=[1, 0], instances=[3, 0], processes=4, fabric=2, errors={"nvmlSystemGetDriverVersion": 18})
    assert answer(
        scene,
        """
        nvml = ctypes.CDLL("libnvidia-ml.so.1")
        handle, mig, pending = ctypes.c_void_p(), ctypes.c_uint(), ctypes.c_uint()
        uuid = ctypes.create_string_buffer(96)
        fabric = (ctypes.c_ubyte * 32)()
        rcs = [nvml.nvmlInit_v2(), nvml.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(handle))]
        rcs.append(nvml.nvmlDeviceGetMigMode(handle, ctypes.byref(mig), ctypes.byref(pending)))
        rcs.append(nvml.nvmlDeviceGetUUID(handle, uuid, 96))
        rcs.append(nvml.nvmlDeviceGetGpuFabricInfo(handle, ctypes.byref(fabric)))
        rcs.append(nvml.nvmlSystemGetDriverVersion(uuid, 96))
        rcs.append(nvml.nvmlDeviceGetHandleByIndex_v2(2, ctypes.byref(handle)))
        parts = [nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, n, ctypes.byref(ctypes.c_void_p())) for n in (2, 3)]
        rcs.append(nvml.nvmlDeviceGetComputeRunningProcesses(handle, ctypes.byref(pending), None))
        print(json.dumps([rcs, parts, pending.value, mig.value, uuid.value.decode(), fabric[24]]))
        """,
    ) == [[0, 0, 0, 0, 0, 18, 2, 7], [0, 6], 4, 1, "GPU-abababab-abab-abab-abab-ababababab00", 2]


def test_a_shadow_is_loaded_by_its_name(scene):
    place = scene.shadow("libcudnn.so.9", "libnccl.so.2")
    scene.libcuda()
    code = 'print(bool(ctypes.CDLL("libcudnn.so.9").hpc_pytorch_lab), open("/proc/self/maps").read())'
    assert str(place / "libcudnn.so.9") in run(scene, code).stdout


def test_device_nodes(scene):
    dev = scene.devices(open_for_me=1, closed=1, uvm=False)
    assert sorted(os.listdir(dev)) == ["nvidia0", "nvidia1", "nvidiactl"]
    os.close(os.open(dev / "nvidia0", os.O_RDWR))
    if os.geteuid() != 0 or stat.S_ISCHR((dev / "nvidia1").stat().st_mode):
        with pytest.raises(OSError):
            os.open(dev / "nvidia1", os.O_RDWR)


def test_nvidia_smi_and_the_kernel(scene):
    version = scene.kernel_module("570.124.06", gpus=2, uvm=False)
    assert os.listdir(scene.proc / "driver/nvidia/gpus/0000:02:00.0") == ["information"]
    assert os.listdir(scene.root / "sys/module") == ["nvidia"]
    assert scene.kernel_log("NVRM: Xid 79").read_text() == "6,0,0,-;NVRM: Xid 79\n"
    assert version.read_text() == KERNEL_LINE % "570.124.06"
    scene.nvidia_smi({}, {"compute_cap": "9.0", "compute_mode": "Exclusive_Process"}, driver="570.124.06", cuda="12.8")
    scene.libcuda(release="570.124.06", version=12080)
    seen = driver.find_driver(scene.environment(), 20, str(version), ())
    assert seen.warnings == []
    assert seen.driver == {"version": "570.124.06", "cuda_version": "12.8", "source": "proc", "loaded": True}
    assert [gpu["compute_capability"] for gpu in seen.gpus] == ["7.0", "9.0"]


@pytest.mark.parametrize(
    "arguments, said, rc",
    [
        (["--query-gpu=compute_mode", "--format=csv,noheader"], "Default", 0),
        (["-L"], "MIG 1g.10gb     Device  0: (UUID: MIG-1)", 0),
        (["-q"], "State                             : In Progress", 0),
        (["--query-gpu=colour", "--format=csv"], 'Field "colour" is not a valid field', 2),
    ],
)
def test_what_nvidia_smi_answers(scene, arguments, said, rc):
    gpu = {"fabric.state": "In Progress", "instances": [{"profile": "1g.10gb", "uuid": "MIG-1"}]}
    result = subprocess.run([scene.nvidia_smi(gpu), *arguments], capture_output=True, text=True, check=False)
    assert said in result.stdout and result.returncode == rc


def test_a_failing_nvidia_smi(scene: Scene):
    command = scene.nvidia_smi(failure="Failed to initialize NVML: Driver/library version mismatch", rc=18)
    result = subprocess.run([command, "-L"], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (18, "Failed to initialize NVML: Driver/library version mismatch\n")


def test_the_runtime_stands_before_another(scene):
    scene.runtime(count=2, capability=[70, 90], kernel=719, errors={"cudaMalloc": 46})
    code = """
    import ctypes, json
    cuda = ctypes.CDLL(None)
    count, pointer, properties = ctypes.c_int(), ctypes.c_void_p(), (ctypes.c_int * 256)()
    rcs = [cuda.cudaGetDeviceCount(ctypes.byref(count)), cuda.cudaSetDevice(2)]
    rcs.append(cuda.cudaMalloc(ctypes.byref(pointer), 8))
    cuda.cudaGetDeviceProperties(ctypes.byref(properties), 1)
    errors = [cuda.cudaGetLastError(), cuda.cudaGetLastError()]
    print(json.dumps([rcs, *errors, count.value, properties[90], properties[91]]))
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=scene.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(result.stdout) == [[0, 101, 46], 46, 0, 2, 9, 0]
