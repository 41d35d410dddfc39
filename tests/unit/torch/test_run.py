"""The probe in real processes: what it reports, and that it leaves nothing behind."""

from __future__ import annotations

import ast
import inspect
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._torch import run
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.asked import Asked
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.diagnose.verdict import result
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.probe import kernels

from .conftest import MakeEnv, site_packages
from .standin import standin


def look(prefix: pathlib.Path, timeout: float = 60, device_timeout: float = 30, **expected: t.Any) -> dict[str, t.Any]:
    """What the module would return."""
    report = run.run_probe(str(prefix), None, timeout, device_timeout)
    return result(report, Asked(prefix=str(prefix), **expected))


def codes(found: dict[str, t.Any]) -> list[str]:
    return [reason["code"] for reason in found["reasons"]]


def listing(prefix: pathlib.Path) -> dict[str, int]:
    return {str(path): path.lstat().st_mtime_ns for path in sorted(prefix.rglob("*"))}


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        state = pathlib.Path("/proc/%d/stat" % pid).read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


@pytest.mark.slow
def test_a_real_torch_computes_and_says_why_there_is_no_gpu(real_torch: pathlib.Path) -> None:
    found = look(real_torch)
    assert found["torch"]["version"].startswith("2.13.0")
    assert found["torch"]["cuda"] is None
    assert found["torch"]["path"] == str(site_packages(real_torch.resolve()) / "torch")
    assert found["python"]["prefix"] == str(real_torch.resolve())
    assert (found["verdict"], found["cuda_available"], found["step"]) == ("cpu_only", False, "end")
    assert codes(found)[0] == "cpu_only_build"
    assert found["summary"].startswith("cpu_only: torch 2.13.0")


KERNELS_ON_CPU = """
import sys, torch
names = {"__name__": "kernels"}
exec(sys.stdin.read(), names)
for name, run in names["KERNELS"]:
    run(torch, torch.device("cpu"))
    print(name, end=" ")
right = torch.nn.functional.conv2d
torch.nn.functional.conv2d = lambda *arguments: right(*arguments) + 1
try:
    names["conv2d"](torch, torch.device("cpu"))
except ArithmeticError:
    print("wrong", end=" ")
print(names["nccl_version"](torch), names["archs_of"](torch))
"""


