# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The torch that the inventories campus and mixed get: user.yml, a real solver, real channels of small packages.

The channels hold what the real ones hold in name, version, build and dependencies, newer builds and traps included.
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import pathlib
import re
import sys
import threading
import typing as t

import pytest


@pytest.fixture(scope="module")
def pytorch_channel(tmp_path_factory: pytest.TempPathFactory, tiny_channel: t.Any) -> pathlib.Path:
    """The channel pytorch: CUDA builds need a cudatoolkit, which is elsewhere; newer ones for the CPU need nothing."""
    folder = tmp_path_factory.mktemp("channels") / "pytorch"
    make = functools.partial(tiny_channel.make_package, folder)
    for torch, vision in (("1.7.1", "0.8.2"), ("1.8.1", "0.9.1"), ("2.4.1", "0.19.1")):
        needs = ["python >=3.8,<3.9", "mkl >=2018"]
        make("pytorch", torch, build="py3.8_cpu_0", depends=needs)
        for cuda in {"1.7.1": ["10.1", "10.2"], "1.8.1": ["10.1", "10.2", "11.1"], "2.4.1": []}[torch]:
            following = "%s.%d" % (cuda.split(".", maxsplit=1)[0], int(cuda.split(".")[1]) + 1)
            build = "py3.8_cuda%s_cudnn7.6.3_0" % {"1.7.1 10.1": "10.1.243"}.get("%s %s" % (torch, cuda), cuda)
            make("pytorch", torch, build=build, depends=needs + ["cudatoolkit >=%s,<%s" % (cuda, following)])
            make(
                "torchvision",
                vision,
                build="py38_cu%s" % cuda.replace(".", ""),
                depends=["pytorch %s" % torch, "python >=3.8,<3.9"],
            )
        make("torchvision", vision, build="py38_cpu", depends=["pytorch %s" % torch, "python >=3.8,<3.9"])
    return tiny_channel.index(folder)


@pytest.fixture(scope="module")
def conda_forge(tmp_path_factory: pytest.TempPathFactory, tiny_channel: t.Any) -> pathlib.Path:
    """conda-forge: CUDA builds need ``__cuda``; the CPU one is newer in its build number, as it may be."""
    folder = tmp_path_factory.mktemp("channels") / "conda-forge"
    make = functools.partial(tiny_channel.make_package, folder)
    for version in ("3.8.20", "3.9.23", "3.11.14", "3.12.12", "3.13.9", "3.14.1"):
        make("python", version)
    for version in ("10.1.243", "10.2.89", "11.1.1"):
        make("cudatoolkit", version)
    for version in ("2023.2.0", "2024.2.2"):
        make("mkl", version)
    for version in ("12.6", "12.9", "13.0"):
        make("cuda-version", version)
    for torch, vision in (("2.12.1", "0.27.1"), ("2.13.0", "0.28.0")):
        for cuda, following in (("12.9", "13"), ("13.0", "14")):
            build = "cuda%s_py_0" % cuda.replace(".", "")
            make(
                "pytorch",
                torch,
                build=build,
                depends=[
                    "python",
                    "__cuda >=%s" % cuda.split(".", maxsplit=1)[0],
                    "cuda-version >=%s,<%s" % (cuda, following),
                ],
            )
            make("pytorch-gpu", torch, build=build, depends=["pytorch %s %s" % (torch, build)])
        make("pytorch", torch, build="cpu_py_1", build_number=1, depends=["python"])
        make("torchvision", vision, depends=["pytorch %s" % torch])
    return tiny_channel.index(folder)


