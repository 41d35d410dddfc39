"""A node made of files: driver libraries that gcc makes, device nodes, what /proc says, nvidia-smi. README.md has more.

Libraries are compiled once per process; a scene gets copies, each with its own settings next to it.
"""

from __future__ import annotations

import errno
import functools
import json
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tempfile
import typing as t

HERE = pathlib.Path(__file__).resolve().parent
RELEASE = "580.65.06"
KERNEL_LINE = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  %s  Tue Jul 29 19:12:47 UTC 2025\n"
# The numbers of /dev/null: a node that everybody can open. 195 is NVIDIA's; without its driver, opening gives ENXIO.
OPENABLE = os.makedev(1, 3)
NVIDIA = 195
TITAN_V = {"name": "NVIDIA TITAN V", "compute_cap": "7.0", "memory.total": "12288"}


@functools.lru_cache(maxsize=None)
def _built() -> pathlib.Path:
    """The folder of the compiled stubs, gone when this process ends."""
    folder = tempfile.TemporaryDirectory(prefix="cuda-lab-")
    # The cache keeps the folder's owner, and that removes it at exit.
    _built.folder = folder  # type: ignore[attr-defined]
    for name in ("libcuda", "libnvidia_ml", "libcudart"):
        source = HERE / (name + ".c")
        if source.exists():
            _compile(pathlib.Path(folder.name) / (name + ".so"), str(source), "-fvisibility=hidden")
    return pathlib.Path(folder.name)


def _compile(library: pathlib.Path, *arguments: str, source: str | None = None) -> None:
    command = ["gcc", "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", *arguments]
    subprocess.run([*command, "-o", str(library), "-ldl"], input=source, text=True, check=True)


def _settings(values: t.Mapping[str, t.Any], errors: t.Mapping[str, int]) -> str:
    """The text of a stub's settings. A list is one value for each device."""
    lines = ["error.%s=%d" % item for item in errors.items()]
    for key, value in values.items():
        if isinstance(value, (list, tuple)):
            lines += ["%s.%d=%s" % (key, index, one) for index, one in enumerate(value)]
        else:
            lines.append("%s=%s" % (key, value))
    return "".join(line + "\n" for line in lines)


