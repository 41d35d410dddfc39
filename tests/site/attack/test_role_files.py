# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole runs of roles as root, where another user can write: each is refused, also in check mode, and writes nothing.

One play runs all cases, each in a place of its own.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import typing as t

import pytest

CONDA = ("conda", "site")
NODE = ("conda", "node")
CUDA = ("cuda", "main")
ENV = ("torch_env", "main")
JOB = ("job_script", "main")
TOOLS = ("user_tools", "main")
PROFILE = {"conda_expose": ["profile"]}
TOOLKIT = {"cuda_expose": ["profile"]}
MODULE = {"cuda_expose": ["module"]}
# Each case: the role and its entry point, what mallory does, what root has done, and the variables. The words are those
# of the fixture `words`: {c} is the case's own sticky folder with root's base, toolkit, modules, envs and jobs in it.
CASES: dict[str, tuple[tuple[str, str], str, str, dict[str, t.Any]]] = {
    "conda: a base of hers": (CONDA, "cp -r '{c}/base' '{m}/base'", "", {"conda_prefix": "{m}/base"}),
    "conda: her base with a linked condarc": (
        CONDA,
        "cp -r '{c}/base' '{m}/base1' && ln -s '{t}/passwd' '{m}/base1/.condarc'",
        "",
        {"conda_prefix": "{m}/base1", "conda_modulefiles_dir": "{c}/modules"},
    ),
    "conda: her base with a fifo": (
        CONDA,
        "cp -r '{c}/base' '{m}/base2' && mkfifo '{m}/base2/.condarc'",
        "",
        {"conda_prefix": "{m}/base2", "conda_modulefiles_dir": "{c}/modules"},
    ),
    "conda: her base with a device": (
        CONDA,
        "cp -r '{c}/base' '{m}/base3' && ln -s /dev/zero '{m}/base3/.condarc'",
        "",
        {"conda_prefix": "{m}/base3", "conda_modulefiles_dir": "{c}/modules"},
    ),
    "conda: her base without conda": (
        CONDA,
        "cp -r '{c}/base' '{m}/base4' && rm '{m}/base4/bin/activate' && ln -s '{t}/new' '{m}/base4/bin/activate'",
        "",
        {"conda_prefix": "{m}/base4", "conda_method": "existing"},
    ),
    "conda: a base through her link": (CONDA, "ln -s base '{c}/her'", "", {"conda_prefix": "{c}/her"}),
    "conda: a condarc that is her link": (
        CONDA,
        "",
        "ln -s '{t}/passwd' '{c}/base/.condarc' && chown -h {uid} '{c}/base/.condarc'",
        {},
    ),
    "conda: a condarc of hers": (CONDA, "", "echo 'x: 1' > '{c}/base/.condarc' && chown {uid} '{c}/base/.condarc'", {}),
    "conda: a condarc that everybody writes": (
        CONDA,
        "",
        "echo > '{c}/base/.condarc'; chmod 666 '{c}/base/.condarc'",
        {},
    ),
    "conda: modulefiles through her link": (
        CONDA,
        "ln -s '{t}' '{c}/her'",
        "",
        {"conda_modulefiles_dir": "{c}/her"},
    ),
    "conda: modulefiles below her link": (
        CONDA,
        "ln -s '{t}' '{c}/her'",
        "",
        {"conda_modulefiles_dir": "{c}/her/modules/conda"},
    ),
    "conda: a new folder in a sticky one": (CONDA, "", "", {"conda_modulefiles_dir": "{c}/new/modules"}),
    "conda: modulefiles in her folder": (CONDA, "", "", {"conda_modulefiles_dir": "{m}/modules"}),
    "conda: a module folder of hers": (CONDA, "", "chown {uid} '{c}/modules'", {}),
    "conda: a module folder of a group": (CONDA, "", "chgrp nogroup '{c}/modules'; chmod 775 '{c}/modules'", {}),
    "conda: a modulefile that is her link": (
        CONDA,
        "",
        "ln -s '{t}/passwd' '{c}/modules/anaconda3.lua' && chown -h {uid} '{c}/modules/anaconda3.lua'",
        {},
    ),
    "conda: modules for a bin of hers": (CONDA, "", "chown {uid} '{c}/base/bin'", {}),
    "profile: a base of hers": (NODE, "cp -r '{c}/base' '{m}/base5'", "", {"conda_prefix": "{m}/base5", **PROFILE}),
    "profile: a base through her link": (NODE, "ln -s base '{c}/her'", "", {"conda_prefix": "{c}/her", **PROFILE}),
    "profile: a base not there yet": (NODE, "", "", {"conda_prefix": "{c}/none", **PROFILE}),
    "profile: a bin of hers": (NODE, "", "chown {uid} '{c}/base/bin'", PROFILE),
    "profile: a program of hers": (NODE, "", "touch '{c}/base/bin/ls' && chown {uid} '{c}/base/bin/ls'", PROFILE),
    "profile: a program that everybody writes": (NODE, "", "chmod 777 '{c}/base/bin/conda'", PROFILE),
    "profile: a program that is linked to hers": (NODE, ": > '{m}/ls'", "ln -s '{m}/ls' '{c}/base/bin/ls'", PROFILE),
    "profile: a program that she can make": (NODE, "", "ln -s '{c}/later' '{c}/base/bin/ls'", PROFILE),
    "profile: her profile.d": (NODE, "mkdir '{m}/d'", "", {"conda_profile_dir": "{m}/d", **PROFILE}),
    "profile: profile.d through her link": (
        NODE,
        "ln -s '{t}' '{c}/her'",
        "",
        {"conda_profile_dir": "{c}/her", **PROFILE},
    ),
    "profile: a file that is her link": (
        NODE,
        "",
        "ln -s '{t}/passwd' '{c}/d/hpc-pytorch-conda.sh' && chown -h {uid} '{c}/d/hpc-pytorch-conda.sh'",
        PROFILE,
    ),
    "modulepath: modules of hers": (
        NODE,
        "mkdir '{m}/modules1'",
        "",
        {"conda_modulefiles_dir": "{m}/modules1", "conda_expose": ["module"]},
    ),
    "modulepath: a modulerc of hers": (
        NODE,
        "",
        ": > '{c}/modules/.modulerc' && chown {uid} '{c}/modules/.modulerc'",
        {"conda_expose": ["module"]},
    ),
    "cuda: a toolkit of hers": (CUDA, "cp -r '{c}/cuda' '{m}/cuda'", "", {"cuda_home": "{m}/cuda", **TOOLKIT}),
    "cuda: a toolkit through her link": (CUDA, "ln -s cuda '{c}/her'", "", {"cuda_home": "{c}/her", **TOOLKIT}),
    "cuda: a bin of hers": (CUDA, "", "chown {uid} '{c}/cuda/bin'", TOOLKIT),
    "cuda: a compiler of hers": (CUDA, "", "touch '{c}/cuda/bin/g++'; chown {uid} '{c}/cuda/bin/g++'", TOOLKIT),
    "cuda: libraries of hers": (CUDA, "", "chown {uid} '{c}/cuda/lib64'", {"cuda_ld_library_path": True, **TOOLKIT}),
    "cuda: a library of hers": (
        CUDA,
        "",
        "touch '{c}/cuda/lib64/libcudart.so' && chown {uid} '{c}/cuda/lib64/libcudart.so'",
        {"cuda_ld_library_path": True, **MODULE},
    ),
    "cuda: a module for a toolkit of hers": (
        CUDA,
        "cp -r '{c}/cuda' '{m}/cuda1'",
        "",
        {"cuda_home": "{m}/cuda1", **MODULE},
    ),
    "cuda: her profile.d": (CUDA, "mkdir '{m}/d1'", "", {"cuda_profile_dir": "{m}/d1", **TOOLKIT}),
    "cuda: a profile that is her link": (
        CUDA,
        "",
        "ln -s '{t}/passwd' '{c}/d/hpc-pytorch-cuda.csh' && chown -h {uid} '{c}/d/hpc-pytorch-cuda.csh'",
        TOOLKIT,
    ),
    "cuda: her folder for modules": (
        CUDA,
        "mkdir '{m}/modules2'",
        "",
        {"cuda_modulefiles_dir": "{m}/modules2", **MODULE},
    ),
    "cuda: modules in a sticky folder": (
        CUDA,
        "",
        "mkdir '{c}/open' && chmod 1777 '{c}/open'",
        {**MODULE, "cuda_modulefiles_dir": "{c}/open"},
    ),
    "cuda: a linked folder cuda in a sticky one": (
        CUDA,
        "ln -s '{t}' '{c}/her' && mkdir '{c}/own' && ln -s '{t}' '{c}/own/cuda'",
        "",
        {"cuda_modulefiles_dir": "{c}/own", **MODULE},
    ),
    "cuda: a linked folder cuda of root's": (
        CUDA,
        "",
        "ln -s '{t}' '{c}/modules/cuda' && chown -h {uid} '{c}/modules/cuda'",
        MODULE,
    ),
    "cuda: a modulefile that is her link": (
        CUDA,
        "",
        "mkdir '{c}/modules/cuda'; cd '{c}/modules/cuda'; ln -s '{t}/passwd' 12.4 && chown -h {uid} 12.4",
        MODULE,
    ),
    "env: absent in a folder of hers": (
        ENV,
        "mkdir -p '{m}/envs/.torch'; cd '{m}/envs'; ln -s .torch/abc torch && ln -s '{t}/passwd' .torch/abc.switched",
        "",
        {"torch_env_site_dir": "{m}/envs"},
    ),
    "env: absent through her link": (ENV, "ln -s envs '{c}/her'", "", {"torch_env_site_dir": "{c}/her"}),
    "env: a store of hers": (
        ENV,
        "",
        "chown {uid} '{c}/envs/.torch' && ln -s '{t}/passwd' '{c}/envs/.torch/abc.switched'",
        {},
    ),
    "env: a record that is her link": (
        ENV,
        "",
        "ln -s '{t}/passwd' '{c}/envs/.torch/abc.switched' && chown -h {uid} '{c}/envs/.torch/abc.switched'",
        {},
    ),
    "env: a record that is a link of root's": (ENV, "", "ln -s '{t}/passwd' '{c}/envs/.torch/abc.switched'", {}),
    "env: a record of two names": (ENV, "", "ln '{t}/other' '{c}/envs/.torch/abc.switched'", {}),
    "env: a name that leads out of the store": (
        ENV,
        "",
        "ln -sfn .torch/../../../treasure/passwd '{c}/envs/torch' && chown -h {uid} '{c}/envs/torch'",
        {},
    ),
    "job: a folder of hers": (JOB, "mkdir '{m}/jobs'", "", {"job_script_dest": "{m}/jobs/job.sh"}),
    "job: a new folder in a sticky one": (JOB, "", "", {"job_script_dest": "{c}/new/jobs/job.sh"}),
    "job: an example that is her link": (
        JOB,
        "",
        "ln -s '{t}/passwd' '{c}/jobs/digits.csv.gz' && chown -h {uid} '{c}/jobs/digits.csv.gz'",
        {},
    ),
    "job: a folder of a group": (JOB, "", "chgrp nogroup '{c}/jobs' && chmod 2775 '{c}/jobs'", {}),
    "tools: a folder of hers": (TOOLS, "mkdir '{m}/tools'", "", {"user_tools_prefix": "{m}/tools"}),
    "tools: a command that is her link": (
        TOOLS,
        "",
        "ln -s '{t}/passwd' '{c}/tools/bin/sbatch-lint' && chown -h {uid} '{c}/tools/bin/sbatch-lint'",
        {},
    ),
    "tools: a folder of root's in which she can write": (TOOLS, "", "chmod 777 '{c}/tools/bin'", {}),
    "tools: a python of hers": (TOOLS, "touch '{m}/python'", "", {"user_tools_python": "{m}/python"}),
    "tools: modulefiles in her folder": (
        TOOLS,
        "mkdir '{m}/modules3'",
        "",
        {"user_tools_modulefiles_dir": "{m}/modules3"},
    ),
    "tools: removed through her link": (
        TOOLS,
        "ln -s '{t}' '{c}/her'",
        "",
        {"user_tools_prefix": "{c}/her", "user_tools_state": "absent"},
    ),
}
BASE = """
mkdir -p '{c}' && cd '{c}'
mkdir -p base/bin base/conda-meta cuda/bin cuda/lib64 modules d jobs tools/bin envs/.torch/abc
for name in base/bin/conda base/bin/activate; do printf '#!/bin/sh\\n' > $name; done
printf '#!/bin/sh\\necho "Cuda compilation tools, release 12.4, V12.4.131"\\n' > cuda/bin/nvcc
chmod 755 base/bin/* cuda/bin/nvcc
ln -s .torch/abc envs/torch
chmod 1777 .
"""
DEFAULTS: dict[str, t.Any] = {
    "conda_prefix": "{c}/base",
    "conda_expose": ["module"],
    "conda_modulefiles_dir": "{c}/modules",
    "conda_profile_dir": "{c}/d",
    "cuda_home": "{c}/cuda",
    "cuda_become": False,
    "cuda_modulefiles_dir": "{c}/modules",
    "cuda_profile_dir": "{c}/d",
    "torch_env_scope": "site",
    "torch_env_state": "absent",
    "torch_env_name": "torch",
    "torch_env_site_dir": "{c}/envs",
    "torch_env_torch": "2.5.1",
    "torch_env_cuda": "12.6",
    "torch_env_executable": "/usr/bin/false",
    "job_script_dest": "{c}/jobs/job.sh",
    "job_script_command": "true",
    "job_script_check_cluster": "false",
    "job_script_make_folder": True,
    "job_script_example": True,
    "user_tools_prefix": "{c}/tools",
    "user_tools_modulefiles_dir": "{c}/modules",
}


