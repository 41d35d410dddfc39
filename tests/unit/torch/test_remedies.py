"""The remedy of each reason code, carried out on a node of the lab: it fits what was found, and the reason goes away.

A remedy that the lab cannot carry out has a row in NOT_HERE, which says why.
"""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.diagnose.stages import codes

from .conftest import MakeEnv, site_packages
from .lab.scene import Scene
from .standin import standin
from .test_causes import (
    ASKS,
    BARRED,
    BUSY,
    HMM,
    LOADS,
    MIG,
    NUMPY_2,
    XID,
    Node,
    also,
    driver,
    library,
    look,
    torch_with_cudnn,
    visible,
)

JOB = {"SLURM_JOB_ID": "7"}


class Remedy(t.NamedTuple):
    """One remedy.

    :arg code: of the first reason.
    :arg broken: the node as it is.
    :arg words: parts of the remedy; :arg never: what it must not say.
    :arg done: carries it out on the node and its environment.
    :arg changed: what the caller changes: the variables, the expectations.
    """

    code: str
    broken: Node
    words: tuple[str, ...]
    never: tuple[str, ...] = ()
    done: t.Callable[[Scene, pathlib.Path], t.Any] = lambda scene, prefix: None
    changed: dict[str, t.Any] = {}


def node(make: t.Callable[[Scene], t.Any], torch: str | None = ASKS, **more: t.Any) -> Node:
    return Node([], "", make, torch, **more)


def now(make: t.Callable[[Scene], t.Any]) -> t.Callable[[Scene, pathlib.Path], t.Any]:
    """The node becomes what *make* makes."""
    return lambda scene, prefix: make(scene)


def install(torch: str) -> t.Callable[[Scene, pathlib.Path], t.Any]:
    """Another torch in the environment."""

    def done(scene: Scene, prefix: pathlib.Path) -> None:
        (site_packages(prefix) / "torch").mkdir(exist_ok=True)
        (site_packages(prefix) / "torch" / "__init__.py").write_text(torch)

    return done


def file(name: str, text: str = "") -> t.Callable[[Scene], t.Any]:
    """A file of the node."""

    def make(scene: Scene) -> None:
        path = scene.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return make


def pci(scene: Scene) -> None:
    """An NVIDIA GPU on the bus, its sound, and a network card."""
    for slot, vendor, kind in (
        ("1:00.0", "10de", "030200"),
        ("1:00.1", "10de", "040300"),
        ("2:00.0", "8086", "020000"),
    ):
        file("sys/bus/pci/devices/0000:0%s/vendor" % slot, "0x%s\n" % vendor)(scene)
        file("sys/bus/pci/devices/0000:0%s/class" % slot, "0x%s\n" % kind)(scene)


def no_gpu_on_pci(scene: Scene) -> None:
    file("sys/bus/pci/devices/0000:02:00.0/vendor", "0x8086\n")(scene)
    file("sys/bus/pci/devices/0000:02:00.0/class", "0x020000\n")(scene)


def barred(scene: Scene) -> None:
    """A cgroup that bars every device file, as a container has it after systemctl daemon-reload."""
    code = BARRED.replace('!strcmp(name, "/nvidia1")', 'name && !strncmp(name, "/nvidia", 7)')
    library(scene.root / "cgroup", "barred.so", code)
    scene._preload.append(scene.root / "cgroup" / "barred.so")


def unbarred(scene: Scene) -> None:
    scene._preload.clear()
    scene.libcuda(count=1)


def no_libraries(scene: Scene) -> None:
    """The driver's libraries are gone."""
    (scene.root / "lib" / "libcuda.so.1").unlink()


def broken_library(scene: Scene) -> None:
    driver()(scene)
    no_libraries(scene)
    (scene.root / "lib" / "libcuda.so.1").write_bytes(b"\x7fELF")


def whole_library(scene: Scene) -> None:
    (scene.root / "lib" / "libcuda.so.1").unlink()
    scene.libcuda()


def wsl_library(scene: Scene) -> None:
    scene.libcuda("usr/lib/wsl/lib")


def no_variables_of_libraries(scene: Scene, prefix: pathlib.Path) -> None:
    scene._library_folders.clear()
    scene._preload.clear()


