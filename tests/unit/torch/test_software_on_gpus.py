"""Errors on a GPU that are not the GPU's: cuDNN without kernels, libraries that fail, two packages with one library."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import typing as t
import zipfile

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.asked import Asked
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.diagnose.verdict import result
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.run import run_probe

from .conftest import MakeEnv, site_packages
from .lab.scene import Scene
from .standin import standin

OUT_OF_SERVICE = "out of service"
# What torch reports of the convolution on a V100 with cuDNN 9.11 and newer.
NO_ENGINE = "GET was unable to find an engine to execute this computation"


def look(prefix: pathlib.Path, scene: Scene | None = None) -> dict[str, t.Any]:
    root = str(scene.root) if scene else ""
    return result(run_probe(str(prefix), None, 60, root=root), Asked(prefix=str(prefix)))


def with_cudnn(number: int, torch: str) -> str:
    assert "return 7603" in torch
    return torch.replace("return 7603", "return %d" % number)


@pytest.mark.parametrize(
    "error",
    [
        NO_ENGINE,
        "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED_CUDART",
        "cuDNN error: CUDNN_STATUS_ARCH_MISMATCH",
        "CUDA error: no kernel image is available for execution on the device",
        "crash",
    ],
)
def test_a_cudnn_that_left_the_gpu_behind_is_not_the_gpus_fault(make_env: MakeEnv, error: str) -> None:
    torch = standin(cuda="12.8", count=2, faults={(0, "conv2d"): error, (1, "conv2d"): error})
    found = look(make_env(torch=with_cudnn(91400, torch)))
    assert (found["verdict"], [item["code"] for item in found["reasons"]]) == ("failed", ["cudnn_too_new"])
    reason = found["reasons"][0]
    assert "cuDNN 9.14.0 has no kernels for compute capability 7.0 (device 0" in reason["message"]
    assert "nvidia-cudnn-cu12<9.11" in reason["remedy"] and "['7.0']" in reason["remedy"]
    assert OUT_OF_SERVICE not in reason["remedy"]


def test_the_remedy_of_cudnn_carried_out(make_env: MakeEnv) -> None:
    """As the libraries behave: an older cuDNN convolves, and a newer one that is not asked to does no harm."""
    torch = standin(cuda="12.8", count=1, faults={(0, "conv2d"): NO_ENGINE})
    behaves = "\nif backends.cudnn.version() < 91100: FAULTS.clear()\n"
    assert look(make_env(torch=with_cudnn(91100, torch) + behaves, name="new"))["verdict"] == "failed"
    assert look(make_env(torch=with_cudnn(91002, torch) + behaves, name="old"))["verdict"] == "ok"
    assert look(make_env(torch=with_cudnn(91400, standin(cuda="12.8", count=1)), name="falls back"))["verdict"] == "ok"


def test_cuda_13_has_no_older_cudnn(make_env: MakeEnv) -> None:
    torch = standin(cuda="13.0", count=1, faults={(0, "conv2d"): NO_ENGINE})
    remedy = look(make_env(torch=with_cudnn(91400, torch)))["reasons"][0]["remedy"]
    assert "pip install" not in remedy and "lower CUDA" in remedy


@pytest.mark.parametrize(
    "fault, code",
    [
        ({(0, "copy"): "Triton Error [CUDA]: invalid argument"}, "library_failed"),
        ({0: "CUDA error: CUBLAS_STATUS_NOT_SUPPORTED when calling `cublasSgemm`"}, "library_failed"),
        ({0: "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"}, "library_failed"),
        ({(0, "conv2d"): "cuDNN error: CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH"}, "library_failed"),
        ({(0, "conv2d"): "Could not load library libcudnn_cnn_infer.so.8"}, "library_failed"),
        ({0: "nvrtc: error: invalid value for --gpu-architecture (-arch)"}, "library_failed"),
        ({0: "CUDA error: operation not supported"}, "library_failed"),
        ({(0, "conv2d"): NO_ENGINE}, "library_failed"),
        # cuDNN without kernels convolves nothing; it has no part in these.
        ({0: "CUDA out of memory. Tried to allocate 20.00 MiB"}, "exclusive_or_busy"),
        ({(0, "conv2d"): "CUDA out of memory. Tried to allocate 20.00 MiB"}, "exclusive_or_busy"),
        ({0: "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"}, "exclusive_or_busy"),
        ({0: "CUDA error: something that nobody has seen"}, "device_failed"),
        ({0: "crash"}, "device_failed"),
    ],
)
def test_errors_of_software_take_no_gpu_out_of_service(make_env: MakeEnv, fault: dict[t.Any, str], code: str) -> None:
    found = look(make_env(torch=standin(cuda="12.8", count=1, faults=fault)))
    assert [item["code"] for item in found["reasons"]] == [code]
    assert OUT_OF_SERVICE not in found["reasons"][0]["remedy"]


XID = "NVRM: Xid (PCI:0000:01:00): %d, pid=1, name=python, something"


@pytest.mark.parametrize(
    "error, log, out",
    [
        ("CUDA error: uncorrectable ECC error encountered", None, True),
        ("CUDA error: an illegal instruction was encountered", None, True),
        ("CUDA error: unspecified launch failure", None, True),
        ("wrong", None, True),
        ("crash", XID % 79, True),
        ("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm`", XID % 95, True),
        # Of a program that read where nothing is, not of the GPU.
        ("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm`", XID % 31, False),
    ],
)
def test_broken_hardware_is_told_from_the_rest(
    make_env: MakeEnv, scene: Scene, error: str, log: str | None, out: bool
) -> None:
    scene.kernel_module()
    scene.devices()
    if log:
        scene.kernel_log(log)
    found = look(make_env(torch=standin(cuda="12.8", count=1, faults={0: error})), scene)
    assert [item["code"] for item in found["reasons"]] == ["device_failed" if out else "library_failed"]
    assert (OUT_OF_SERVICE in found["reasons"][0]["remedy"]) is out


def compiled(code: str, folder: pathlib.Path, name: str, *options: str) -> pathlib.Path:
    folder.mkdir(parents=True, exist_ok=True)
    command = ["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(folder / name), "-Wl,-soname," + name]
    subprocess.run([*command, *options], input=code, text=True, check=True)
    return folder / name


def wheel(
    folder: pathlib.Path, name: str, version: str, files: dict[str, bytes], requires: t.Sequence[str] = ()
) -> None:
    """A wheel that pip installs."""
    stem = "%s-%s" % (name.replace("-", "_"), version)
    metadata = "Metadata-Version: 2.1\nName: %s\nVersion: %s\n" % (name, version)
    metadata += "".join("Requires-Dist: %s\n" % item for item in requires)
    info = {"METADATA": metadata, "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
    every = {**files, **{"%s.dist-info/%s" % (stem, key): text.encode() for key, text in info.items()}}
    record = "".join("%s,,\n" % path for path in [*every, stem + ".dist-info/RECORD"])
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / (stem + "-py3-none-any.whl"), "w") as archive:
        for path, data in {**every, stem + ".dist-info/RECORD": record.encode()}.items():
            archive.writestr(path, data)


LOADS = "import ctypes, os\nctypes.CDLL(os.path.join(os.path.dirname(__file__), 'lib', 'libtorch_cuda.so'))\n"


@pytest.mark.slow
def test_two_packages_with_one_library_and_the_remedy_carried_out(tmp_path: pathlib.Path) -> None:
    """As nvidia-nccl-cu11 over nvidia-nccl-cu12 (torch 2.2.2): real wheels, real pip, the real error of the linker."""
    wheels, made = tmp_path / "wheels", tmp_path / "made"
    new = compiled("int ncclCommRegister(void) { return 0; }", made / "new", "libnccl.so.2").read_bytes()
    old = compiled("int other(void) { return 0; }", made / "old", "libnccl.so.2").read_bytes()
    uses = "int ncclCommRegister(void); int torch_lab(void) { return ncclCommRegister(); }"
    options = ["-L%s" % (made / "new"), "-l:libnccl.so.2", "-Wl,-rpath,$ORIGIN/../../nvidia/nccl/lib", "-Wl,-z,now"]
    torch = compiled(uses, made, "libtorch_cuda.so", *options).read_bytes()
    files = {"torch/__init__.py": (LOADS + standin(count=1)).encode(), "torch/lib/libtorch_cuda.so": torch}
    wheel(wheels, "torch", "2.2.2", files, ["nvidia-nccl-cu12 (==2.19.3) ; platform_system == 'Linux'"])
    for cuda, version, library in (("12", "2.19.3", new), ("11", "2.21.5", old)):
        wheel(wheels, "nvidia-nccl-cu" + cuda, version, {"nvidia/nccl/lib/libnccl.so.2": library})
    wheel(wheels, "fancy", "1.0", {"fancy.py": b""}, ["nvidia-nccl-cu11"])
    prefix = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", str(prefix)], check=True)

    def pip(*arguments: str) -> None:
        command = [str(prefix / "bin" / "python"), "-m", "pip", *arguments]
        index = ["--no-index", "--find-links", str(wheels)] if "install" in arguments else []
        subprocess.run([*command, *index, "--quiet"], check=True)

    pip("install", "torch")
    assert look(prefix)["verdict"] == "ok"
    pip("install", "fancy")
    found = look(prefix)
    assert [item["code"] for item in found["reasons"]] == ["import_failed"]
    reason = found["reasons"][0]
    assert "undefined symbol: ncclCommRegister" in reason["message"]
    for name in ("nvidia-nccl-cu11 2.21.5", "nvidia-nccl-cu12 2.19.3"):
        assert "%s (%s/" % (name, site_packages(prefix)) in reason["message"]
    commands, _then, rest = reason["remedy"].partition("; ")
    assert "do without fancy 1.0" in rest
    for command in commands.split(", then "):
        assert command.startswith("python -m pip ")
        pip(*command.split()[3:])
    assert look(prefix)["verdict"] == "ok"
    # Two that do no harm are no fault.
    pip("install", "nvidia-nccl-cu11")
    pip("install", "--force-reinstall", "--no-deps", "nvidia-nccl-cu12")
    assert look(prefix)["verdict"] == "ok"


def records(prefix: pathlib.Path, *names: str) -> None:
    for name in names:
        place = site_packages(prefix) / (name + ".dist-info")
        place.mkdir()
        (place / "METADATA").write_text("Requires-Dist: nvidia-cudnn-cu12==9.1.0.70\n" if "torch" in name else "")


def test_two_cudnns_are_named_where_cudnn_fails_and_not_for_another_error(make_env: MakeEnv) -> None:
    fault = {(0, "conv2d"): "cuDNN error: CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH"}
    prefix = make_env(torch=standin(cuda="12.4", count=1, faults=fault))
    records(prefix, "torch-2.4.1", "nvidia_cudnn_cu12-9.1.0.70", "nvidia_cudnn_cu13-9.13.0.50")
    reason = look(prefix)["reasons"][0]
    assert "nvidia-cudnn-cu13 9.13.0.50" in reason["message"]
    assert reason["remedy"] == (
        "python -m pip uninstall -y nvidia-cudnn-cu13, then python -m pip install --force-reinstall --no-deps"
        " nvidia-cudnn-cu12==9.1.0.70"
    )
    other = make_env(torch=standin(cuda="12.4", count=1, faults={0: "cublas: no"}), name="other")
    records(other, "torch-2.4.1", "nvidia_cudnn_cu12-9.1.0.70", "nvidia_cudnn_cu13-9.13.0.50")
    assert "cudnn" not in look(other)["reasons"][0]["message"]


def test_pips_cudnn_next_to_condas(make_env: MakeEnv) -> None:
    fault = {(0, "conv2d"): "cuDNN error: CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH"}
    prefix = make_env(torch=standin(cuda="12.9", count=1, faults=fault))
    records(prefix, "torch-2.13.0", "nvidia_cudnn_cu12-9.1.0.70")
    (site_packages(prefix) / "torch-2.13.0.dist-info" / "METADATA").write_text("")
    (prefix / "conda-meta").mkdir()
    for name in ("cudnn-9.10.2.21-h5ac0b4f_0", "nccl-2.27.3-x_0", "libnccl-2.27.3-x_0"):
        (prefix / "conda-meta" / (name + ".json")).write_text("{}")
    reason = look(prefix)["reasons"][0]
    assert str(prefix / "conda-meta" / "cudnn-9.10.2.21-h5ac0b4f_0.json") in reason["message"]
    assert reason["remedy"].startswith("python -m pip uninstall -y nvidia-cudnn-cu12, then repair the environment")