@pytest.fixture
def user_layer(
    tmp_path: pathlib.Path,
    pytorch_channel: pathlib.Path,
    conda_forge: pathlib.Path,
    playbook_run: t.Callable[..., t.Any],
) -> t.Callable[..., t.Any]:
    """Runs user.yml on an inventory with every host being this machine and a home of the test's own."""
    home = tmp_path / "home"
    home.mkdir()
    toolkit = tmp_path / "cuda"
    (toolkit / "lib64").mkdir(parents=True)
    (toolkit / "version.txt").write_text("CUDA Version 10.1.243\n")
    fixed = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "conda_channels": ["file://%s" % pytorch_channel, "file://%s" % conda_forge],
        "torch_env_scope": "user",
        "torch_env_executable": sys.executable,
        "torch_env_package_cache": str(tmp_path / "pkgs"),
    }

    def call(inventory: str, *arguments: str, playbook: str = "hpc.pytorch.user", **variables: t.Any) -> t.Any:
        given = json.dumps({**fixed, **({"cuda_home": str(toolkit)} if inventory == "campus" else {}), **variables})
        return playbook_run(
            "-i",
            str(pathlib.Path("inventories", inventory)),
            "-e",
            given,
            *arguments,
            playbook,
            environment={"HOME": str(home), "ANSIBLE_INJECT_FACT_VARS": "false"},
        )

    return call


def packages(prefix: pathlib.Path) -> dict[str, str]:
    """Name to version and build of all that the env holds."""
    metas = [json.loads(path.read_text()) for path in (prefix / "conda-meta").glob("*.json")]
    return {meta["name"]: "%s %s" % (meta["version"], meta["build"]) for meta in metas}


def in_one_line(text: str) -> str:
    return " ".join(text.split())