def filled(value: t.Any, words: dict[str, t.Any]) -> t.Any:
    if isinstance(value, str):
        return value.format(**words)
    return [filled(each, words) for each in value] if isinstance(value, list) else value


@pytest.fixture
def cases(place: pathlib.Path, mallory: t.Any, treasure: t.Any) -> list[tuple[str, tuple[str, str], dict[str, t.Any]]]:
    """Every case, set up: its name, the role and entry point, and the variables."""
    (treasure.path.parent / "other").touch(0o600)
    made = []
    for number, (name, (entry, hers, roots, given)) in enumerate(CASES.items()):
        words = {"c": place / str(number), "m": mallory.home, "t": treasure.path.parent, "uid": mallory.uid}
        subprocess.run(["/bin/sh", "-euc", BASE.format(**words)], check=True)
        mallory.does(hers.format(**words) or ":")
        subprocess.run(["/bin/sh", "-euc", roots.format(**words) or ":"], check=True)
        used = {key: value for key, value in {**DEFAULTS, **given}.items() if key.startswith(prefixes(entry[0]))}
        made.append((name, entry, {key: filled(value, words) for key, value in used.items()}))
    treasure.before = treasure.state()
    return made


def prefixes(role: str) -> tuple[str, ...]:
    return (role + "_",)


