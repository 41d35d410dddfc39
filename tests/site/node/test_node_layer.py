# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook hpc.pytorch.node on hosts of this machine and into images: one task a host, the same bytes."""

from __future__ import annotations

import json
import os
import pathlib
import re
import stat
import subprocess
import sys
import tarfile
import typing as t

import pytest


class Cluster:
    """Hosts of this machine, each with a profile.d of its own; see the fixture."""

    def __init__(self, folder: pathlib.Path, run: t.Callable[..., t.Any]) -> None:
        self.folder = folder
        self._run = run
        self.variables: dict[str, t.Any] = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "conda_prefix": str(folder / "opt/conda"),
            "conda_profile_dir": str(folder / "{{ inventory_hostname }}"),
            "cuda_profile_dir": str(folder / "{{ inventory_hostname }}"),
            "cuda_expose": ["profile"],
            "site_become": False,
        }
        self.hosts: dict[str, dict[str, t.Any]] = {"login1": {}, "gpu1": {}, "gpu2": {}}

    def play(self, *arguments: str, rc: int = 0, environment: t.Mapping[str, str] | None = None) -> t.Any:
        for name in self.hosts:
            (self.folder / name).mkdir(exist_ok=True)
        inventory = self.folder / "inventory.json"
        groups = {
            "login": {name: given for name, given in self.hosts.items() if name.startswith("login")},
            "compute": {name: given for name, given in self.hosts.items() if not name.startswith("login")},
        }
        children = {name: {"hosts": hosts} for name, hosts in groups.items()}
        inventory.write_text(json.dumps({"all": {"vars": self.variables, "children": children}}))
        done = self._run("-i", str(inventory), "playbooks/node.yml", *arguments, environment=environment or {})
        assert (done.rc == 0) == (rc == 0), done.output
        return done

    def files(self, host: str) -> dict[str, str]:
        return {path.name: path.read_text() for path in sorted((self.folder / host).iterdir())}

    def toolkit(self, name: str, version: str, *libraries: str) -> str:
        home = self.folder / name
        for folder in ("bin", *libraries):
            (home / folder).mkdir(parents=True)
        (home / "version.txt").write_text("CUDA Version %s\n" % version)
        return str(home)


@pytest.fixture
def cluster(tmp_path: pathlib.Path, playbook_run: t.Callable[..., t.Any]) -> Cluster:
    return Cluster(tmp_path, playbook_run)


def changed(output: str) -> dict[str, int]:
    return {host: int(count) for host, count in re.findall(r"^(\w+) +: ok=\d+ +changed=(\d+)", output, re.MULTILINE)}


CONDA = ["hpc-pytorch-conda.sh", "hpc-pytorch-modules.sh"]
CUDA = ["hpc-pytorch-cuda.csh", "hpc-pytorch-cuda.sh"]


def test_each_host_gets_its_own_files_by_one_task(cluster: Cluster) -> None:
    old, new = cluster.toolkit("old", "10.1.243", "lib"), cluster.toolkit("new", "12.4.1", "lib64", "lib")
    cluster.variables["cuda_ld_library_path"] = True
    cluster.hosts = {
        "gpu1": {"cuda_home": old, "cuda_version": "10.1"},
        "gpu2": {"cuda_home": new, "conda_expose": ["module"]},
        "cpu1": {},
        "login1": {"cuda_home": new, "cuda_ld_library_path": False},
    }
    checked = cluster.play("--check", "--diff")
    assert changed(checked.output) == dict.fromkeys(cluster.hosts, 1)
    assert {host: cluster.files(host) for host in cluster.hosts} == {host: {} for host in cluster.hosts}
    first = cluster.play()
    assert changed(first.output) == dict.fromkeys(cluster.hosts, 1)
    # One task a host, and nothing else that runs.
    ran = [line for line in first.output.splitlines() if line.startswith("TASK ")]
    assert len(ran) == 1 and set(re.findall(r" ok=(\d+) ", first.output)) == {"1"}, ran
    assert list(cluster.files("gpu1")) == sorted(CONDA + CUDA)
    assert list(cluster.files("gpu2")) == sorted(CONDA[1:] + CUDA)
    assert list(cluster.files("cpu1")) == CONDA
    for name in CUDA:
        texts = {host: cluster.files(host)[name] for host in ("gpu1", "gpu2", "login1")}
        assert "%s/lib" % old in texts["gpu1"] and new not in texts["gpu1"] and "lib64" not in texts["gpu1"]
        assert "%s/lib64" % new in texts["gpu2"] and old not in texts["gpu2"]
        assert "LD_LIBRARY_PATH" not in texts["login1"] and '"%s/bin' % new in texts["login1"]
    assert sum(changed(cluster.play().output).values()) == 0


