# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Root's environment comes from another user, as sudo -E brings it: nothing that a variable leads to is run or read."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import typing as t

import pytest

RUN_MODULE = pathlib.Path(__file__).with_name("run_module.py")
SYSTEM = "/usr/bin/python3"
# Set after this process has started: before, they would concern Ansible itself.
START = (
    "import json, os, runpy, sys; os.environ.update(json.loads(sys.argv[1])); sys.argv[:3] = sys.argv[2:3];"
    "runpy.run_path(sys.argv[0], run_name='__main__')"
)
FOLDERS = (
    "PYTHONPATH PYTHONUSERBASE PYTHONHOME PYTHONPYCACHEPREFIX LD_LIBRARY_PATH XDG_CONFIG_HOME XDG_CACHE_HOME"
    " XDG_CONFIG_DIRS XDG_DATA_HOME TMPDIR PIP_FIND_LINKS PIP_CACHE_DIR PIP_SRC CONDA_ROOT CONDA_PREFIX"
    " MAMBA_ROOT_PREFIX CUDA_HOME CUDA_PATH OPENSSL_MODULES OPENSSL_ENGINES GCONV_PATH LOCPATH PERL5LIB"
    " GIT_EXEC_PATH GIT_DIR VIRTUAL_ENV PIP_TARGET PIP_PREFIX PIP_ROOT HOME SSL_CERT_DIR"
).split()
PROGRAMS = (
    "PYTHONSTARTUP PYTHONEXECUTABLE BASH_ENV ENV GIT_SSH GIT_SSH_COMMAND GIT_ASKPASS CONDA_EXE PIP_PYTHON LD_PRELOAD"
    " LD_AUDIT PAGER CC CXX"
).split()
FILES = (
    "PIP_CONFIG_FILE PIP_CONSTRAINT PIP_REQUIREMENT SSL_CERT_FILE REQUESTS_CA_BUNDLE NETRC OPENSSL_CONF CONDARC"
).split()
# torch_info refuses these by name, as their loss could hide the cause of a failure.
REFUSED = ("LD_LIBRARY_PATH", "LD_PRELOAD", "LD_AUDIT", "PYTHONPATH", "PYTHONHOME")


@pytest.fixture
def planted(mallory: t.Any, marker: pathlib.Path, program: str) -> dict[str, str]:
    """Every variable, each leading to something of hers that says that it ran."""
    code = "open(%r, 'a').write(__file__ + '\\n')\n" % str(marker)
    version = "python%d.%d" % sys.version_info[:2]
    site = "lib/%s/site-packages" % version
    for folder in ("", site + "/", ".local/%s/" % site):
        for name in ("sitecustomize", "usercustomize", "site", "rattler", "yaml", "pip", "venv", "json", "re"):
            mallory.writes("%s%s.py" % (folder, name), code)
        mallory.writes(folder + "mallory.pth", "import sys; exec(%r)\n" % code.replace("__file__", "'a .pth'"))
    for name in ("nvcc", "nvidia-smi", "python3", "python", "gcc", "conda", "git", "scontrol"):
        for folder in ("", "bin/"):
            mallory.writes(folder + name, program)
    mallory.writes("pip/pip.conf", "[global]\nfind-links = %s\nno-index = true\n" % mallory.home)
    tool = mallory.writes("tool", program)
    config = mallory.writes("a.conf", "[global]\nno-index = true\n")
    variables = {name: str(mallory.home) for name in FOLDERS}
    variables.update({name: str(tool) for name in PROGRAMS}, **{name: str(config) for name in FILES})
    return dict(variables, PATH="%s/bin:/usr/bin:/bin" % mallory.home)


def run(module: str, variables: t.Mapping[str, str], home: pathlib.Path, **options: t.Any) -> dict[str, t.Any]:
    done = subprocess.run(
        [sys.executable, "-I", "-c", START, json.dumps(variables), str(RUN_MODULE), module],
        input=json.dumps(options),
        env={"HOME": str(home), "HPC_TEST_ROOT": str(home), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert lines, done.stdout
    return t.cast("dict[str, t.Any]", json.loads(lines[-1]))


def test_there_are_enough_of_them(planted):
    assert len(planted) >= 50


@pytest.mark.parametrize(
    "module, options",
    [
        ("conda_engine", {"prefix": "opt/engine", "requirements": "pip\n", "python": SYSTEM}),
        ("conda_engine_python_info", {"python": SYSTEM}),
        ("cuda_info", {}),
        ("torch_info", {"python": SYSTEM}),
        ("slurm_info", {}),
    ],
)
def test_nothing_that_a_variable_leads_to_is_run(place, planted, marker, module, options):
    if module == "torch_info":
        planted = {name: value for name, value in planted.items() if name not in REFUSED}
    if "prefix" in options:
        options = dict(options, prefix=str(place / options["prefix"]))
    result = run(module, planted, place, **options)
    assert not marker.exists(), marker.read_text() + str(result)
    # Some refuse her program by its name; there is no Slurm here.
    assert not result.get("failed") or "as this runs as root" in result["msg"] or module == "slurm_info", result


@pytest.mark.parametrize("name", REFUSED)
def test_torch_info_refuses_what_could_hide_a_cause(place, planted, marker, name):
    result = run("torch_info", {name: planted[name]}, place, python=SYSTEM)
    assert "found" in str(result) and planted[name] in str(result) and not marker.exists(), result


def test_an_env_is_made_with_all_of_them_set(place, planted, marker, tiny_channel):
    tiny_channel.make_package(place / "channel", "tool", files={"bin/tool": "#!/bin/sh\n"})
    channel = "file://%s" % tiny_channel.index(place / "channel")
    # Where caches and the condarc are is the caller's word: conda_env refuses those by itself.
    for name in ("HOME", "XDG_CACHE_HOME", "CONDARC", "CONDA_ROOT", "TMPDIR"):
        del planted[name]
    options = {"prefix": str(place / "env"), "packages": ["tool"], "channels": [channel], "register_envs": False}
    result = run("conda_env", planted, place, **options, package_cache=str(place / "pkgs"), executable=sys.executable)
    assert not marker.exists(), marker.read_text()
    assert not result.get("failed") and os.path.exists(place / "env/bin/tool"), result