class Scene:
    """One node below a folder."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.proc = root / "proc"
        self.dev = root / "dev"
        self.bin = root / "bin"
        for folder in (self.proc, self.dev, self.bin):
            folder.mkdir(parents=True, exist_ok=True)
        self._library_folders: list[pathlib.Path] = []
        self._preload: list[pathlib.Path] = []

    def libcuda(
        self,
        folder: str = "lib",
        release: str | None = RELEASE,
        errors: t.Mapping[str, int] | None = None,
        **values: t.Any,
    ) -> pathlib.Path:
        """A driver library of *release*, with its usual links, in a folder that joins LD_LIBRARY_PATH.

        :arg release: None for a plain file libcuda.so.1.
        :arg errors: by function, the error it returns; ``{"cuInit": 802}``.
        :arg values: see README.md: version, count, name, capability, memory_mb, compute_mode, hang, crash, error, log.
        """
        place = self._library_folder(folder)
        real = place / ("libcuda.so.%s" % (release or "1"))
        shutil.copyfile(_built() / "libcuda.so", real)
        if release:
            self._link(place / "libcuda.so.1", real.name)
        self._link(place / "libcuda.so", "libcuda.so.1")
        (place / "libcuda.conf").write_text(_settings(values, errors or {}), encoding="utf-8")
        return place

    def stub_libcuda(self, folder: str = "cuda/lib64/stubs") -> pathlib.Path:
        """The toolkit's library to link with: every call answers 34, CUDA_ERROR_STUB_LIBRARY."""
        return self.libcuda(folder, release=None, error=34)

    def compat_libcuda(
        self, folder: str = "cuda/compat", release: str = "590.44.01", error: int = 804, **values: t.Any
    ) -> pathlib.Path:
        """The library of the package cuda-compat, newer than the kernel module. 804 on a GPU it does not support."""
        return self.libcuda(folder, release, errors={"cuInit": error}, **values)

    def nvml(self, folder: str = "lib", errors: t.Mapping[str, int] | None = None, **values: t.Any) -> pathlib.Path:
        """An NVML. *values*: count, name, capability, memory_mb, used_mb, compute_mode, mig, fabric, driver, ..."""
        place = self._library_folder(folder)
        shutil.copyfile(_built() / "libnvidia_ml.so", place / "libnvidia-ml.so.1")
        (place / "libnvidia-ml.conf").write_text(_settings(values, errors or {}), encoding="utf-8")
        return place

    def shadow(self, *sonames: str, folder: str = "opt/cuda/lib64", preload: bool = False) -> pathlib.Path:
        """Libraries with the names of CUDA's and nothing inside, on LD_LIBRARY_PATH or LD_PRELOAD."""
        place = self._library_folder(folder)
        for soname in sonames:
            code = "int hpc_pytorch_lab(void) { return 0; }\n"
            _compile(place / soname, "-x", "c", "-", "-Wl,-soname," + soname, source=code)
            if preload:
                self._preload.append(place / soname)
        return place

    def kernel_module(self, release: str = RELEASE, uvm: bool = True, gpus: int = 1) -> pathlib.Path:
        """What the kernel says of NVIDIA's modules: ``proc/driver/nvidia``, ``sys/module/nvidia*``.

        :arg gpus: how many the module drives, whatever a job is given of them.
        """
        version = self.proc / "driver" / "nvidia" / "version"
        version.parent.mkdir(parents=True, exist_ok=True)
        version.write_text(KERNEL_LINE % release, encoding="ascii")
        for number in range(gpus):
            place = version.parent / "gpus" / ("0000:%02x:00.0" % (number + 1))
            place.mkdir(parents=True, exist_ok=True)
            (place / "information").write_text("Device Minor: \t %d\n" % number, encoding="ascii")
        for module in ("nvidia", "nvidia_uvm") if uvm else ("nvidia",):
            place = self.root / "sys" / "module" / module
            place.mkdir(parents=True, exist_ok=True)
            (place / "version").write_text(release + "\n", encoding="ascii")
        return version

    def devices(self, open_for_me: int = 1, closed: int = 0, uvm: bool = True) -> pathlib.Path:
        """Device nodes: ``nvidia0`` and on, those that open first, then *closed* ones; nvidiactl, nvidia-uvm.

        As root the nodes are real ones. A closed one does not open: ENXIO for root, EACCES for others.
        """
        self._node("nvidiactl", True, 255)
        for number in range(open_for_me + closed):
            self._node("nvidia%d" % number, number < open_for_me, number)
        if uvm:
            self._node("nvidia-uvm", True, 254)
        return self.dev

    def kernel_log(self, *lines: str) -> pathlib.Path:
        """``dev/kmsg`` with these lines, as the kernel writes them there."""
        path = self.dev / "kmsg"
        records = ["6,%d,%d,-;%s\n" % (number, number * 1000, line) for number, line in enumerate(lines)]
        path.write_text("".join(records), encoding="ascii")
        return path

    def nvidia_smi(
        self,
        *gpus: t.Mapping[str, t.Any],
        driver: str = RELEASE,
        cuda: str = "13.0",
        failure: str = "",
        rc: int = 9,
        hang: bool = False,
    ) -> pathlib.Path:
        """A command nvidia-smi that knows ``--query-gpu``, ``-L``, ``-q`` and the table.

        :arg gpus: nvidia-smi's fields; what is not given is of a healthy TITAN V. ``instances`` are those of MIG, each
            with uuid and profile.
        :arg failure: what it prints instead, ending with *rc*.
        """
        known = []
        for index, given in enumerate(gpus):
            fields: dict[str, t.Any] = dict(TITAN_V)
            fields.update({"index": index, "uuid": "GPU-abababab-abab-abab-abab-ababababab%02x" % index})
            fields.update({"pci.bus_id": "00000000:%02X:00.0" % (index + 1), "driver_version": driver})
            fields.update({"compute_mode": "Default", "mig.mode.current": "[N/A]", "fabric.state": "N/A"})
            fields.update({"memory.used": "0", "instances": []})
            known.append({**fields, **given})
        data = {"gpus": known, "driver": driver, "cuda": cuda, "failure": failure, "rc": rc, "hang": hang}
        (self.bin / "nvidia-smi.json").write_text(json.dumps(data), encoding="utf-8")
        command = self.bin / "nvidia-smi"
        code = (HERE / "nvidia_smi.py").read_text(encoding="utf-8")
        command.write_text("#!%s -I\n%s" % (sys.executable, code), encoding="utf-8")
        command.chmod(0o755)
        return command

    def runtime(self, errors: t.Mapping[str, int] | None = None, **values: t.Any) -> pathlib.Path:
        """Functions loaded before those of the real libcudart, by LD_PRELOAD: devices for a real torch."""
        place = self.root / "runtime"
        place.mkdir(exist_ok=True)
        library = place / "libcudart-lab.so"
        shutil.copyfile(_built() / "libcudart.so", library)
        (place / "libcudart.conf").write_text(_settings(values, errors or {}), encoding="utf-8")
        self._preload.append(library)
        return library

    def environment(self, **more: str) -> dict[str, str]:
        """The variables of a process on this node: nothing of this one's but PATH after the scene's commands."""
        result = {"PATH": "%s:/usr/bin:/bin" % self.bin, "HOME": str(self.root), "LC_ALL": "C.UTF-8"}
        if self._library_folders:
            result["LD_LIBRARY_PATH"] = ":".join(str(place) for place in self._library_folders)
        if self._preload:
            result["LD_PRELOAD"] = ":".join(str(library) for library in self._preload)
        return {**result, **more}

    def _library_folder(self, folder: str) -> pathlib.Path:
        place = self.root / folder
        place.mkdir(parents=True, exist_ok=True)
        if place not in self._library_folders:
            self._library_folders.append(place)
        return place

    @staticmethod
    def _link(place: pathlib.Path, target: str) -> None:
        if place.name != target:
            place.unlink(missing_ok=True)
            place.symlink_to(target)

    def _node(self, name: str, opens: bool, number: int) -> None:
        path = self.dev / name
        path.unlink(missing_ok=True)
        mode = 0o666 if opens else 0
        if not _made_node(path, OPENABLE if opens else os.makedev(NVIDIA, number)):
            path.touch()
        path.chmod(mode)


def _made_node(path: pathlib.Path, device: int) -> bool:
    """Whether a character device could be made there that is not barred by its file system (nodev)."""
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, device)
    except PermissionError:
        return False
    try:
        os.close(os.open(path, os.O_RDWR))
    except OSError as error:
        if error.errno == errno.EACCES:
            path.unlink()
            return False
    return True