def envs(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "home/.conda/envs"


@pytest.mark.parametrize(
    "given, torch, vision",
    [
        ({}, "1.8.1 py3.8_cuda10.1_cudnn7.6.3_0", "0.9.1 py38_cu101"),
        ({"torch_env_torch": "1.7.1"}, "1.7.1 py3.8_cuda10.1.243_cudnn7.6.3_0", "0.8.2 py38_cu101"),
    ],
)
def test_campus_gets_the_guides_pair(user_layer, tmp_path, given, torch, vision):
    done = user_layer("campus", **given)
    assert done.rc == 0, done.output
    assert packages(envs(tmp_path) / "torch") == {
        "python": "3.8.20 0",
        "pytorch": torch,
        "torchvision": vision,
        "cudatoolkit": "10.1.243 0",
        "mkl": "2023.2.0 0",
    }
    said = "torch %s for CUDA 10.1 with python 3.8 from pytorch, the newest for" % torch.split()[0]
    assert said in in_one_line(done.output), done.output
    again = user_layer("campus", **given)
    assert again.rc == 0 and "changed=0" in again.output and "changed=1" not in again.output, again.output


def test_the_companions_are_a_choice(user_layer, tmp_path):
    assert user_layer("campus", torch_env_companions=[]).rc == 0
    assert "torchvision" not in packages(envs(tmp_path) / "torch")


def test_another_torch_beside_the_build_is_refused_and_the_same_one_is_not(user_layer, tmp_path):
    refused = user_layer("campus", torch_env_packages=["pytorch=1.7.1", "cudatoolkit=11.1"])
    assert refused.rc != 0 and not envs(tmp_path).exists()
    assert "expected torch 1.8.1 for CUDA 10.1 alone; found pytorch=1.7.1 cudatoolkit=11.1" in in_one_line(
        refused.output
    )
    assert user_layer("campus", torch_env_pip=["torch==1.8.1"]).rc != 0
    assert (
        user_layer("campus", "--check", torch_env_packages=["cudatoolkit=10.1.243", "pytorch=1.8", "pytorch"]).rc == 0
    )


def test_another_engine_is_the_plays_choice(user_layer, tmp_path):
    conda = tmp_path / "bin/conda"
    conda.parent.mkdir()
    conda.write_text("#!/bin/sh\necho conda 4.8.0\n")
    conda.chmod(0o755)
    run = user_layer("campus", torch_env_engine="conda", torch_env_executable=str(conda))
    assert run.rc != 0 and "found 4.8.0 at %s; remedy: update it" % conda in in_one_line(run.output), run.output
    assert not envs(tmp_path).exists()


def test_mixed_has_one_env_for_each_partition(user_layer, tmp_path):
    done = user_layer("mixed")
    assert done.rc == 0, done.output
    assert sorted(path.name for path in envs(tmp_path).iterdir()) == ["torch-a100", "torch-h100", "torch-titan"]
    for partition, cuda in (("titan", "12.9"), ("a100", "13.0"), ("h100", "13.0")):
        held = packages(envs(tmp_path) / ("torch-%s" % partition))
        build = "cuda%s_py_0" % cuda.replace(".", "")
        assert held["pytorch-gpu"] == held["pytorch"] == "2.13.0 %s" % build, partition
        assert held["cuda-version"] == "%s 0" % cuda and held["torchvision"] == "0.28.0 0"
    again = user_layer("mixed")
    assert again.rc == 0 and "changed=1" not in again.output, again.output


def test_mixed_has_one_env_for_all_in_one_variable(user_layer, tmp_path):
    done = user_layer("mixed", torch_env_name="torch")
    assert done.rc == 0, done.output
    assert [path.name for path in envs(tmp_path).iterdir()] == ["torch"]
    assert packages(envs(tmp_path) / "torch")["pytorch"] == "2.13.0 cuda129_py_0"
    assert "gpus a100 h100 titan-v, driver 535.183.06" in in_one_line(done.output)


def test_a_limit_makes_the_env_of_the_nodes_that_it_names(user_layer, tmp_path):
    done = user_layer("mixed", "--limit", "h100-03")
    assert done.rc == 0, done.output
    assert [path.name for path in envs(tmp_path).iterdir()] == ["torch-h100"]


def test_what_no_build_can_do_is_refused_before_anything_is_made(user_layer, tmp_path):
    refused = user_layer("mixed", "--limit", "titan01", torch_env_source="wheels", torch_env_torch="2.15.0")
    assert refused.rc != 0 and not envs(tmp_path).exists()
    assert "no kernels for titan-v (7.0)" in in_one_line(refused.output) and "remedy: take torch 2." in in_one_line(
        refused.output
    )


def test_one_name_with_two_wishes_is_refused(user_layer, tmp_path):
    inventory = tmp_path / "two"
    (inventory / "group_vars").mkdir(parents=True)
    (inventory / "hosts.yml").write_text(
        "all: {children: {login: {hosts: {login01: }}, "
        "compute: {children: {old: {hosts: {old01: }}, new: {hosts: {new01: }}}}}}\n"
    )
    (inventory / "group_vars/old.yml").write_text('torch_env_cuda: "12.9"\n')
    (inventory / "group_vars/new.yml").write_text('torch_env_cuda: "13.0"\n')
    refused = user_layer(str(inventory))
    assert refused.rc != 0 and not envs(tmp_path).exists()
    assert 'found torch_env_cuda "12.9" and "13.0"; remedy' in in_one_line(refused.output), refused.output


def test_a_host_that_is_none_of_the_nodes_asks_for_itself(user_layer, tmp_path):
    """As a user's own, who has the cluster's inventory next to it."""
    inventory = tmp_path / "mine"
    (inventory / "group_vars").mkdir(parents=True)
    (inventory / "hosts.yml").write_text("all: {children: {compute: {hosts: {gpu01: }}, users: {hosts: {alice: }}}}\n")
    (inventory / "group_vars/compute.yml").write_text('torch_env_python: "3.11"\ntorch_env_packages: [numpy]\n')
    (inventory / "group_vars/users.yml").write_text('torch_env_cuda: "12.9"\ntorch_env_source: conda-forge\n')
    play = tmp_path / "mine.yml"
    role = {"name": "Mine", "ansible.builtin.include_role": {"name": "hpc.pytorch.torch_env"}}
    play.write_text(json.dumps([{"hosts": "users", "gather_facts": False, "tasks": [role]}]))
    done = user_layer(str(inventory), playbook=str(play))
    assert done.rc == 0, done.output
    made = packages(envs(tmp_path) / "torch")
    assert made["cuda-version"].startswith("12.9") and "numpy" not in made and not made["python"].startswith("3.11")


@pytest.fixture
def wheels_url(tmp_path: pathlib.Path, tiny_wheels: t.Any, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[str]:
    """PyTorch's indexes, below ``whl``, and a package index that has the same version for another CUDA."""
    for folder, tag in (("simple", ""), ("whl/cu126", "+cu126"), ("whl/cu130", "+cu130")):
        for name, version in (("torch", "2.13.0"), ("torchvision", "0.28.0")):
            files = {"%s/__init__.py" % name: "__version__ = %r\n" % (version + tag)}
            tiny_wheels.make_wheel(tmp_path / "web" / folder / name, name, version + tag, files=files)
    tiny_wheels.make_wheel(tmp_path / "web/simple/einops", "einops", "0.8.1")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=str(tmp_path / "web"))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:%d/simple" % server.server_port)
    # A further index of the caller's could have a newer one of the same name.
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    yield "http://127.0.0.1:%d/whl" % server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture
def python_channel(tmp_path_factory: pytest.TempPathFactory, playbook_run: t.Callable[..., t.Any]) -> pathlib.Path:
    """This machine's Python and pip, as conda packages."""
    folder = tmp_path_factory.mktemp("python-channel")
    task = {
        "path": str(folder / "channel"),
        "python": [sys.executable],
        "wheels": ["pip"],
        "executable": sys.executable,
    }
    (folder / "play.json").write_text(
        json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [{"hpc.pytorch.conda_channel": task}]}])
    )
    published = playbook_run(
        "-i",
        "localhost,",
        "-c",
        "local",
        "-e",
        "ansible_python_interpreter=%s" % sys.executable,
        str(folder / "play.json"),
    )
    assert published.rc == 0, published.output
    return folder / "channel"