def test_a_host_where_all_stands_starts_no_module(cluster: Cluster, load_module: t.Any, tmp_path: pathlib.Path) -> None:
    tool = load_module("tests/task_counts.py")
    cluster.variables["cuda_home"] = cluster.toolkit("cuda", "12.4.1")
    cluster.hosts = {"gpu1": {}, "gpu2": {"ansible_python_interpreter": "auto_silent"}, "cpu1": {}, "login1": {}}
    cluster.play()
    drifted = cluster.folder / "cpu1/hpc-pytorch-conda.sh"
    drifted.chmod(0o600)
    run = cluster.play(environment=tool.environment(tmp_path / "counts"))
    counts = tool.read(tmp_path / "counts")
    assert changed(run.output) == {"gpu1": 0, "gpu2": 0, "cpu1": 1, "login1": 0}
    assert {host: len(names) for host, names in counts.modules.items()} == {"cpu1": 1}
    assert stat.S_IMODE(drifted.stat().st_mode) == 0o644


def test_without_pipelining_the_module_says_the_same(cluster: Cluster) -> None:
    cluster.variables["cuda_home"] = cluster.toolkit("cuda", "12.4.1")
    cluster.hosts = {"gpu1": {}}
    cluster.play()

    def result(pipelining: str) -> str:
        run = cluster.play("-v", "--diff", environment={"ANSIBLE_PIPELINING": pipelining})
        return str(run.output.partition("\nTASK ")[2].partition("PLAY RECAP")[0])

    assert result("1") == result("0") and "version: 12.4.1" in result("1")


def test_what_is_no_longer_wanted_goes_and_what_is_not_ours_stays(cluster: Cluster) -> None:
    cluster.variables["cuda_home"] = cluster.toolkit("cuda", "12.4.1")
    cluster.play()
    theirs = cluster.folder / "gpu2/hpc-pytorch-conda.sh"
    theirs.write_text("# The site's own\n")
    before = cluster.folder / "gpu1/hpc-pytorch-conda.sh"
    before.write_text(before.read_text().replace("# Written by Ansible, role hpc.pytorch.conda.", "# Ansible managed"))
    cluster.variables.update(conda_expose=["bashrc"], cuda_expose=["module"])
    predicted = cluster.play("--check")
    assert changed(predicted.output) == {"login1": 1, "gpu1": 1, "gpu2": 1}
    assert list(cluster.files("login1")) == sorted(CONDA + CUDA)
    cluster.play()
    assert cluster.files("login1") == cluster.files("gpu1") == {}
    assert cluster.files("gpu2") == {"hpc-pytorch-conda.sh": "# The site's own\n"}
    assert sum(changed(cluster.play().output).values()) == 0


