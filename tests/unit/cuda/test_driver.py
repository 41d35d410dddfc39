"""Drivers that answer, fail, hang and lie: nvidia-smi as a script, libcuda as a real library made from C."""

from __future__ import annotations

import os
import subprocess
import time

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common import process as commands
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._cuda import driver

LIBRARY = "libcuda-of-the-tests.so.1"
TITAN = "0, NVIDIA TITAN V, GPU-7c4a, 12288, 535.104.05, 7.0"
TABLE = "| NVIDIA-SMI 535.104.05   Driver Version: 535.104.05   CUDA Version: 12.2     |"
SMI = """#!/bin/sh
case "$*" in
*compute_cap*) {query} ;;
*--query-gpu*) echo '0, Tesla K80, GPU-1, 11441, 418.87.00' ;;
*) echo '{table}' ;;
esac
"""
LIBCUDA = r"""
#include <string.h>
#include <unistd.h>
int cuDriverGetVersion(int *v) { VERSION; }
int cuInit(unsigned f) { INIT; }
int cuDeviceGetCount(int *n) { *n = 1; return 0; }
int cuDeviceGet(int *d, int i) { *d = i; return 0; }
int cuDeviceGetName(char *s, int n, int d) { strncpy(s, "NVIDIA A100", n); return 0; }
int cuDeviceTotalMem_v2(size_t *m, int d) { *m = (size_t)40 << 30; return 0; }
int cuDeviceGetUuid(unsigned char *u, int d) { memset(u, 0xab, 16); return 0; }
int cuDeviceGetAttribute(int *v, int a, int d) { *v = a == 75 ? 8 : 0; return 0; }
"""


@pytest.fixture
def machine(tmp_path):
    """Builds a machine and returns what is found on it."""

    def look(smi=None, library=None, proc=None, seconds=10):
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        if smi:
            (folder / "nvidia-smi").write_text(smi)
            (folder / "nvidia-smi").chmod(0o755)
        if proc:
            (tmp_path / "version").write_text(proc)
        libraries = tmp_path / "lib"
        libraries.mkdir(exist_ok=True)
        if library is not None:
            build(libraries, **library)
        environment = {
            "PATH": "%s:/usr/bin:/bin" % folder,
            "LD_LIBRARY_PATH": str(libraries),
            "CUDA_VISIBLE_DEVICES": "",
        }
        return driver.find_driver(environment, seconds, str(tmp_path / "version"), (), LIBRARY)

    return look


def build(folder, version="*v = 12020; return 0", init="return 0", real="libcuda.so.535.104.05"):
    source = LIBCUDA.replace("VERSION", version).replace("INIT", init)
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(folder / real)], input=source.encode(), check=True
    )
    if real != LIBRARY:
        (folder / LIBRARY).symlink_to(real)


def smi(query="echo '%s'" % TITAN, table=TABLE):
    return SMI.format(query=query, table=table)


def test_nothing_there(machine):
    assert machine() == driver.Machine(None, [], [])


def test_everything_there(machine):
    seen = machine(
        smi(), {}, "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\n"
    )
    assert seen.driver == {"version": "535.104.05", "cuda_version": "12.2", "source": "proc", "loaded": True}
    assert seen.gpus == [
        {"index": 0, "name": "NVIDIA TITAN V", "uuid": "GPU-7c4a", "memory_mb": 12288, "compute_capability": "7.0"}
    ]
    assert seen.warnings == []


def test_an_old_nvidia_smi_does_not_know_compute_cap(machine):
    seen = machine(
        smi(
            query="echo 'Field \"compute_cap\" is not a valid field to query.'; exit 2",
            table="Driver Version: 418.87.00",
        )
    )
    assert seen.driver == {"version": "418.87.00", "cuda_version": None, "source": "nvidia-smi", "loaded": False}
    assert seen.gpus[0]["name"] == "Tesla K80" and seen.gpus[0]["compute_capability"] is None