@pytest.fixture
def wheels(python_channel: pathlib.Path, wheels_url: str) -> dict[str, t.Any]:
    return {
        "torch_env_source": "wheels",
        "torch_env_wheels_url": wheels_url,
        "torch_env_torch": "2.13.0",
        "torch_env_python": "%d.%d" % sys.version_info[:2],
        "torch_env_channels": ["file://%s" % python_channel],
    }


def distributions(prefix: pathlib.Path) -> list[str]:
    found = (path.name.removesuffix(".dist-info") for path in prefix.glob("lib/python3*/site-packages/*.dist-info"))
    return sorted(name for name in found if not name.startswith("pip-"))


def test_the_wheels_of_mixed_are_those_of_the_oldest_gpu(user_layer, wheels, tmp_path):
    prefix = envs(tmp_path) / "torch"
    everything = {**wheels, "torch_env_name": "torch"}
    done = user_layer("mixed", **everything)
    assert done.rc == 0, done.output
    assert distributions(prefix) == ["torch-2.13.0+cu126", "torchvision-0.28.0+cu126"]
    # The Titan V goes: the same version for another CUDA takes its place, and a requirement of one's own comes with it.
    newer = {
        **everything,
        "torch_env_gpus": ["a100", "h100"],
        "torch_env_driver": "580.95.05",
        "torch_env_cuda": "13.0",
        "torch_env_pip": ["einops"],
    }
    done = user_layer("mixed", **newer)
    assert done.rc == 0, done.output
    assert distributions(prefix) == ["einops-0.8.1", "torch-2.13.0+cu130", "torchvision-0.28.0+cu130"]
    again = user_layer("mixed", **newer)
    assert again.rc == 0 and "changed=1" not in again.output, again.output


def test_where_the_wheels_come_from_names_a_site_env_and_a_password_does_not(user_layer, wheels, tmp_path):
    def content_name(**variables):
        site = {
            **wheels,
            "torch_env_name": "torch",
            "torch_env_scope": "site",
            "torch_env_site_dir": str(tmp_path / "site"),
            **variables,
        }
        done = user_layer(
            "mixed",
            "--limit",
            "titan01",
            "--check",
            "--diff",
            playbook="hpc.pytorch.site",
            conda_engine_prefix=str(tmp_path / "engine"),
            site_become=False,
            conda_prefix=str(tmp_path / "conda"),
            **site,
        )
        found = re.search(r"/site/\.torch/([0-9a-f]{12})", done.output)
        assert found, done.output
        assert not (tmp_path / "site").exists()
        return found.group(1)

    name = content_name()
    assert content_name(torch_env_wheels_url="https://mirror.example.org/whl") != name
    with_password = wheels["torch_env_wheels_url"].replace("://", "://alice:pa55word@")
    assert content_name(torch_env_wheels_url=with_password) == name