WRONG = {
    "gpu1": ({"conda_prefix": "/opt/a b"}, "expected conda_prefix to consist of the letters"),
    "gpu2": ({"conda_modulefiles_dir": "/opt/$(id)"}, "expected conda_modulefiles_dir to consist of the letters"),
    "gpu3": ({"conda_expose": ["profil"]}, "expected conda_expose to have bashrc, profile and module"),
    "gpu4": ({"cuda_home": "/opt/$(id)"}, "can quote"),
    "gpu5": ({"cuda_home": "/nowhere"}, "found nothing there"),
    "gpu6": ({"cuda_home": "{{ toolkit }}", "cuda_version": "10.1"}, "expected CUDA 10.1 at"),
    "gpu7": ({"cuda_home": "{{ toolkit }}", "cuda_ld_library_path": True}, "remedy: set cuda_ld_library_path to false"),
    "gpu8": ({"cuda_home": "{{ toolkit }}", "cuda_expose": ["bash"]}, "expected cuda_expose to have bashrc"),
}


def test_what_is_wrong_is_said_for_its_host_and_nothing_is_written_there(cluster: Cluster) -> None:
    cluster.variables["toolkit"] = cluster.toolkit("cuda", "12.4.1")
    cluster.hosts = {host: given for host, (given, _said) in WRONG.items()}
    cluster.hosts["good1"] = {"cuda_home": "{{ toolkit }}"}
    output = cluster.play(rc=2).output
    for host, (_given, said) in WRONG.items():
        failure = output.partition("fatal: [%s]: FAILED!" % host)[2].partition("\nfatal: ")[0]
        assert said in re.sub(r"\s+", " ", failure), (host, failure)
        assert cluster.files(host) == {}
    assert list(cluster.files("good1")) == sorted(CONDA + CUDA)


# EL8's own Python is 3.6, on which Ansible's modules end with this.
OLD_PYTHON = """#!/bin/sh
case "$*" in *-V*|*--version*) echo Python 3.6.8; exit ;; esac
cat > /dev/null
echo '  File "<stdin>", line 3' >&2
echo 'SyntaxError: future feature annotations is not defined' >&2
exit 1
"""


def test_a_python_that_is_too_old_is_named_on_its_host(cluster: Cluster) -> None:
    python = cluster.folder / "platform-python"
    python.write_text(OLD_PYTHON)
    python.chmod(0o755)
    cluster.hosts = {"gpu1": {"ansible_python_interpreter": str(python)}, "gpu2": {}}
    output = re.sub(r"\s+", " ", cluster.play(rc=2).output).replace("''", "'")
    assert "expected a Python 3.8 or newer for Ansible's modules on gpu1; found %s" % python in output
    assert "deserialization" not in output and list(cluster.files("gpu2")) == CONDA


def tree(folder: pathlib.Path) -> list[tuple[str, int, int, int, bytes]]:
    """Each entry with mode, owner, group and content."""
    found = []
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
        found.append((str(path.relative_to(folder)), status.st_mode, status.st_uid, status.st_gid, content))
    return found


@pytest.mark.parametrize("libraries", [False, True])
def test_a_machine_a_folder_and_a_tar_have_the_same_tree(cluster: Cluster, libraries: bool) -> None:
    etc = cluster.folder / "etc/profile.d"
    etc.mkdir(parents=True)
    home = cluster.toolkit("cuda", "12.4.1", "lib64")
    cluster.variables.update(conda_profile_dir=str(etc), cuda_profile_dir=str(etc), cuda_home=home)
    cluster.variables.update(cuda_ld_library_path=libraries, cuda_lib_folder="lib64" if libraries else "")
    cluster.hosts = {"gpu1": {}}
    cluster.play()
    image, archive = cluster.folder / "image", cluster.folder / "image.tar"
    # No host runs: there is no connection for them.
    cluster.hosts = {"gpu1": {"ansible_connection": "ssh", "ansible_host": "192.0.2.1"}, "gpu2": {}}
    checked = cluster.play("--check", "--diff", "-e", "node_root=%s" % image)
    assert sum(changed(checked.output).values()) == 1 and not image.exists()
    assert sum(changed(cluster.play("-e", "node_root=%s" % image).output).values()) == 1
    assert sum(changed(cluster.play("-e", "node_root=%s" % image).output).values()) == 0
    cluster.play("-e", "node_tar=%s" % archive)
    assert sum(changed(cluster.play("-e", "node_tar=%s" % archive).output).values()) == 0
    unpacked = cluster.folder / "unpacked"
    unpacked.mkdir()
    subprocess.run(["tar", "-xpf", str(archive), "-C", str(unpacked)], check=True)
    assert tree(unpacked) == tree(image)
    inside = image / str(etc)[1:]
    assert tree(inside) == tree(etc) and [entry[0] for entry in tree(etc)] == sorted(CONDA + CUDA)
    with tarfile.open(archive) as opened:
        assert {(each.uid, each.gid) for each in opened} == {(0, 0)}
    if os.geteuid() == 0:
        assert {entry[2:4] for entry in tree(image)} == {(0, 0)}