@pytest.mark.slow
def test_a_real_torch_knows_every_function_that_a_gpu_is_tested_with(real_torch: pathlib.Path) -> None:
    done = subprocess.run(
        [str(real_torch / "bin" / "python"), "-c", KERNELS_ON_CPU],
        input=inspect.getsource(kernels),
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "matmul conv2d copy wrong None []\n"


@pytest.mark.slow
def test_a_real_torch_without_the_gpu_that_is_expected_failed(real_torch: pathlib.Path) -> None:
    found = look(real_torch, expect_cuda=True)
    assert found["verdict"] == "failed"
    assert codes(found)[0] == "cpu_only_build"
    assert "expected a CUDA device, found none" in found["summary"]


def test_an_environment_without_torch_names_itself_and_its_python(make_env: MakeEnv) -> None:
    prefix = make_env(name="an env; $(x) ü")
    found = look(prefix)
    assert (found["verdict"], codes(found)) == ("failed", ["torch_missing"])
    assert str(prefix) in found["reasons"][0]["message"]
    assert str(prefix / "bin" / "python") in found["reasons"][0]["message"]


def test_a_torch_in_the_current_folder_does_not_count(
    make_env: MakeEnv, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch.py").write_text(standin())
    monkeypatch.chdir(tmp_path)
    assert codes(look(make_env())) == ["torch_missing"]


def test_what_a_half_removal_leaves_is_no_torch(make_env: MakeEnv) -> None:
    prefix = make_env()
    leftover = site_packages(prefix) / "torch" / "lib"
    leftover.mkdir(parents=True)
    found = look(prefix)
    assert codes(found) == ["torch_missing"]
    assert str(leftover.parent) in found["reasons"][0]["message"]


def test_a_library_that_is_not_there_is_named(make_env: MakeEnv) -> None:
    found = look(make_env(torch="import ctypes; ctypes.CDLL('libnothere.so.7')"))
    assert (found["verdict"], codes(found)) == ("failed", ["import_failed"])
    assert "libnothere.so.7" in found["reasons"][0]["message"]
    assert found["torch"]["version"] is None
    assert found["torch"]["path"].endswith("/site-packages/torch")


@pytest.mark.parametrize("how", ["raise SystemExit(0)", "raise KeyboardInterrupt", "import nothere_xyz", "1 +"])
def test_every_way_an_import_ends_is_a_failed_import(make_env: MakeEnv, how: str) -> None:
    assert codes(look(make_env(torch=how))) == ["import_failed"]


@pytest.mark.parametrize(
    "how, said",
    [
        ("import ctypes; ctypes.string_at(0)", "died by SIGSEGV at: import torch (in "),
        ("import os; os._exit(3)", "ended early with exit status 3 at: import torch"),
        ("import os; os._exit(0)", "ended early with exit status 0 at: import torch"),
        ("import os; os.closerange(3, 200)", "ended early with exit status 1 at: import torch"),
        ("import os; os.abort()", "died by SIGABRT at: import torch"),
    ],
)
def test_an_import_that_kills_the_interpreter_is_named(
    make_env: MakeEnv, tmp_path: pathlib.Path, how: str, said: str
) -> None:
    found = look(make_env(torch=how))
    assert (found["verdict"], codes(found)) == ("failed", ["import_failed"])
    assert said in found["reasons"][0]["message"]
    assert not [path for path in pathlib.Path("/").glob("core*") if path.stat().st_mtime > tmp_path.stat().st_mtime]


SURROUNDINGS = """
    import os, resource
    open_ends = [int(name) for name in os.listdir("/proc/self/fd") if int(name) > 2]
    raise ImportError(repr({
        "core": max(resource.getrlimit(resource.RLIMIT_CORE)) <= 1,
        "folder": os.getcwd(),
        "leads its session": os.getsid(0) == os.getpid(),
        "bytecode of children": os.environ["PYTHONDONTWRITEBYTECODE"],
        "handed on": [end for end in open_ends if os.path.exists("/proc/self/fd/%d" % end) and os.get_inheritable(end)],
    }))
"""


def test_what_torch_runs_in(make_env: MakeEnv, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    message = look(make_env(torch=SURROUNDINGS))["reasons"][0]["message"]
    assert ast.literal_eval(message.partition("ImportError: ")[2]) == {
        "core": True,
        "folder": "/",
        "leads its session": True,
        "bytecode of children": "1",
        "handed on": [],
    }


HANG = """
    import os, subprocess, sys, time
    sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
    pids = [os.getpid(), subprocess.Popen(sleeper).pid]
    pids.append(subprocess.Popen(sleeper, start_new_session=True).pid)
    first = os.fork()
    if not first:
        os.setsid()
        daemon = os.fork()
        if not daemon:
            time.sleep(600)
        open({path!r} + ".daemon", "w").write(str(daemon))
        os._exit(0)
    os.waitpid(first, 0)
    open({path!r}, "w").write(" ".join(map(str, pids)))
    {then}
"""


def test_a_hang_is_named_and_everything_the_probe_started_is_dead(make_env: MakeEnv, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "pids"
    code = HANG.format(path=str(path), then="time.sleep(600)")
    started = time.monotonic()
    found = look(make_env(torch=code), timeout=5)
    # Long before its sleep is over; how long exactly is the machine's business.
    assert time.monotonic() - started < 300
    assert (found["verdict"], codes(found)) == ("failed", ["probe_timeout"])
    assert re.search(r"did not come back within [0-9.]+ s; it hung at: import torch", found["reasons"][0]["message"])
    pids = [int(pid) for pid in path.read_text().split()] + [int((tmp_path / "pids.daemon").read_text())]
    assert len(pids) == 4
    assert [pid for pid in pids if is_alive(pid)] == []


def test_what_a_finished_probe_leaves_running_is_dead_too_and_not_waited_for(
    make_env: MakeEnv, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "pids"
    code = HANG.format(path=str(path), then="raise ImportError('as it is')")
    started = time.monotonic()
    found = look(make_env(torch=code), timeout=60)
    assert time.monotonic() - started < 300
    assert codes(found) == ["import_failed"]
    pids = [int(pid) for pid in path.read_text().split()] + [int((tmp_path / "pids.daemon").read_text())]
    assert [pid for pid in pids if is_alive(pid)] == []


def test_other_children_of_the_caller_live_on(make_env: MakeEnv) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as mine:
        look(make_env())
        assert mine.poll() is None


def test_a_process_that_cannot_be_killed_is_not_waited_for(make_env: MakeEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix = make_env(torch="import time; time.sleep(600)")
    reap = os.waitpid
    seen: list[int] = []

    def never(pid: int, options: int) -> tuple[int, int]:
        seen.append(pid)
        return 0, 0

    monkeypatch.setattr(os, "waitpid", never)
    monkeypatch.setattr(run, "LEAVING", 0.2)
    found = look(prefix, timeout=1)
    monkeypatch.undo()
    reap(seen[0], 0)
    assert "did not come back within" in found["reasons"][0]["message"]
    assert "and could not be killed; it hung at: import torch" in found["reasons"][0]["message"]


NOISE = """
    import os, sys
    print('{"kind": "torch", "version": "9.9"}')
    print('{"kind": "step", "step": "end"}')
    sys.stdout.buffer.write(b"\\xff\\xfe\\n" + b"x" * 300000 + b"\\n")
    sys.stderr.buffer.write(b"\\x00\\x1b[31m\\n")
"""


def test_noise_is_kept_apart(make_env: MakeEnv) -> None:
    prefix = make_env(torch=NOISE + "    raise ImportError('caf\\udce9 \\u00e9\\n  last')\n", sitecustomize=NOISE)
    found = look(prefix)
    assert codes(found) == ["import_failed"]
    assert found["reasons"][0]["message"].endswith("ImportError: last")
    assert len(found["output"]) <= 4000
    found["output"].encode("utf-8")


def test_nothing_is_written(make_env: MakeEnv) -> None:
    prefix = make_env(torch="from . import more\n" + standin(cuda=None), other="")
    (site_packages(prefix) / "torch" / "more.py").write_text("import other, subprocess, sys\n")
    before = listing(prefix)
    assert look(prefix)["verdict"] == "cpu_only"
    assert listing(prefix) == before


def test_the_variables_are_those_of_a_job(make_env: MakeEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/a/b")
    monkeypatch.setenv("CONDA_PREFIX", "/somewhere/else")
    # A message holds so much and no more.
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    code = "import os; raise ImportError('%(LD_LIBRARY_PATH)s|%(PATH)s|%(CONDA_PREFIX)s' % os.environ)"
    prefix = make_env(torch=code)
    (prefix / "conda-meta").mkdir()
    link = prefix.parent / "by name"
    link.symlink_to(prefix)
    message = look(link)["reasons"][0]["message"]
    assert "/a/b|%s/bin:" % prefix in message
    assert message.endswith("|%s" % prefix)


def test_an_environment_that_is_being_changed_is_refused(make_env: MakeEnv) -> None:
    prefix = make_env(torch=standin())
    (prefix / "conda-meta").mkdir()
    (prefix / "conda-meta" / "hpc_pytorch.changing").touch()
    with pytest.raises(UserError, match="interrupted while being changed.*conda_env"):
        look(prefix)


def test_a_python_that_is_none_for_this_machine_is_a_result(make_env: MakeEnv) -> None:
    prefix = make_env()
    (prefix / "bin" / "python").unlink()
    (prefix / "bin" / "python").write_bytes(b"\x7fELFnonsense")
    (prefix / "bin" / "python").chmod(0o755)
    found = look(prefix)
    assert codes(found) == ["import_failed"]
    assert "does not run: Exec format error" in found["reasons"][0]["message"]


def test_a_second_device_that_computes_wrongly_is_found(make_env: MakeEnv) -> None:
    found = look(make_env(torch=standin(count=2, faults={1: "wrong"})))
    assert (found["verdict"], codes(found)) == ("failed", ["device_failed"])
    assert [device["passed"] for device in found["devices"]] == [True, False]
    assert found["devices"][0]["name"] == "TITAN V 0"
    assert found["devices"][0]["compute_capability"] == "7.0"
    assert found["devices"][0]["memory"] == 12 << 30
    assert found["devices"][1]["error"] == "matmul: the product of two matrices is wrong"


@pytest.mark.parametrize(
    "fault, said, code",
    [
        ("hang", "matmul: did not come back within 2", "probe_timeout"),
        ("crash", "matmul: died by SIGSEGV", "device_failed"),
        ("an illegal memory access", "matmul: an illegal memory access", "device_failed"),
    ],
)
def test_a_sick_device_does_not_hide_the_others(make_env: MakeEnv, fault: str, said: str, code: str) -> None:
    prefix = make_env(torch=standin(count=4, faults={1: fault, 3: fault}))
    found = look(prefix, device_timeout=2, expect_devices=4)
    assert (found["verdict"], codes(found)) == ("failed", [code])
    assert [device["passed"] for device in found["devices"]] == [True, False, True, False]
    assert found["devices"][1]["error"].startswith(said)
    assert found["devices"][3]["error"].startswith(said)
    assert (found["nccl"]["all_reduce"], found["nccl"]["devices"]) == (True, [0, 2])
    assert found["torch"]["version"] == "1.4.0"


def test_the_time_of_everything_ends_it_though_devices_have_their_own(make_env: MakeEnv) -> None:
    found = look(make_env(torch=standin(count=3, faults={1: "hang"})), timeout=2)
    assert (found["verdict"], codes(found)) == ("failed", ["probe_timeout"])
    assert [device["passed"] for device in found["devices"]] == [True, False, False]
    assert found["devices"][2]["error"] == "not tested: the probe ended before"


@pytest.mark.parametrize(
    "fault, said",
    [("hang", "did not come back within 2"), ("crash", "died by SIGSEGV"), ("wrong", "the sum on device 0 is wrong")],
)
def test_devices_that_do_not_work_together(make_env: MakeEnv, fault: str, said: str) -> None:
    found = look(make_env(torch=standin(count=2, faults={"all-reduce": fault})), device_timeout=2)
    assert (found["verdict"], codes(found)) == ("failed", ["nccl_failed"])
    assert [device["passed"] for device in found["devices"]] == [True, True]
    assert said in found["reasons"][0]["message"]
    assert found["nccl"]["version"] == "2.4.8"
    assert found["nccl"]["all_reduce"] is False
    assert said in found["nccl"]["error"]


def test_a_torch_without_nccl_is_told_where_there_are_two_devices(make_env: MakeEnv) -> None:
    assert look(make_env(torch=standin(count=1, nccl=None), name="one"))["verdict"] == "ok"
    assert codes(look(make_env(torch=standin(count=2, nccl=None)))) == ["nccl_failed"]


@pytest.mark.parametrize("kernel", ["conv2d", "copy"])
def test_every_kernel_counts(make_env: MakeEnv, kernel: str) -> None:
    found = look(make_env(torch=standin(count=1, faults={(0, kernel): "wrong"})))
    assert (found["verdict"], codes(found)) == ("failed", ["device_failed"])
    assert found["devices"][0]["error"].startswith(kernel + ": ")
    assert found["devices"][0]["kernels"]["matmul"] is not None
    assert found["devices"][0]["kernels"][kernel] is None


def test_the_type_of_the_devices(make_env: MakeEnv) -> None:
    prefix = make_env(torch=standin(count=2))
    assert look(prefix, expect_gpu=["h100", "titan-v"])["verdict"] == "ok"
    assert look(prefix, expect_gpu=["7.0"])["verdict"] == "ok"
    found = look(prefix, expect_gpu=["h100", "9.0"])
    assert (found["verdict"], codes(found)) == ("failed", ["device_type_mismatch"])
    assert "device 0 is TITAN V 0 (7.0)" in found["reasons"][0]["message"]


def test_two_devices_that_compute_are_ok(make_env: MakeEnv) -> None:
    found = look(make_env(torch=standin(count=2)), expect_devices=2)
    assert (found["verdict"], found["reasons"], found["cuda_available"]) == ("ok", [], True)
    assert found["summary"] == "ok: torch 1.4.0 for CUDA 10.1; 2 of 2 devices passed"
    assert (found["nccl"]["version"], found["nccl"]["all_reduce"], found["torch"]["cudnn"]) == ("2.4.8", True, "7.6.3")
    assert all(seconds is not None for device in found["devices"] for seconds in device["kernels"].values())


@pytest.mark.parametrize("fault", ["wrong", "illegal", "crash"])
def test_a_torch_that_does_not_compute_on_the_cpu_failed(make_env: MakeEnv, fault: str) -> None:
    found = look(make_env(torch=standin(cuda=None, faults={"cpu": fault})))
    assert found["verdict"] == "failed"
    assert "compute_failed" in codes(found)


def test_the_probe_dies_with_the_module(make_env: MakeEnv, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "pid"
    code = "import os, time; open(%r, 'w').write(str(os.getpid()) + '\\n'); time.sleep(600)" % str(path)
    prefix = make_env(torch=code)
    module = os.fork()
    if not module:
        try:
            run.run_probe(str(prefix), None, 60)
        finally:
            os._exit(0)
    limit = time.monotonic() + 20
    while not (path.exists() and path.read_text().endswith("\n")):
        assert time.monotonic() < limit
        time.sleep(0.02)
    os.kill(module, signal.SIGKILL)
    os.waitpid(module, 0)
    probe = int(path.read_text())
    while is_alive(probe):
        assert time.monotonic() < limit
        time.sleep(0.02)


NUMPY_2 = "__version__ = '2.2.6'"


@pytest.mark.parametrize("count", [0, 1])
def test_a_numpy_that_torch_is_not_built_for(make_env: MakeEnv, count: int) -> None:
    """As torch 2.2.2 next to numpy 2.2.6: it computes, and every data loader fails."""
    prefix = make_env(torch=standin(count=count, numpy=1).replace("1.4.0", "2.2.2+cu121"), numpy=NUMPY_2)
    found = look(prefix)
    assert (found["verdict"], codes(found)[0]) == ("failed", "numpy_mismatch")
    reason = found["reasons"][0]
    assert "cannot use numpy 2.2.6 of %s: Numpy is not available" % prefix in reason["message"]
    assert "'numpy<2'" in reason["remedy"]
    (site_packages(prefix) / "numpy.py").write_text("__version__ = '1.26.4'")
    assert "numpy_mismatch" not in codes(look(prefix))


@pytest.mark.parametrize(
    "fault, said",
    [("wrong", "numbers came back from numpy changed"), ("crash", "died by SIGSEGV"), ("Numpy is not available", "Nu")],
)
def test_a_numpy_that_fails_hides_no_device(make_env: MakeEnv, fault: str, said: str) -> None:
    prefix = make_env(torch=standin(count=2, faults={"numpy": fault}), numpy=NUMPY_2)
    found = look(prefix)
    assert (found["verdict"], codes(found)) == ("failed", ["numpy_mismatch"])
    assert said in found["reasons"][0]["message"]
    assert [device["passed"] for device in found["devices"]] == [True, True]
    assert found["nccl"]["all_reduce"] is True


def test_a_numpy_that_is_broken_by_itself_says_why(make_env: MakeEnv) -> None:
    found = look(make_env(torch=standin(count=1), numpy="raise ImportError('libopenblas.so.0: not there')"))
    assert codes(found) == ["numpy_mismatch"]
    assert "libopenblas.so.0: not there" in found["reasons"][0]["message"]
    assert "install numpy again" in found["reasons"][0]["remedy"]


def test_a_torch_without_numpy_is_fine(make_env: MakeEnv) -> None:
    """None installed, what a removal left, or a build that is meant to have none."""
    prefix = make_env(torch=standin(count=1), name="none")
    assert look(prefix)["verdict"] == "ok"
    (site_packages(prefix) / "numpy" / "core").mkdir(parents=True)
    assert look(prefix)["verdict"] == "ok"
    built_without = standin(count=1, faults={"numpy": "PyTorch was compiled without NumPy support"})
    assert look(make_env(torch=built_without, numpy=NUMPY_2))["verdict"] == "ok"
