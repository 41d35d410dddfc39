"""Every cause on a node of the lab, with a torch that asks the driver's library: only its code is reported.

Real are processes, the dynamic linker, device files, variables and hangs. Stubs are libcuda and NVML (C libraries that
answer as NVIDIA's do), the texts of /proc and of the kernel's log, and the package torch. test_real_cuda_torch.py runs
the same with a real torch.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.asked import Asked
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.diagnose.stages import codes
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.diagnose.verdict import result
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.run import run_probe

from .conftest import MakeEnv, site_packages
from .lab.scene import Scene
from .standin import standin

HMM = "nvidia-uvm: uvm_pmm_gpu.c:3264 devmem_alloc_pagemap[pid:1] request_free_mem_region() err -34"
XID = "NVRM: Xid (PCI:0000:01:00): 79, pid=1, GPU has fallen off the bus."
ASKS = standin(cuda="13.0", count=None)
BUSY = "CUDA error: CUDA-capable device(s) is/are busy or unavailable\nSearch for `cudaErrorDevicesUnavailable'"


class Node(t.NamedTuple):
    """One failed node.

    :arg codes: the reasons that must be reported, in this order and no others.
    :arg said: a part of the first message.
    :arg torch: the package's code; None for none.
    """

    codes: list[str]
    said: str
    make: t.Callable[[Scene], t.Any]
    torch: str | None = ASKS
    variables: dict[str, str] = {}
    expected: dict[str, t.Any] = {"expect_cuda": True}
    timeout: int = 60
    device_timeout: int = 30


def driver(
    errors: dict[str, int] | None = None, uvm: bool = True, gpus: int = 1, closed: int = 0, **settings: t.Any
) -> t.Callable[[Scene], None]:
    """A node whose kernel module, device files and library are there."""

    def make(scene: Scene) -> None:
        scene.kernel_module(uvm=uvm, gpus=gpus)
        scene.devices(open_for_me=gpus - closed, closed=closed, uvm=uvm)
        scene.libcuda(errors=errors, **{"count": gpus - closed, **settings})

    return make


def also(first: t.Callable[[Scene], t.Any], *more: t.Callable[[Scene], t.Any]) -> t.Callable[[Scene], None]:
    def make(scene: Scene) -> None:
        for step in (first, *more):
            step(scene)

    return make


def other_libcuda(scene: Scene) -> None:
    """The kernel module alone; the library is another one."""
    scene.kernel_module()
    scene.devices()


def visible(value: str) -> dict[str, str]:
    return {"CUDA_VISIBLE_DEVICES": value}


NONE = driver({"cuInit": 100})
# A numpy that can be imported, next to this torch.
NUMPY_2 = """
import importlib.machinery, sys, types
numpy = types.ModuleType("numpy")
numpy.__version__ = "2.2.6"
numpy.__spec__ = importlib.machinery.ModuleSpec("numpy", None, origin="numpy/__init__.py")
sys.modules["numpy"] = numpy
"""
JOB = {"SLURM_JOB_ID": "7"}
MIG = {"CUDA_VISIBLE_DEVICES": "MIG-11111111-2222-3333-4444-555555555555"}
NODES = {
    "torch without CUDA": Node(["cpu_only_build"], "without CUDA", driver(), standin(cuda=None)),
    "nothing": Node(["no_driver"], "no kernel module and no libcuda.so.1", lambda scene: None),
    "no library": Node(["no_driver"], "cannot be loaded", lambda scene: scene.kernel_module()),
    "a library alone": Node(["no_driver"], "only the library", lambda scene: scene.libcuda(errors={"cuInit": 100})),
    "nothing, and none visible": Node(["no_driver"], "no kernel module", lambda scene: None, variables=visible("")),
    "CUDA 11.4": Node(["driver_too_old"], "driver 580.65.06 runs CUDA up to 11.4", driver(version=11040)),
    "PTX too new": Node(
        ["driver_too_old"],
        "device 0",
        driver(),
        standin(count=1, faults={0: "CUDA error: the provided PTX was compiled with an unsupported toolchain."}),
    ),
    "803": Node(["stub_or_compat_libcuda"], "580.65.06", driver({"cuInit": 803}, release="570.124.06")),
    "other release, unknown error": Node(
        ["stub_or_compat_libcuda"], "580", driver({"cuInit": 999}, release="570.124.06")
    ),
    "stub": Node(["stub_or_compat_libcuda"], "/stubs/", also(other_libcuda, lambda scene: scene.stub_libcuda())),
    "804": Node(["stub_or_compat_libcuda"], "/compat/", also(other_libcuda, lambda scene: scene.compat_libcuda())),
    "none visible": Node(["cuda_visible_devices"], "='' hides every GPU", NONE, variables=visible("")),
    "-1 visible": Node(["cuda_visible_devices"], "=-1 hides every GPU", NONE, variables=visible("-1")),
    "NoDevFiles": Node(["cuda_visible_devices"], "=NoDevFiles hides", NONE, variables={**JOB, **visible("NoDevFiles")}),
    "too high": Node(["cuda_visible_devices"], "=7 begins with 7, the node has 1", NONE, variables=visible("7")),
    # As torch 2.11 on an H200 with driver 580: CUDA shows none, and not the one.
    "one named twice": Node(
        ["cuda_visible_devices"], "=0,0 names 0 twice", driver({"cuInit": 101}), variables=visible("0,0")
    ),
    "one named twice by its name": Node(
        ["cuda_visible_devices"],
        "names GPU-1 twice",
        also(driver({"cuInit": 101}), lambda scene: scene.nvml()),
        variables=visible("GPU-1,GPU-1"),
    ),
    "one named twice after one that is not there": Node(
        ["cuda_unavailable"], "101", driver({"cuInit": 101}), variables=visible("0,5,0")
    ),
    "one named twice that is not there": Node(
        ["cuda_visible_devices"], "=7,7 begins with 7, the node has 1", NONE, variables=visible("7,7")
    ),
    "no number": Node(["cuda_visible_devices"], "=--1 names no GPU", NONE, variables=visible("--1")),
    "no number of ASCII": Node(
        ["cuda_visible_devices"], "=\N{SUPERSCRIPT TWO} names no", NONE, variables=visible("\u00b2")
    ),
    "no such name": Node(
        ["cuda_visible_devices"], "names no GPU", also(NONE, lambda scene: scene.nvml()), variables=visible("GPU-123")
    ),
    "one of four visible": Node(
        ["cuda_visible_devices", "device_count_mismatch"],
        "names 1 of the node's 4 GPUs",
        driver(gpus=4, count=1),
        variables=visible("2"),
        expected={"expect_devices": 4},
    ),
    "job without GPU": Node(
        ["slurm_cgroup"], "given 0 of the node's 2", driver({"cuInit": 100}, gpus=2, closed=2), variables=JOB
    ),
    "job without GPU, none visible": Node(
        ["slurm_cgroup"], "given 0 of", driver({"cuInit": 100}, gpus=2, closed=2), variables={**JOB, **visible("")}
    ),
    "job with one of two": Node(
        ["slurm_cgroup", "device_count_mismatch"],
        "given 1 of the node's 2 GPUs",
        driver(gpus=2, closed=1),
        variables={**JOB, "SLURM_JOB_GPUS": "0"},
        expected={"expect_devices": 2},
    ),
    "no nvidia-uvm": Node(["missing_uvm"], "not loaded", driver({"cuInit": 999}, uvm=False)),
    "HMM": Node(
        ["hmm_kaslr"], "err -34", also(driver({"cuInit": 999}), lambda scene: scene.kernel_log("usb 1-1", HMM))
    ),
    "fabric": Node(["fabric_manager_802"], "fabric is not ready", driver({"cuInit": 802})),
    "fabric, by NVML": Node(
        ["fabric_manager_802"],
        "of 8 GPUs",
        also(driver({"cuInit": 3}, gpus=8), lambda scene: scene.nvml(count=8, fabric=2)),
    ),
    "MIG without instances": Node(
        ["mig"],
        "MIG is on for 1 GPU, of which 1 without",
        also(NONE, lambda scene: scene.nvml(mig=1, instances=0)),
    ),
    "MIG, another's instance": Node(
        ["mig"], "does not find", also(NONE, lambda scene: scene.nvml(mig=1, instances=7)), variables=MIG
    ),
    "MIG, two wanted": Node(
        ["mig", "device_count_mismatch"],
        "one instance",
        also(driver(gpus=1), lambda scene: scene.nvml(mig=1, instances=2)),
        expected={"expect_devices": 2},
    ),
    "too old for the build": Node(
        ["arch_mismatch"], "5.2", driver(capability=52), standin("13.0", None, archs=["sm_75", "sm_90"])
    ),
    "busy": Node(["exclusive_or_busy"], "busy or unavailable", driver({"cuInit": 46})),
    "exclusive": Node(
        ["exclusive_or_busy"],
        "Exclusive_Process); 1 process runs on GPU 0",
        also(driver(), lambda scene: scene.nvml(compute_mode=3, processes=1)),
        standin("13.0", None, faults={0: BUSY}),
    ),
    "memory full": Node(
        ["exclusive_or_busy"],
        "out of memory",
        driver(),
        standin("13.0", None, faults={(0, "copy"): "CUDA out of memory. Tried"}),
    ),
    "no torch": Node(["torch_missing"], "has no torch", driver(), None),
    "import fails": Node(["import_failed"], "libx.so", driver(), "import ctypes; ctypes.CDLL('libx.so.7')"),
    "import crashes": Node(["import_failed"], "SIGSEGV", driver(), "import ctypes; ctypes.string_at(0)"),
    "cuInit hangs": Node(["probe_timeout"], "start CUDA", driver(hang="cuInit"), timeout=4),
    "a device hangs": Node(
        ["probe_timeout"],
        "device 1 (TITAN V 1)",
        driver(gpus=2),
        standin(count=2, faults={1: "hang"}),
        device_timeout=2,
    ),
    "one of two is there": Node(
        ["device_count_mismatch"], "sees 1 device, expected 2", driver(), expected={"expect_devices": 2}
    ),
    "three of two": Node(["device_count_mismatch"], "sees 3", driver(gpus=3), expected={"expect_devices": 2}),
    "sums are wrong": Node(["compute_failed"], "CPU", driver(), standin("13.0", None, faults={"cpu": "wrong"})),
    "an error nobody knows": Node(
        ["cuda_unavailable"], "fallen off", also(driver({"cuInit": 214}), lambda scene: scene.kernel_log(XID))
    ),
    "after a suspend": Node(["cuda_unavailable"], "CUDA unknown error", driver({"cuInit": 999})),
    "a device is broken": Node(
        ["device_failed"],
        "Xid",
        also(driver(gpus=2), lambda scene: scene.kernel_log(XID)),
        standin(count=2, faults={1: "CUDA error: an illegal memory access"}),
    ),
    "libcuda crashes": Node(["device_failed"], "SIGSEGV at: start CUDA", driver(crash="cuInit")),
    "cuDNN 9.14 on 7.0": Node(
        ["cudnn_too_new"],
        "cuDNN 9.14.0 has no kernels",
        driver(),
        standin("12.8", 1, faults={(0, "conv2d"): "GET was unable to find an engine"}).replace("7603", "91400"),
    ),
    "cuBLAS fails": Node(
        ["library_failed"],
        "CUBLAS_STATUS_NOT_SUPPORTED",
        driver(),
        standin("13.0", 1, faults={0: "CUDA error: CUBLAS_STATUS_NOT_SUPPORTED when calling `cublasSgemm`"}),
    ),
    "no all-reduce": Node(
        ["nccl_failed"],
        "unhandled system error",
        driver(gpus=2),
        standin(count=2, faults={"all-reduce": "unhandled system error"}),
    ),
    "numpy 2, torch for 1": Node(["numpy_mismatch"], "numpy 2.2.6", driver(), NUMPY_2 + standin(count=1, numpy=1)),
    "another GPU": Node(["device_type_mismatch"], "NVIDIA TITAN V (7.0)", driver(), expected={"expect_gpu": ["h100"]}),
}


def look(prefix: pathlib.Path, node: Node, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> dict[str, t.Any]:
    for variable in list(os.environ):
        monkeypatch.delenv(variable)
    for variable, value in {**scene.environment(), **node.variables}.items():
        monkeypatch.setenv(variable, value)
    asked = Asked(prefix=str(prefix), **node.expected)
    report = run_probe(str(prefix), None, node.timeout, node.device_timeout, asked.expect_devices, str(scene.root))
    return result(report, asked)


def check(found: dict[str, t.Any], node: Node) -> None:
    assert [reason["code"] for reason in found["reasons"]] == node.codes, found["reasons"]
    assert node.said in found["reasons"][0]["message"], found["reasons"]
    assert found["verdict"] == "failed"


@pytest.mark.parametrize("name", NODES)
def test_a_cause_is_told_apart_from_all_others(
    name: str, scene: Scene, make_env: MakeEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = NODES[name]
    node.make(scene)
    check(look(make_env(torch=node.torch), node, scene, monkeypatch), node)


# As a device cgroup answers: the rights of the file are as they were, and it does not open.
BARRED = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
static int barred(const char *path)
{
    const char *name = strrchr(path, '/');
    errno = EPERM;
    return name && !strcmp(name, "/nvidia1");
}
#define OPEN(NAME)                                                                     \\
    int NAME(const char *path, int flags, int mode)                                    \\
    {                                                                                  \\
        int (*real)(const char *, int, int) = dlsym(RTLD_NEXT, #NAME);                 \\
        return barred(path) ? -1 : real(path, flags, mode);                            \\
    }
OPEN(open)
OPEN(open64)
"""