def test_libcuda_alone_names_version_and_gpus(machine):
    seen = machine(library={})
    assert seen.driver == {"version": "535.104.05", "cuda_version": "12.2", "source": "libcuda", "loaded": False}
    assert seen.gpus == [
        {
            "index": 0,
            "name": "NVIDIA A100",
            "uuid": "GPU-abababab-abab-abab-abab-abababababab",
            "memory_mb": 40960,
            "compute_capability": "8.0",
        }
    ]


def test_a_stub_library_is_no_driver(machine):
    assert machine(library={"version": "return 34", "init": "return 34", "real": LIBRARY}).driver is None


def test_nvidia_smi_fails(machine):
    seen = machine(
        smi(query="echo 'NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.'; exit 9")
    )
    assert (seen.driver, seen.gpus) == (None, [])
    assert "could not communicate" in seen.warnings[0]


def test_two_answers_about_cuda_are_named(machine):
    seen = machine(smi(), {"version": "*v = 11080; return 0"})
    assert seen.driver["cuda_version"] == "11.8"
    assert "12.2" in seen.warnings[0] and "11.8" in seen.warnings[0]


@pytest.mark.parametrize(
    "parts",
    [
        {"smi": "#!/bin/sh\nsleep 100 & wait\n"},
        {"library": {"version": "sleep(100); return 0"}},
        {"library": {"init": "sleep(100); return 0"}},
    ],
)
def test_nothing_hangs(machine, parts):
    start = time.monotonic()
    seen = machine(seconds=1, **parts)
    assert time.monotonic() - start < 90
    assert "no answer within 1 seconds" in seen.warnings[0]
    if parts.get("library", {}).get("init"):
        assert seen.driver["cuda_version"] == "12.2", "what was said before the hang counts"


def test_a_crashing_library_takes_only_its_own_process(machine):
    seen = machine(library={"version": "*(volatile int *)0 = 1; return 0"})
    assert seen.driver is None and "libcuda failed" in seen.warnings[0]


def test_the_kernel_module_without_nvidia_smi_is_worth_a_word(machine):
    seen = machine(proc="NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat\n")
    assert seen.driver["version"] == "535.104.05" and seen.driver["cuda_version"] is None
    assert "no nvidia-smi" in seen.warnings[0]


def test_root_runs_no_nvidia_smi_and_loads_no_library_of_somebody_else(tmp_path, machine, monkeypatch):
    machine(smi(query="touch '%s'" % (tmp_path / "ran")), {})
    (tmp_path / "ran").unlink()
    if os.geteuid() == 0:
        os.chown(tmp_path / "bin" / "nvidia-smi", 65534, 65534)
        os.chown(tmp_path / "lib", 65534, 65534)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(UserError, match="become_user"):
        machine()
    (tmp_path / "bin" / "nvidia-smi").unlink()
    assert machine().driver is None
    assert not (tmp_path / "ran").exists()


def test_root_drops_only_what_others_can_write(tmp_path, monkeypatch):
    (tmp_path / "own").mkdir()
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    monkeypatch.setattr(driver, "untrusted_because", lambda path: "open" if path.endswith("/open") else None)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    given = {"LD_PRELOAD": "/x.so", "LD_LIBRARY_PATH": ":%s::rel:%s:" % (tmp_path / "open", tmp_path / "own"), "A": "b"}
    assert driver.loader_environment(given) == {"LD_LIBRARY_PATH": str(tmp_path / "own"), "A": "b"}


def test_a_command_that_does_not_start():
    assert "cannot start" in commands.run_limited(["/nowhere/at/all"], 5, {}).problem


def test_children_of_a_late_command_end_with_it(tmp_path):
    pid_file = tmp_path / "pid"
    result = commands.run_limited(
        ["/bin/sh", "-c", "sleep 100 & echo $! >'%s'; wait" % pid_file], 1, {"PATH": "/usr/bin:/bin"}
    )
    assert result.rc is None
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", pid_file.read_text().strip()], capture_output=True, text=True, check=False
    )
    assert state.stdout.strip()[:1] in ("", "Z")
