# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a script has around its command: modules, environments, images, and what the submitting shell left."""

from __future__ import annotations

import subprocess
import sys

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script import parameters, render


def render_script(params, slurm=None):
    return render.render(parameters.options_of(params), slurm)


def test_what_the_submitting_shell_has_of_gpus_does_not_reach_a_job_without(start):
    leaked = {"SLURM_JOB_ID": "1", "CUDA_VISIBLE_DEVICES": "0", "NVIDIA_VISIBLE_DEVICES": "all"}
    show = "echo ${CUDA_VISIBLE_DEVICES-none} ${NVIDIA_VISIBLE_DEVICES-none}"
    assert start(leaked, command=show).stdout == "none none\n"
    assert start(dict(leaked, SLURM_JOB_GPUS="0"), command=show).stdout == "0 all\n"
    assert start(leaked, command=show, gres="gpu:1").stdout == "0 all\n"
    assert start({"CUDA_VISIBLE_DEVICES": "0"}, command=show).stdout == "0 none\n"


def test_modules_are_purged_used_and_loaded_in_this_order(start):
    ran = start(
        {"BASH_FUNC_module%%": '() { echo "module <$1> <${2-}>"; }'},
        modules=["b", "a/1.0"],
        modules_use=["/x", "~/y z"],
        modules_purge=True,
        command="true",
    )
    assert ran.stdout.splitlines() == [
        "module <purge> <>",
        "module <use> </x>",
        "module <use> <%s/y z>" % start.folder,
        "module <load> <b>",
        "module <load> <a/1.0>",
    ], ran.stderr


@pytest.mark.parametrize("option,folder", [("venv", "my env"), ("uv_project", "my env/.venv")])
def test_a_venv_is_active_and_a_missing_one_ends_the_job(start, option, folder):
    path = str(start.folder / "my env")
    missing = start(command="echo ran", **{option: path})
    assert (
        (missing.returncode, missing.stdout) == (1, "")
        and "my env" in missing.stderr
        and missing.stderr.count("\n") == 1
    )
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(start.folder / folder)], check=True)
    ran = start(pre='type -P python; echo "$PYTHONNOUSERSITE"', command="true", **{option: path})
    assert ran.stdout == "%s/%s/bin/python\n1\n" % (start.folder, folder), ran.stderr


@pytest.mark.parametrize("fails", ["", "load c", "swap a b", "unload d", "restore mine", "reset", "restore", "purge"])
def test_commands_of_module_run_in_order_and_a_failed_one_ends_the_job(start, fails):
    entries = ["purge", "restore", "reset", "restore mine", "swap a b", "unload d", "load c", "e/1.0"]
    ran = start(
        {"BASH_FUNC_module%%": '() { echo "$*"; [ "$*" != "%s" ]; }' % fails},
        modules=entries,
        modules_use=["/x"],
        command="echo ran",
    )
    expected = [*entries[:4], "use /x", *entries[4:7], "load e/1.0", "ran"]
    # Where a site has no default modules, a reset ends with 1 although it did what it should.
    if fails and fails not in ("purge", "restore", "reset"):
        expected = expected[: expected.index(fails) + 1]
    assert ran.stdout.splitlines() == expected
    assert ran.returncode == (0 if "ran" in expected else 1), ran.stderr


@pytest.mark.parametrize(
    "entry", ["swap a", "unload", "reset a", "use /x", "load", "swap a b c", "unload $(id)", "a b"]
)
def test_what_module_would_not_take_is_refused(entry):
    with pytest.raises(UserError, match="modules to be names"):
        render_script({"modules": [entry], "command": "true"})


@pytest.mark.parametrize(
    "engine,gpu,word",
    [
        ("apptainer", True, "--nv"),
        ("apptainer", "true", "--nv"),
        ("singularity", "nvidia", "--nv"),
        ("apptainer", "amd", "--rocm"),
        ("singularity", "amd", "--rocm"),
        ("apptainer", False, None),
        ("apptainer", "no", None),
        ("charliecloud", "amd", None),
        ("enroot", True, "NVIDIA_VISIBLE_DEVICES=all"),
        ("enroot", False, "NVIDIA_VISIBLE_DEVICES=void"),
    ],
)
def test_an_image_gets_the_driver_of_its_gpus(engine, gpu, word):
    content = render_script(
        {"command": "python x.py", "container": {"engine": engine, "image": "i", "gpu": gpu}}
    ).content
    found = [
        name
        for name in ("--nv", "--rocm", "NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_VISIBLE_DEVICES=void")
        if name in content
    ]
    assert found == ([word] if word else []) and "ch-fromhost" not in content


@pytest.mark.parametrize("engine,gpu", [("apptainer", "intel"), ("enroot", "amd"), ("pyxis", "amd")])
def test_gpus_that_an_engine_does_not_bring_are_refused(engine, gpu):
    with pytest.raises(UserError, match="container.gpu"):
        render_script({"command": "python x.py", "container": {"engine": engine, "image": "i", "gpu": gpu}})