def test_a_cgroup_that_bars_a_gpu_outside_of_a_job(
    scene: Scene, make_env: MakeEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver(gpus=2, count=1)(scene)
    library(scene.root / "cgroup", "barred.so", BARRED)
    node = Node(
        ["slurm_cgroup", "device_count_mismatch"],
        "this process was given 1 of the node's 2 GPUs, its cgroup bars /dev/nvidia1 (EPERM)",
        lambda scene: None,
        variables={"LD_PRELOAD": str(scene.root / "cgroup" / "barred.so")},
        expected={"expect_devices": 2},
    )
    check(look(make_env(torch=ASKS), node, scene, monkeypatch), node)


def library(folder: pathlib.Path, soname: str, code: str, *options: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    command = ["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(folder / soname), "-Wl,-soname," + soname]
    subprocess.run([*command, *options], input=code, text=True, check=True)


# The package loads its own library, which finds cuDNN by RUNPATH: after LD_LIBRARY_PATH, as Spack and EasyBuild do.
LOADS = "import ctypes, os\nctypes.CDLL(os.path.join(os.path.dirname(__file__), 'lib', 'libtorch_cuda.so'))\n"


def torch_with_cudnn(prefix: pathlib.Path) -> pathlib.Path:
    """A torch whose libtorch_cuda.so calls the env's own cuDNN."""
    lib = site_packages(prefix) / "torch" / "lib"
    library(lib, "libcudnn.so.9", "int cudnnGraph(void) { return 9; }\n")
    calls = "int cudnnGraph(void); int torch_lab(void) { return cudnnGraph(); }\n"
    options = ["-L%s" % lib, "-l:libcudnn.so.9", "-Wl,--enable-new-dtags,-rpath,$ORIGIN", "-Wl,-z,now"]
    library(lib, "libtorch_cuda.so", calls, *options)
    return lib


@pytest.mark.parametrize("preload", [False, True])
def test_a_library_that_comes_before_torchs_own(
    scene: Scene, make_env: MakeEnv, monkeypatch: pytest.MonkeyPatch, preload: bool
) -> None:
    prefix = make_env(torch=LOADS + standin(count=1))
    torch_with_cudnn(prefix)
    driver()(scene)
    scene.shadow("libcudnn.so.9", "libcublas.so.12", preload=preload)
    if preload:
        scene._library_folders.pop()
    node = Node(["ld_library_path_shadow"], "%s/opt/cuda/lib64/libcudnn.so.9" % scene.root, lambda scene: None)
    found = look(prefix, node, scene, monkeypatch)
    check(found, node)
    message = found["reasons"][0]["message"]
    assert message.startswith("LD_PRELOAD puts" if preload else "LD_LIBRARY_PATH puts")
    assert "undefined symbol: cudnnGraph" in message
    assert "libcublas" not in message


@pytest.mark.parametrize("soname", ["libstdc++.so.6", "libgomp.so.1", "libmkl_rt.so.2"])
def test_a_library_of_any_name_that_comes_before_the_environments(
    soname: str, scene: Scene, make_env: MakeEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a module of a compiler or of MKL puts it into LD_LIBRARY_PATH."""
    prefix = make_env(torch=LOADS + standin(count=1))
    lib = site_packages(prefix) / "torch" / "lib"
    library(lib, soname, "int lab_newer(void) { return 9; }\n")
    calls = "int lab_newer(void); int torch_lab(void) { return lab_newer(); }\n"
    options = ["-L%s" % lib, "-l:" + soname, "-Wl,--enable-new-dtags,-rpath,$ORIGIN", "-Wl,-z,now"]
    library(lib, "libtorch_cuda.so", calls, *options)
    driver()(scene)
    library(scene.root / "lib", soname, "int lab_older(void) { return 8; }\n")
    node = Node(["ld_library_path_shadow"], "undefined symbol: lab_newer", lambda scene: None)
    check(look(prefix, node, scene, monkeypatch), node)
    # The driver's library is found without the variable on a real node.
    (scene.root / "lib" / soname).unlink()
    assert look(prefix, node, scene, monkeypatch)["verdict"] == "ok"


def test_a_preloaded_library_in_which_python_dies(
    scene: Scene, make_env: MakeEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver()(scene)
    code = "#include <unistd.h>\n__attribute__((constructor)) static void lab(void) { _exit(9); }\n"
    library(scene.root / "site", "libmonitor.so", code)
    preload = {"LD_PRELOAD": str(scene.root / "site" / "libmonitor.so")}
    node = Node(["ld_library_path_shadow"], "LD_PRELOAD", lambda scene: None, variables=preload)
    found = look(make_env(torch=standin(count=1)), node, scene, monkeypatch)
    check(found, node)
    assert preload["LD_PRELOAD"] in found["reasons"][0]["message"]
    assert "LD_PRELOAD for torch" in found["reasons"][0]["remedy"]


def test_a_library_that_the_error_names_is_the_one_to_blame(
    scene: Scene, make_env: MakeEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not CUDA's, which lies in the same variable."""
    driver()(scene)
    scene.shadow("libcudnn.so.9")
    old = scene.root / "gcc" / "lib64"
    old.mkdir(parents=True)
    scene._library_folders.append(old)
    fails = "import os\nif 'gcc' in os.environ.get('LD_LIBRARY_PATH', ''):\n    raise ImportError(%r)\n"
    text = "%s/libstdc++.so.6: version `GLIBCXX_3.4.29' not found (required by /e/x.so)" % old
    node = Node(["ld_library_path_shadow"], "(%s/libstdc++.so.6), and without it it works" % old, lambda scene: None)
    check(look(make_env(torch=fails % text + standin(count=1)), node, scene, monkeypatch), node)


def test_an_import_that_fails_without_those_libraries_too_is_not_their_fault(
    scene: Scene, make_env: MakeEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver()(scene)
    scene.shadow("libcudnn.so.9")
    node = Node(["import_failed"], "libcudnn.so.8", lambda scene: None)
    check(look(make_env(torch="import ctypes; ctypes.CDLL('libcudnn.so.8')"), node, scene, monkeypatch), node)


def test_a_device_that_fails_with_the_wrong_library_only(
    scene: Scene, make_env: MakeEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver()(scene)
    scene.shadow("libcudnn_cnn.so.9")
    fails = (
        "\nif 'opt/cuda' in os.environ.get('LD_LIBRARY_PATH', ''):"
        " FAULTS[0, 'conv2d'] = 'CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH'\n"
    )
    node = Node(["ld_library_path_shadow"], "libcudnn_cnn.so.9), and without it it works", lambda scene: None)
    check(look(make_env(torch=standin(count=2) + fails), node, scene, monkeypatch), node)


def test_a_library_from_elsewhere_that_works_is_named(
    scene: Scene, make_env: MakeEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = make_env(torch=LOADS + standin(count=1))
    own = torch_with_cudnn(prefix) / "libcudnn.so.9"
    elsewhere = scene.shadow()
    library(elsewhere, "libcudnn.so.9", "int cudnnGraph(void) { return 8; }\n")
    found = look(prefix, Node([], "", lambda scene: None), scene, monkeypatch)
    assert (found["verdict"], found["reasons"]) == ("ok", [])
    assert found["shadowed"] == [
        {"name": "libcudnn.so.9", "path": str(elsewhere / "libcudnn.so.9"), "instead": os.path.realpath(own)}
    ]
    (elsewhere / "libcudnn.so.9").unlink()
    assert look(prefix, Node([], "", lambda scene: None), scene, monkeypatch)["shadowed"] == []


def test_a_torch_in_pythonpath(scene: Scene, make_env: MakeEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    other = scene.root / "other" / "torch"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text(standin(cuda=None))
    node = Node(["user_site_shadow"], str(other), driver(), variables={"PYTHONPATH": str(other.parent)}, expected={})
    check(look(make_env(torch=standin(count=1)), node, scene, monkeypatch), node)


def test_a_torch_below_the_home(scene: Scene, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix = tmp_path / "conda"
    (prefix / "bin").mkdir(parents=True)
    (prefix / "conda-meta").mkdir()
    # A copy would not find its library: what counts is that this python is no venv's.
    base = getattr(sys, "_base_executable", sys.executable)
    (prefix / "bin" / "python").symlink_to(base)
    own = scene.root / ".local" / "lib" / ("python%d.%d" % sys.version_info[:2]) / "site-packages" / "torch"
    own.mkdir(parents=True)
    (own / "__init__.py").write_text("raise ImportError('of another python')")
    node = Node(["user_site_shadow"], str(own), driver(), expected={})
    found = look(prefix, node, scene, monkeypatch)
    check(found, node)
    assert "it cannot be imported: of another python" in found["reasons"][0]["message"]
    assert "PYTHONNOUSERSITE=1" in found["reasons"][0]["remedy"]
    # The python itself, asked for by its path, may have its torch there.
    (own / "__init__.py").write_text(standin(count=1))
    monkeypatch.setenv("HOME", str(scene.root))
    plain = result(run_probe(None, str(prefix / "bin" / "python"), 60), Asked(python=str(base)))
    assert (plain["verdict"], plain["python"]["user_site"]) == ("ok", str(own.parent))


def test_every_code_has_its_node() -> None:
    here = {code for node in NODES.values() for code in node.codes}
    assert here | {"ld_library_path_shadow", "user_site_shadow", "bad_setting"} == set(codes())


SETTING = "import os\nif 'PYTORCH_CUDA_ALLOC_CONF' in os.environ: "
# Other settings, and variables of NVIDIA's images, whose values any error may have in it.
UNSET = {
    "PYTORCH_CUDA_ALLOC_CONF": "nonsense:1",
    "NVIDIA_PRODUCT_NAME": "nonsense",
    "NCCL_VERSION": "nonsense",
    "OMP_NUM_THREADS": "4",
    "CUDA_LAUNCH_BLOCKING": "1",
    "TORCH_SHOW_CPP_STACKTRACES": "1",
}


@pytest.mark.parametrize(
    ("torch", "said"),
    {
        "import": (SETTING + "raise ValueError('bad nonsense')\n" + standin(count=1), "with it: bad nonsense"),
        "GPU": (
            standin(count=1) + "\n" + SETTING + "FAULTS[0] = 'device 0 is nonsense'",
            "matmul: device 0 is nonsense",
        ),
        "GPU that looks broken": (
            standin(count=1) + "\n" + SETTING + "FAULTS[0] = 'nonsense: an illegal memory access'",
            "illegal memory access",
        ),
        "GPU in which the probe dies": (
            standin(count=1) + "\n" + SETTING + "FAULTS[0] = 'crash'",
            "with it: matmul: died",
        ),
        "all-reduce": (
            standin(count=2) + "\n" + SETTING + "FAULTS['all-reduce'] = 'no nonsense socket'",
            "it: no nonsense socket",
        ),
        "all-reduce in which the probe dies": (
            standin(count=2) + "\n" + SETTING + "FAULTS['all-reduce'] = 'crash'",
            "with it: the all-reduce: died by SIGSEGV",
        ),
    }.values(),
)
def test_a_setting_with_which_torch_fails(
    torch: str, said: str, scene: Scene, make_env: MakeEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver(gpus=2)(scene)
    prefix = make_env(torch=torch)
    node = Node(["bad_setting"], said, lambda scene: None, variables=UNSET)
    found = look(prefix, node, scene, monkeypatch)
    check(found, node)
    assert found["reasons"][0]["message"].startswith("PYTORCH_CUDA_ALLOC_CONF=nonsense:1 is set, and without it")
    assert look(prefix, node._replace(variables={}), scene, monkeypatch)["verdict"] == "ok"


def test_a_failure_without_the_settings_too_is_not_their_fault(
    scene: Scene, make_env: MakeEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver()(scene)
    faulty = standin(count=1, faults={0: "CUDA error: uncorrectable ECC error encountered"})
    node = Node(["device_failed"], "ECC", lambda scene: None, variables=UNSET)
    check(look(make_env(torch=faulty), node, scene, monkeypatch), node)


def test_a_failure_that_does_not_come_again_is_not_the_settings_fault(
    scene: Scene, make_env: MakeEnv, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    """Another job had the GPU for a moment: torch then works without the settings, and with them too."""
    driver()(scene)
    once = "import os\nif not os.path.exists({0!r}):\n    open({0!r}, 'w').close()\n    FAULTS[0] = 'CUDA error: ECC'"
    faulty = standin(count=1) + "\n" + once.format(str(tmp_path / "was here"))
    node = Node(["device_failed"], "ECC", lambda scene: None, variables=UNSET)
    check(look(make_env(torch=faulty), node, scene, monkeypatch), node)


@pytest.mark.parametrize("task", ["device files", "kernel log", "libcuda", "NVML"])
def test_a_look_that_hangs_does_not_hide_the_cause(
    task: str, scene: Scene, make_env: MakeEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver({"cuInit": 802}, hang="cuInit" if task == "libcuda" else "none")(scene)
    if task == "NVML":
        scene.nvml(hang="nvmlInit_v2")
    if task in ("device files", "kernel log"):
        # Opening a FIFO to read waits for nobody here; a node that hangs the opener is not to be had without a driver.
        os.mkfifo(scene.dev / ("kmsg" if task == "kernel log" else "nvidia9"))
    fails = "\nstart = lambda: 802\n"
    node = Node(["fabric_manager_802"], "not ready", lambda scene: None, device_timeout=2)
    found = look(make_env(torch=standin("13.0", None) + fails), node, scene, monkeypatch)
    check(found, node)
    assert found["node"]["driver"] == "580.65.06"