INTERNAL = (
    "\nif not os.environ.get('CUDA_VISIBLE_DEVICES', '').startswith('MIG-'):\n"
    "    start = lambda: 'device >= 0 && device < num_gpus INTERNAL ASSERT FAILED at CUDAContext.cpp'\n"
)
# Torch 2.4 with numbers, or nothing, in CUDA_VISIBLE_DEVICES: by NVML it counts two GPUs, by CUDA one instance.
MIG_24 = standin("12.4", None) + INTERNAL
INSTANCES = also(driver(gpus=2, count=1), lambda scene: scene.nvml(count=2, mig=1, instances=2))
NO_LIB = "import ctypes; ctypes.CDLL('libx.so.7')\n"
COMPUTES = standin("13.0", 1)
ROCM = standin(None, 0).replace('git_version = "abc"', 'git_version, hip = "abc", "6.0.32830-d62f6a171"')
DOCKER = file(".dockerenv")
OLD_LIBSTDCXX = "/libstdc++.so.6: version `GLIBCXX_3.4.29' not found (required by /e/x.so)"
OWN_LIBSTDCXX = "import sys; raise ImportError(%%s + %r)" % OLD_LIBSTDCXX
GRES = ("--gres", "Slurm")
REMEDIES = {
    "a hang": Remedy(
        "probe_timeout",
        node(driver(gpus=1), standin(count=1, faults={0: "hang"}), device_timeout=2),
        ("raise device_timeout if it is only slow", "reboot"),
        done=install(standin(count=1)),
    ),
    "no torch": Remedy(
        "torch_missing", node(driver(), None), ("install torch into that environment",), done=install(COMPUTES)
    ),
    "PYTHONPATH": Remedy(
        "user_site_shadow",
        node(
            also(driver(), file("code/numbers.py", "this is no Python")),
            "import numbers\n" + COMPUTES,
            variables={"PYTHONPATH": "{root}/code"},
        ),
        ("unset PYTHONPATH", "remove {root}/code from it"),
        changed={"variables": {}},
    ),
    "LD_LIBRARY_PATH": Remedy(
        "ld_library_path_shadow",
        node(also(driver(), lambda scene: scene.shadow("libcudnn.so.9")), LOADS + standin(count=1)),
        ("do not set LD_LIBRARY_PATH for torch",),
        done=no_variables_of_libraries,
    ),
    "a setting": Remedy(
        "bad_setting",
        node(
            driver(),
            "import os\nif 'TORCH_LOGS' in os.environ: raise ValueError('Invalid log settings: nonsense')\n" + COMPUTES,
            variables={"TORCH_LOGS": "nonsense", "OMP_NUM_THREADS": "2"},
        ),
        ("unset TORCH_LOGS in the job",),
        ("OMP_NUM_THREADS", "install"),
        changed={"variables": {"OMP_NUM_THREADS": "2"}},
    ),
    "a library that is missing": Remedy(
        "import_failed",
        node(driver(), NO_LIB + COMPUTES),
        ("install the package that brings the library",),
        ("unset",),
        done=lambda scene, prefix: library(scene.root / "lib", "libx.so.7", "int x;"),
    ),
    "wrong sums on the CPU": Remedy(
        "compute_failed",
        node(driver(), standin("13.0", 1, faults={"cpu": "wrong"})),
        ("repair the environment",),
        ("unset",),
        done=install(COMPUTES),
    ),
    "numpy 2": Remedy(
        "numpy_mismatch",
        node(driver(), NUMPY_2 + standin("12.1", 1, numpy=1).replace("1.4.0", "2.2.2")),
        ("install numpy below 2",),
        done=install(NUMPY_2.replace("2.2.6", "1.26.4") + standin("12.1", 1, numpy=1)),
    ),
    "a build without CUDA": Remedy(
        "cpu_only_build", node(driver(), standin(None)), ("ask for a CUDA build by name",), done=install(COMPUTES)
    ),
    "no GPU in the node": Remedy(
        "no_driver",
        node(no_gpu_on_pci),
        ("nothing if no GPU is wanted; otherwise run on a node that has GPUs",),
        ("install",),
        done=now(driver()),
    ),
    "a GPU and no driver": Remedy(
        "no_driver", node(pci), ("otherwise install the NVIDIA driver",), ("run on",), done=now(driver())
    ),
    "a driver that is not loaded": Remedy(
        "no_driver",
        node(also(pci, lambda scene: scene.libcuda(errors={"cuInit": 100}))),
        ("modprobe nvidia",),
        done=now(driver()),
    ),
    "no libraries of the driver": Remedy(
        "no_driver",
        node(also(driver(), no_libraries)),
        ("install the driver's libraries of its release, 580.65.06",),
        ("again",),
        done=now(driver()),
    ),
    "a broken library of the driver": Remedy(
        "no_driver", node(broken_library), ("580.65.06 again", "is broken"), done=now(whole_library)
    ),
    "a container without GPUs": Remedy(
        "no_driver",
        node(also(driver(), no_libraries, DOCKER)),
        ("start the container with its GPUs (docker run --gpus all",),
        ("install",),
        done=now(driver()),
    ),
    "WSL": Remedy(
        "no_driver",
        node(file("dev/dxg")),
        ("WSL is not a platform of this collection", "put /usr/lib/wsl/lib into LD_LIBRARY_PATH"),
        ("install the", "modprobe"),
        done=now(wsl_library),
    ),
    "a stub": Remedy(
        "stub_or_compat_libcuda",
        node(also(driver(), lambda scene: scene._library_folders.clear(), lambda scene: scene.stub_libcuda())),
        ("remove {root}/cuda/lib64/stubs from LD_LIBRARY_PATH",),
        ("ld.so.conf",),
        done=lambda scene, prefix: scene._library_folders.__setitem__(slice(None), [scene.root / "lib"]),
    ),
    "cuda-compat": Remedy(
        "stub_or_compat_libcuda",
        node(also(driver(), lambda scene: scene._library_folders.clear(), lambda scene: scene.compat_libcuda())),
        ("remove {root}/cuda/compat from LD_LIBRARY_PATH",),
        done=lambda scene, prefix: scene._library_folders.__setitem__(slice(None), [scene.root / "lib"]),
    ),
    "an upgrade without a reboot": Remedy(
        "stub_or_compat_libcuda",
        node(driver({"cuInit": 803}, release="570.124.06")),
        ("reboot the node",),
        done=now(driver()),
    ),
    "libraries in an image": Remedy(
        "stub_or_compat_libcuda",
        node(also(driver({"cuInit": 803}, release="570.124.06"), DOCKER)),
        ("take the driver's libraries out of the image", "--gpus"),
        ("reboot",),
        done=now(driver()),
    ),
    "an old driver, another build": Remedy(
        "driver_too_old",
        node(driver(version=11040)),
        ("a build of the same torch for a lower CUDA",),
        done=install(standin("11.8", None, needs=11000)),
    ),
    "an old driver, a new one": Remedy(
        "driver_too_old", node(driver(version=11040)), ("install a driver from 580 on",), done=now(driver())
    ),
    "fabric": Remedy(
        "fabric_manager_802",
        node(driver({"cuInit": 802})),
        ("systemctl enable --now nvidia-fabricmanager) of exactly the driver's release 580.65.06",),
        ("container",),
        done=now(driver()),
    ),
    "prohibited": Remedy(
        "exclusive_or_busy",
        node(also(driver({"cuInit": 46}), lambda scene: scene.nvml(compute_mode=2))),
        ("nvidia-smi -c DEFAULT",),
        done=now(also(driver(), lambda scene: scene.nvml(compute_mode=0))),
    ),
    "busy": Remedy(
        "exclusive_or_busy",
        node(driver(), standin("13.0", None, faults={0: BUSY})),
        ("another job, or processes that a job left behind",),
        ("-c DEFAULT", "out of service"),
        done=install(ASKS),
    ),
    "a job without GPUs": Remedy(
        "slurm_cgroup",
        node(driver({"cuInit": 100}, gpus=2, closed=2), variables=JOB),
        ("--gres=gpu:N",),
        ("container",),
        done=now(driver(gpus=2)),
    ),
    "a container that lost its GPUs": Remedy(
        "slurm_cgroup",
        node(also(driver({"cuInit": 100}), barred, DOCKER)),
        ("daemon-reload", "start it again", "--device"),
        GRES,
        done=now(unbarred),
    ),
    "a place that nobody knows": Remedy(
        "slurm_cgroup",
        node(also(driver({"cuInit": 100}), barred)),
        ("in a container: ", "daemon-reload"),
        ("--gres",),
        done=now(unbarred),
    ),
    "a login into a node": Remedy(
        "slurm_cgroup",
        node(
            also(driver({"cuInit": 100}), barred, file("proc/self/cgroup", "0::/system.slice/slurmstepd.scope/job_7\n"))
        ),
        ("run inside a job that has GPUs (--gres=gpu:N)",),
        ("container",),
        done=now(unbarred),
    ),
    "a variable": Remedy(
        "cuda_visible_devices",
        node(driver({"cuInit": 100}), variables=visible("-1")),
        ("unset CUDA_VISIBLE_DEVICES",),
        GRES,
        done=now(driver()),
        changed={"variables": {}},
    ),
    "MIG without instances": Remedy(
        "mig",
        node(also(driver({"cuInit": 100}), lambda scene: scene.nvml(mig=1, instances=0))),
        ("create instances (nvidia-smi mig -cgi ... -C)",),
        done=now(driver()),
    ),
    "instances, and none named": Remedy(
        "mig",
        node(INSTANCES, MIG_24),
        ("set CUDA_VISIBLE_DEVICES=MIG-", "nvidia-smi -L", "AutoDetect=nvml"),
        ("create", "turn MIG off"),
        changed={"variables": MIG},
    ),
    "instances, and numbers": Remedy(
        "mig",
        node(INSTANCES, MIG_24, variables=visible("0,1")),
        ("set CUDA_VISIBLE_DEVICES=MIG-",),
        ("create", "turn MIG off"),
        changed={"variables": MIG},
    ),
    "instances, in a job": Remedy(
        "mig",
        node(INSTANCES, MIG_24, variables={**JOB, **visible("0")}),
        ("ask Slurm for an instance (--gres=gpu:1g.10gb:1", "AutoDetect=nvml"),
        ("create", "turn MIG off"),
        changed={"variables": {**JOB, **MIG}},
    ),
    "HMM": Remedy(
        "hmm_kaslr",
        node(also(driver({"cuInit": 999}), lambda scene: scene.kernel_log(HMM))),
        ("uvm_disable_hmm=1",),
        done=now(driver()),
    ),
    "no nvidia-uvm": Remedy(
        "missing_uvm",
        node(driver({"cuInit": 999}, uvm=False)),
        ("nvidia-modprobe -u -c=0",),
        done=now(driver()),
    ),
    "no nvidia-uvm in a container": Remedy(
        "missing_uvm",
        node(also(driver({"cuInit": 999}, uvm=False), DOCKER)),
        ("start the container with its GPUs",),
        ("nvidia-modprobe",),
        done=now(driver()),
    ),
    "after a suspend": Remedy(
        "cuda_unavailable",
        node(driver({"cuInit": 999})),
        ("modprobe -r nvidia_uvm && modprobe nvidia_uvm",),
        done=now(driver()),
    ),
    "no address space": Remedy(
        "cuda_unavailable", node(driver({"cuInit": 2})), ("ulimit -v unlimited",), done=now(driver())
    ),
    "torch alone does not start": Remedy(
        "cuda_unavailable",
        node(driver(), standin("13.0", None) + "\nstart = lambda: 'libcudart.so.13: undefined symbol: x'\n"),
        ("install torch again", "the node's driver works"),
        ("nvidia-smi",),
        done=install(ASKS),
    ),
    "a torch for ROCm": Remedy(
        "cuda_unavailable",
        node(driver(), ROCM),
        ("ROCm is not a platform of this collection", "install a build for CUDA"),
        ("nvidia-smi",),
        done=install(ASKS),
    ),
    "an old GPU": Remedy(
        "arch_mismatch",
        node(driver(capability=52), standin("13.0", None, archs=["sm_75", "sm_90"])),
        ("hpc.pytorch.torch_build", "gpus: ['5.2']"),
        ("out of service",),
        done=install(standin("12.6", None, archs=["sm_52", "sm_75"])),
    ),
    "cuDNN without kernels": Remedy(
        "cudnn_too_new",
        node(driver(), standin("12.8", 1, faults={(0, "conv2d"): "unable to find an engine"}).replace("7603", "91400")),
        ("pip install 'nvidia-cudnn-cu12<9.11'", "cudnn<9.11"),
        ("out of service",),
        done=install(standin("12.8", 1).replace("7603", "91002")),
    ),
    "cuBLAS": Remedy(
        "library_failed",
        node(driver(), standin("13.0", 1, faults={0: "CUBLAS_STATUS_NOT_SUPPORTED"})),
        ("install torch again together with its CUDA libraries",),
        ("out of service",),
        done=install(COMPUTES),
    ),
    "a crash": Remedy(
        "device_failed",
        node(driver(), standin("13.0", 1, faults={0: "crash"})),
        ("install torch again",),
        ("out of service",),
        done=install(COMPUTES),
    ),
    "no NCCL": Remedy(
        "nccl_failed",
        node(driver(gpus=2), standin("13.0", 2, nccl=None)),
        ("install a build with NCCL",),
        done=install(standin("13.0", 2)),
    ),
    "another GPU": Remedy(
        "device_type_mismatch",
        node(driver(), expected={"expect_gpu": ["h100"]}),
        ("correct the GPU type in the inventory",),
        changed={"expected": {"expect_gpu": ["titan-v"]}},
    ),
    "one of two": Remedy(
        "device_count_mismatch",
        node(driver(), expected={"expect_devices": 2}),
        ("compare nvidia-smi -L, what the job asked for (--gres, CUDA_VISIBLE_DEVICES) and the expectation",),
        changed={"expected": {"expect_devices": 1}},
    ),
}
# A situation whose remedy cannot be carried out here, and why not. What it says is tested all the same.
NOT_HERE = {
    "an old libstdc++ of the environment: the compiler's of this machine cannot be older than itself": Remedy(
        "import_failed",
        node(driver(), OWN_LIBSTDCXX % "sys.prefix + '/lib'"),
        ("install the newest libstdcxx-ng into the environment", "its own"),
        ("unset", "older torch"),
    ),
    "an old libstdc++ of the node, for a virtual environment": Remedy(
        "import_failed",
        node(driver(), OWN_LIBSTDCXX % "'/usr/lib64'"),
        ("install an older torch or use a newer node",),
        ("unset",),
    ),
    "broken hardware: a GPU cannot be exchanged": Remedy(
        "device_failed",
        node(also(driver(), lambda scene: scene.kernel_log(XID)), standin(count=1, faults={0: "CUDA error: ECC"})),
        ("take the device or the node out of service",),
    ),
    "a lost GPU: the files of a real node that was rebooted": Remedy(
        "cuda_unavailable",
        node(driver({"cuInit": 214}, closed=1)),
        ("reboot the node", "lost the GPU"),
    ),
    "a Jetson: there is no build for it": Remedy(
        "no_driver", node(file("etc/nv_tegra_release")), ("Jetson is not a platform",), ("install the NVIDIA driver",)
    ),
    "AMD's GPUs: there is no build for them": Remedy(
        "no_driver",
        node(also(no_gpu_on_pci, file("dev/kfd"))),
        ("AMD's GPUs are not a platform of this collection", "render"),
        ("install the NVIDIA driver",),
    ),
    "P2P by the hardware": Remedy(
        "nccl_failed",
        node(driver(gpus=2), standin("13.0", 2, faults={"all-reduce": "unhandled system error"})),
        ("NCCL_DEBUG=INFO", "NCCL_P2P_DISABLE=1", "/dev/shm"),
    ),
}


