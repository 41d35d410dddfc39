# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""check.yml over hosts that are all this machine, some of them broken: each has its verdict, none delays another."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import socket
import subprocess
import sys
import typing as t

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]


def standin(**options: t.Any) -> str:
    """The unit tests' stand-in for torch."""
    spec = importlib.util.spec_from_file_location("standin", CHECKOUT / "tests/unit/torch/standin.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.standin(**options))


@pytest.fixture(scope="session")
def envs(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Environments: ``good`` computes on the CPU, ``hangs`` as torch is imported, ``half`` was interrupted."""
    folder = tmp_path_factory.mktemp("envs")
    for name, torch in (("good", standin(cuda=None)), ("hangs", "import signal\nsignal.pause()\n"), ("half", "")):
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / name)], check=True)
        packages = next((folder / name).glob("lib/python3*/site-packages"))
        (packages / "torch").mkdir()
        (packages / "torch" / "__init__.py").write_text(torch, encoding="utf-8")
    (folder / "half" / "conda-meta").mkdir()
    (folder / "half" / "conda-meta" / "hpc_pytorch.changing").touch()
    return folder


@pytest.fixture
def sleeper(tmp_path: pathlib.Path) -> t.Iterator[str]:
    """A Python that hangs until the test is over, as on a machine whose file system hangs."""
    fifo, program = tmp_path / "never", tmp_path / "python"
    os.mkfifo(fifo)
    program.write_text("#!/bin/sh\nread -r line < %s\n" % fifo)
    program.chmod(0o755)
    yield str(program)
    # A reader that waits for a writer continues.
    os.close(os.open(fifo, os.O_RDWR))


@pytest.fixture
def silent_port() -> t.Iterator[int]:
    """A port that accepts connections and never sends anything."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed_port() -> t.Iterator[int]:
    """A port without a listener, which nobody else can take."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


class Check(t.NamedTuple):
    """How a run of check.yml ended."""

    rc: int
    output: str
    nodes: dict[str, dict[str, t.Any]]

    @property
    def verdicts(self) -> dict[str, str]:
        """By the node's name."""
        return {name: node["verdict"] for name, node in self.nodes.items()}

    @property
    def changed(self) -> list[str]:
        """The hosts where something changed. The report counts as a change of the first host."""
        return [line.split()[0] for line in self.recap if "changed=0" not in line]

    @property
    def recap(self) -> list[str]:
        """The lines of the recap."""
        return [line for line in self.output.splitlines() if "changed=" in line]


@pytest.fixture
def check(tmp_path: pathlib.Path, playbook_run: t.Callable[..., t.Any]) -> t.Callable[..., Check]:
    """Run the playbook over hosts by their groups, and return each host's entry in the report."""

    def call(groups: dict[str, dict[str, dict[str, t.Any]]], *arguments: str, **variables: t.Any) -> Check:
        inventory = {"all": {"children": {group: {"hosts": hosts} for group, hosts in groups.items()}}}
        inventory["all"]["vars"] = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "torch_check_report_dir": str(tmp_path / "report"),
            **variables,
        }
        (tmp_path / "inventory.json").write_text(json.dumps(inventory))
        run = playbook_run("-i", str(tmp_path / "inventory.json"), *arguments, "hpc.pytorch.check")
        report = tmp_path / "report" / "report.json"
        nodes = json.loads(report.read_text(encoding="utf-8"))["nodes"] if report.exists() else []
        return Check(run.rc, run.output, {node["name"]: node for node in nodes})

    return call


def on(prefix: pathlib.Path, **variables: t.Any) -> dict[str, t.Any]:
    return {"torch_env_prefix": str(prefix), **variables}


def ssh(port: int) -> dict[str, t.Any]:
    # ssh finds its settings by the user database, whatever HOME is.
    own = "-F none -o IdentityFile=none -o UserKnownHostsFile=/dev/null"
    host = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": port}
    return {**host, "ansible_ssh_common_args": own}


def test_working_nodes_pass(check: t.Callable[..., Check], envs: pathlib.Path) -> None:
    done = check(
        {
            "login": {"l1": on(envs / "good")},
            "compute": {"c1": on(envs / "good", hpc_gpu_count=0), "c2": on(envs / "good")},
        }
    )
    assert done.rc == 0, done.output
    assert done.verdicts == {"l1": "cpu_only", "c1": "cpu_only", "c2": "cpu_only"}
    assert done.changed == ["l1"]


def test_every_host_has_a_result_and_the_run_fails_after_the_report(
    check: t.Callable[..., Check], envs: pathlib.Path, closed_port: int
) -> None:
    done = check(
        {
            "login": {"l1": on(envs / "good", hpc_gpu_count=2)},
            "compute": {
                "good": on(envs / "good", hpc_gpu_count=0),
                "short": on(envs / "good", hpc_gpu_count=2, hpc_gpu_type="v100"),
                "hangs": on(envs / "hangs", torch_check_timeout=3),
                "none": on(envs / "none"),
                "away": ssh(closed_port),
            },
        },
        "--forks=10",
    )
    assert done.rc == 2, done.output
    assert done.verdicts == {
        "l1": "cpu_only",
        "good": "cpu_only",
        "short": "failed",
        "hangs": "failed",
        "none": "failed",
        "away": "unreachable",
    }
    codes = {
        name: node["reasons"][0]["code"]
        for name, node in done.nodes.items()
        if node["verdict"] not in ("cpu_only", "ok")
    }
    assert codes == {
        "short": "cpu_only_build",
        "hangs": "probe_timeout",
        "none": "check_refused",
        "away": "node_unreachable",
    }
    assert "expected 2 devices, found 0" in done.nodes["short"]["summary"]
    assert "Connection refused" in done.nodes["away"]["reasons"][0]["message"]
    assert all(reason["remedy"] for node in done.nodes.values() for reason in node["reasons"])
    assert sorted(line.split()[0] for line in done.recap if "failed=1" in line) == ["away", "hangs", "none", "short"]
    assert done.output.index("torch on ") < done.output.index("Remedy: ")


def test_more_hosts_that_hang_than_there_are_forks(
    check: t.Callable[..., Check], envs: pathlib.Path, sleeper: str, silent_port: int
) -> None:
    hosts = {
        "a-login-1": {"ansible_python_interpreter": sleeper},
        "a-login-2": {"ansible_python_interpreter": sleeper},
        "b-silent-1": ssh(silent_port),
        "b-silent-2": ssh(silent_port),
        "c-torch-1": on(envs / "hangs"),
        "c-torch-2": on(envs / "hangs"),
        "d-good-1": on(envs / "good"),
        "d-good-2": on(envs / "good"),
    }
    done = check({"compute": hosts}, "--forks=2", "--timeout=2", torch_check_timeout=20, torch_check_connect_timeout=8)
    assert done.rc == 2, done.output
    verdicts = {"a": "unreachable", "b": "unreachable", "c": "failed", "d": "cpu_only"}
    assert done.verdicts == {name: verdicts[name[0]] for name in hosts}
    assert "Timed out after 8 second" in done.nodes["a-login-1"]["reasons"][0]["message"]
    assert "Connection timed out" in done.nodes["b-silent-1"]["reasons"][0]["message"]
    assert done.nodes["c-torch-1"]["reasons"][0]["code"] == "probe_timeout"
    assert done.changed == ["a-login-1"]


def test_nothing_of_an_asynchronous_run_stays(
    check: t.Callable[..., Check], envs: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    records = tmp_path / "records"
    hosts = {"good": on(envs / "good"), "none": on(envs / "none")}
    done = check({"compute": hosts}, "--forks=1", "-e", json.dumps({"ansible_async_dir": str(records)}))
    assert done.verdicts == {"good": "cpu_only", "none": "failed"}, done.output
    assert list(records.iterdir()) == []


def test_where_no_host_answers_the_report_comes_all_the_same(check: t.Callable[..., Check], closed_port: int) -> None:
    done = check({"compute": {"c1": ssh(closed_port), "c2": ssh(closed_port)}})
    assert done.rc == 2
    assert done.verdicts == {"c1": "unreachable", "c2": "unreachable"}, done.output


def test_a_verdict_may_be_printed_alone(check: t.Callable[..., Check], envs: pathlib.Path) -> None:
    done = check({"compute": {"c1": on(envs / "good", hpc_gpu_count=1)}}, torch_check_fail=False)
    assert (done.rc, done.verdicts) == (0, {"c1": "failed"}), done.output


def test_check_mode_fails_for_nothing_that_the_run_would_make_or_repair(
    check: t.Callable[..., Check], envs: pathlib.Path
) -> None:
    done = check({"compute": {"none": on(envs / "none"), "half": on(envs / "half")}}, "--check")
    assert done.rc == 0, done.output
    assert "not_checked: expected an environment at %s/none" % envs in " ".join(done.output.split())
    assert "not_checked: expected a whole environment at %s/half" % envs in " ".join(done.output.split())
    assert check({"compute": {"half": on(envs / "half")}}).rc == 2


def test_a_verdict_that_must_not_fail_the_run(check: t.Callable[..., Check], envs: pathlib.Path) -> None:
    """As a person writes it on the command line, where false is a text."""
    done = check({"compute": {"c1": on(envs / "half")}}, "-e", "torch_check_fail=false")
    assert (done.rc, done.verdicts) == (0, {"c1": "failed"}), done.output
    assert check({"compute": {"c1": on(envs / "half")}}, "-e", "torch_check_fail=true").rc != 0
