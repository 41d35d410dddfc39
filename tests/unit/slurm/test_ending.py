# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a script begins and ends: a login shell, and the lines that run last after a failure too."""

from __future__ import annotations

import signal
import subprocess

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script import parameters, render

COPY = ["# Results.", "echo copied > kept", "cat <<END >> kept", "#!last", "END"]


def start(folder, **params):
    (folder / "job.sh").write_text(render.render(parameters.options_of(params)).content)
    return subprocess.Popen(
        ["bash", "job.sh"],
        cwd=folder,
        env={"PATH": "%s:/usr/bin:/bin" % folder, "HOME": str(folder), "SLURM_JOB_ID": "7"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    "params,code",
    [
        ({"command": "true"}, 0),
        ({"command": "exit 3"}, 3),
        ({"command": "false"}, 1),
        ({"command": "true", "post": "exit 4"}, 4),
        ({"command": "true", "pre": "echo $NOT_SET"}, 1),
        # What fails last fails the job, but hides no failure before it.
        ({"command": "true", "always": ["false", "echo not reached > kept"]}, 1),
        ({"command": "exit 3", "always": ["exit 5"]}, 3),
    ],
)
def test_what_always_runs_keeps_the_exit_code_of_a_failure(tmp_path, params, code):
    process = start(tmp_path, **dict({"always": COPY}, **params))
    process.communicate()
    kept = (tmp_path / "kept").read_text() if (tmp_path / "kept").exists() else ""
    assert (process.returncode, kept) == (code, "" if "always" in params else "copied\n#!last\n")


def test_it_runs_at_once_when_the_job_is_told_to_end(tmp_path):
    subprocess.run(["mkfifo", str(tmp_path / "never")], check=True)
    process = start(tmp_path, always=COPY, command="echo begun; read -r _ < never")
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == -signal.SIGTERM
    assert (tmp_path / "kept").read_text() == "copied\n#!last\n"


def test_it_runs_once_before_a_job_goes_back_into_the_queue(tmp_path):
    (tmp_path / "scontrol").write_text('#!/bin/sh\ncat kept; echo "$@"\n')
    (tmp_path / "scontrol").chmod(0o755)
    (tmp_path / "train").write_text(
        '#!/bin/bash\ntrap "exit 0" USR1\nkill -USR1 $PPID\nwhile :; do read -r _ < never; done\n'
    )
    (tmp_path / "train").chmod(0o755)
    subprocess.run(["mkfifo", str(tmp_path / "never")], check=True)
    process = start(tmp_path, always="echo copied >> kept", command="train", checkpoint_seconds=60)
    out, err = process.communicate()
    assert (process.returncode, out) == (0, "copied\nrequeue 7\n"), err


def test_incomplete_lines_are_a_block_of_their_own():
    rendered = render.render(parameters.options_of({"command": "true", "always": "if true; then"}))
    assert rendered.blocks["always"] == "if true; then"


@pytest.mark.parametrize("params,first", [({"login_shell": True}, "#!/bin/bash -l"), ({}, "#!/bin/bash")])
def test_a_login_shell_is_asked_for_in_the_first_line(params, first):
    content = render.render(parameters.options_of(dict(params, command="true"))).content
    assert content.split("\n")[0] == first


@pytest.mark.parametrize("params", [{"always": "true"}, {"login_shell": True}])
def test_the_guide_has_neither(params):
    with pytest.raises(UserError, match=next(iter(params))):
        render.render(parameters.options_of(dict(params, command="true", style="guide")))