def look_at(remedy: Remedy, scene: Scene, prefix: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, t.Any]:
    values = {name: value.replace("{root}", str(scene.root)) for name, value in remedy.broken.variables.items()}
    return look(prefix, remedy.broken._replace(variables=values), scene, monkeypatch)


def check_words(remedy: Remedy, found: dict[str, t.Any], scene: Scene) -> None:
    assert (found["verdict"], found["reasons"][0]["code"]) == ("failed", remedy.code), found["reasons"]
    said = found["reasons"][0]["remedy"]
    for part in remedy.words:
        assert part.replace("{root}", str(scene.root)) in said
    for part in remedy.never:
        assert part not in said


@pytest.mark.parametrize("name", REMEDIES)
def test_a_remedy_carried_out(name: str, scene: Scene, make_env: MakeEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    remedy = REMEDIES[name]
    prefix = make_env(torch=remedy.broken.torch)
    if remedy.code == "ld_library_path_shadow":
        torch_with_cudnn(prefix)
    remedy.broken.make(scene)
    check_words(remedy, look_at(remedy, scene, prefix, monkeypatch), scene)
    remedy.done(scene, prefix)
    after = remedy._replace(broken=remedy.broken._replace(**remedy.changed))
    found = look_at(after, scene, prefix, monkeypatch)
    assert (found["verdict"], found["reasons"]) == ("ok", [])


@pytest.mark.parametrize("name", NOT_HERE)
def test_a_remedy_that_is_not_to_be_carried_out_here(
    name: str, scene: Scene, make_env: MakeEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    remedy = NOT_HERE[name]
    remedy.broken.make(scene)
    prefix = make_env(torch=remedy.broken.torch)
    check_words(remedy, look_at(remedy, scene, prefix, monkeypatch), scene)


def test_every_code_has_a_remedy_here() -> None:
    assert {remedy.code for remedy in REMEDIES.values()} == set(codes())