def tasks(cases: t.Sequence[tuple[str, tuple[str, str], dict[str, t.Any]]], results: pathlib.Path) -> list[t.Any]:
    """A play that goes on after a refusal, and writes down each message."""
    steps: list[t.Any] = []
    for number, (_name, (role, entry), variables) in enumerate(cases):
        include = {
            "ansible.builtin.include_role": {"name": "hpc.pytorch." + role, "tasks_from": entry},
            "vars": variables,
        }
        said = "{{ ansible_failed_result.msg | default('') }}"
        steps.append(
            {
                "block": [include, {"ansible.builtin.set_fact": {"case_%d" % number: "went through"}}],
                "rescue": [{"ansible.builtin.set_fact": {"case_%d" % number: said}}],
            }
        )
    content = "{{ [%s] | to_json }}" % ", ".join("case_%d" % number for number in range(len(cases)))
    copy = {"dest": str(results), "content": content, "mode": "0644"}
    return [*steps, {"ansible.builtin.copy": copy, "check_mode": False}]


def everything(place: pathlib.Path) -> list[tuple[t.Any, ...]]:
    found = [(path, path.lstat()) for path in sorted(place.rglob("*"))]
    return [(str(path), each.st_mode, each.st_uid, each.st_size, each.st_mtime_ns) for path, each in found]


