# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job script whose command runs in an image, for real: charliecloud, which needs no root and no daemon."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import typing as t

import pytest

# What a container has that the node has not, and the other way round.
PROGRAM = """#!/bin/sh
echo "in $(cat /etc/image) at $(pwd -P): ${TEXT-}, $*"
for file in here.txt data.txt; do
    if [ -e $file ]; then cat $file; fi
done
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A tree with a shell, made of this machine's busybox; the folders are those that charliecloud mounts on."""
    root = tmp_path_factory.mktemp("images") / "my image"
    for folder in ("bin", "usr/bin", "dev", "proc", "sys", "tmp", "etc", "home", "root", "mnt/0", "data", "ch"):
        (root / folder).mkdir(parents=True)
    shutil.copy("/bin/busybox", root / "bin" / "busybox")
    for name in ("sh", "cat", "env"):
        (root / "bin" / name).symlink_to("busybox")
    for name in ("hosts", "passwd", "group", "resolv.conf"):
        (root / "etc" / name).touch()
    (root / "etc" / "image").write_text("the image")
    (root / "usr/bin/show").write_text(PROGRAM)
    (root / "usr/bin/show").chmod(0o755)
    (root / "ch" / "environment").write_text("PATH=/usr/bin:/bin\n")
    return root


@pytest.fixture
def job(play: t.Callable[..., t.Any], tmp_path: pathlib.Path) -> t.Callable[..., subprocess.CompletedProcess[str]]:
    """Write a script with the role, and run it with bash from a folder of its own."""
    folder = tmp_path / "my job"
    folder.mkdir()
    (folder / "here.txt").write_text("from the job's folder\n")

    def run(**variables: t.Any) -> subprocess.CompletedProcess[str]:
        dest = folder / "job.sh"
        written = play(
            [{"ansible.builtin.include_role": {"name": "hpc.pytorch.job_script"}}],
            dict(
                {
                    "job_script_dest": str(dest),
                    "job_script_mem": "1G",
                    "job_script_time": "10",
                    "job_script_check_cluster": "false",
                },
                **variables,
            ),
        )
        assert written.rc == 0, written.output
        # Without a login's variables, as in a job.
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        return subprocess.run(
            ["bash", str(dest)], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )

    return run


def test_the_command_runs_in_the_image_with_the_jobs_folder_and_its_variables(
    job: t.Callable[..., subprocess.CompletedProcess[str]], image: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "my data").mkdir()
    (tmp_path / "my data" / "data.txt").write_text("from the mount\n")
    ran = job(
        job_script_command="show 'a  b' $((1 + 1))",
        job_script_pre="echo before in $(cat /etc/image 2>/dev/null || echo the node)",
        job_script_post="echo after",
        job_script_exports={"TEXT": "it's $(hostile)"},
        job_script_container={
            "engine": "charliecloud",
            "image": str(image),
            "mounts": ["%s:/data" % (tmp_path / "my data")],
        },
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == [
        "before in the node",
        "in the image at /mnt/0: it's $(hostile), a  b 2",
        "from the job's folder",
        "after",
    ]
    elsewhere = job(
        job_script_command="show",
        job_script_container={
            "engine": "charliecloud",
            "image": str(image),
            "mounts": ["%s:/data" % (tmp_path / "my data")],
            "workdir": "/data",
        },
    )
    assert elsewhere.stdout.splitlines()[-1] == "from the mount", elsewhere.stderr


def test_the_commands_exit_code_is_the_jobs(
    job: t.Callable[..., subprocess.CompletedProcess[str]], image: pathlib.Path
) -> None:
    ran = job(
        job_script_command="sh -c 'exit 7'",
        job_script_post="echo never",
        job_script_container={"engine": "charliecloud", "image": str(image)},
    )
    assert (ran.returncode, ran.stdout) == (7, "")


def test_an_image_that_is_not_there_is_said(
    job: t.Callable[..., subprocess.CompletedProcess[str]], image: pathlib.Path
) -> None:
    ran = job(
        job_script_command="show",
        job_script_container={"engine": "charliecloud", "image": str(image) + " of yesterday"},
    )
    assert ran.returncode == 1 and "of yesterday" in ran.stderr and ran.stderr.count("\n") == 1


def test_several_processes_start_in_the_image(
    job: t.Callable[..., subprocess.CompletedProcess[str]], image: pathlib.Path
) -> None:
    # As many as a launcher in the image starts; this one stands for torchrun.
    launcher = image / "usr/bin/torchrun"
    launcher.write_text('#!/bin/sh\nwhile [ "${1#--}" != "$1" ]; do shift; done\n"$@" one && "$@" two\n')
    launcher.chmod(0o755)
    ran = job(
        job_script_kind="multi_gpu",
        job_script_nproc_per_node=2,
        job_script_command="show",
        job_script_exports={"TEXT": "text"},
        job_script_container={"engine": "charliecloud", "image": str(image)},
    )
    assert ran.returncode == 0, ran.stderr
    assert [line for line in ran.stdout.splitlines() if line.startswith("in")] == [
        "in the image at /mnt/0: text, one",
        "in the image at /mnt/0: text, two",
    ]