def test_a_machine_that_booted_from_the_image_has_nothing_to_change(cluster: Cluster) -> None:
    """The tar unpacked where the machine has its files."""
    etc = cluster.folder / "booted/etc/profile.d"
    cluster.variables.update(conda_profile_dir=str(etc), cuda_profile_dir=str(etc))
    cluster.hosts = {"gpu1": {"cuda_home": cluster.toolkit("cuda", "12.4.1")}}
    archive = cluster.folder / "image.tar"
    cluster.play("-e", "node_tar=%s" % archive)
    subprocess.run(
        ["tar", "-xpf", str(archive), "-C", "/", "--no-overwrite-dir", str(cluster.folder)[1:] + "/booted"], check=True
    )
    assert changed(cluster.play().output) == {"gpu1": 0}
    assert [path.name for path in sorted(etc.iterdir())] == sorted(CONDA + CUDA)


def test_an_image_is_for_one_kind_of_host(cluster: Cluster) -> None:
    cluster.hosts = {"gpu1": {"cuda_home": "/opt/cuda"}, "gpu2": {"cuda_home": "/opt/cuda"}, "cpu1": {}, "login1": {}}
    # The first one is a default of the role, which the hosts' own variables do not have.
    del cluster.variables["conda_profile_dir"], cluster.variables["conda_prefix"]
    cluster.variables.update(cuda_profile_dir="{{ conda_profile_dir }}", conda_modulefiles_dir="{{ conda_prefix }}/m")
    image = cluster.folder / "image"
    refused = cluster.play("-e", "node_root=%s" % image, rc=2)
    assert "expected one cuda_home for all hosts" in re.sub(r"\s+", " ", refused.output) and not image.exists()
    # The remedy, word for word.
    cluster.play("-e", "node_root=%s" % image, "--limit", "gpu1,gpu2")
    cluster.play("-e", "node_root=%s-cpu" % image, "--limit", "cpu1")
    cluster.play("-e", "node_root=%s-login" % image, "-e", "node_image_for=login")
    named = {
        name: sorted(path.name for path in (cluster.folder / name / "etc/profile.d").iterdir())
        for name in ("image", "image-cpu", "image-login")
    }
    assert named == {"image": sorted(CONDA + CUDA), "image-cpu": CONDA, "image-login": CONDA}
    # Nothing was written for the machines themselves.
    assert all(cluster.files(host) == {} for host in cluster.hosts)


@pytest.mark.parametrize("wrong", ["node_root=", "node_root=image", "node_tar=", "node_tar=/tmp/a.tgz"])
def test_a_path_that_makes_no_sense_writes_nothing(cluster: Cluster, wrong: str) -> None:
    cluster.hosts = {"gpu1": {}}
    output = cluster.play("-e", wrong, rc=2).output
    assert "expected %s to" % wrong.partition("=")[0].replace("node_", "") in re.sub(r"\s+", " ", output)
    assert cluster.files("gpu1") == {}