def is_roots(path: str) -> bool:
    """Whether the entry and its folder are root's."""
    return os.lstat(path).st_uid == os.lstat(os.path.dirname(path)).st_uid == 0


@pytest.mark.parametrize("mode", [["--check", "--diff"], []])
def test_every_case_is_refused_and_writes_nothing(play, cases, place, treasure, tmp_path, mode):
    before = everything(place)
    results = tmp_path / "results.json"
    # One that waits for a fifo or reads a device without an end is found by this.
    done = play(tasks(cases, results), {}, *mode)
    assert results.exists(), done.output
    said = dict(zip([name for name, _entry, _variables in cases], json.loads(results.read_text())))
    through = {name: text for name, text in said.items() if not text.startswith("expected ")}
    assert through == {}
    assert treasure.is_untouched()
    written = sorted(set(everything(place)) - set(before))
    # What is root's own was written before the next step was refused: the condarc of root's base, the script next to
    # which the example belongs, the name whose record is odd.
    roots = ("/base", "/base/.condarc", "/jobs", "/jobs/job.sh", "/envs")
    assert [path for path, *_rest in written if not (path.endswith(roots) and is_roots(path))] == []
    assert "root:x:0:0" not in done.output


def test_a_healthy_site_is_made_and_then_left_alone(play, place, tmp_path, closed_umask):
    """Root's symlinks on the way, folders of the group root, setgid, a closed umask."""
    words = {"c": place / "site one"}
    subprocess.run(["/bin/sh", "-euc", BASE.format(**words)], check=True)
    links = 'mkdir data && mv base cuda modules envs data/ && ln -s data/base base && ln -s "$PWD/data/cuda" cuda && '
    links += "ln -s data/modules modules && ln -s data/envs envs && chmod 2775 data/modules jobs && chmod 775 data d"
    subprocess.run(["/bin/sh", "-euc", "cd '{c}' && chmod 755 . && {l}".format(l=links, **words)], check=True)
    given = {
        **DEFAULTS,
        "conda_expose": ["module", "profile"],
        "cuda_expose": ["module", "profile"],
        "cuda_ld_library_path": True,
    }
    healthy = [
        ("", entry, {k: filled(v, words) for k, v in given.items() if k.startswith(prefixes(entry[0]))})
        for entry in (CONDA, NODE, CUDA, ENV, JOB, TOOLS)
    ]
    # A path of conda's has no blanks.
    os.rename(words["c"], place / "site")
    healthy = json.loads(json.dumps(healthy).replace("site one", "site"))
    subprocess.run(["ln", "-sfn", str(place / "site/data/cuda"), str(place / "site/cuda")], check=True)
    predicted = play(tasks(healthy, tmp_path / "predicted.json"), {}, "--check")
    assert json.loads((tmp_path / "predicted.json").read_text()) == ["went through"] * 6, predicted.output
    made = play(tasks(healthy, tmp_path / "made.json"), {})
    assert json.loads((tmp_path / "made.json").read_text()) == ["went through"] * 6, made.output
    files = [
        path
        for path in place.rglob("*")
        if path.is_file() and path.stat().st_mtime > (tmp_path / "play.json").stat().st_mtime
    ]
    assert len(files) >= 12 and {path.stat().st_mode & 0o044 for path in files if path.name != "job.sh"} == {0o044}, (
        files
    )
    again = play(tasks(healthy, tmp_path / "made.json"), {})
    assert again.rc == 0 and again.recap["changed"] == 0, again.output
