# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection over a stand-in for srun that runs the step here, and says what srun of Slurm 22.05 says."""

from __future__ import annotations

import os
import sys

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError, AnsibleFileNotFound
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import become_loader, connection_loader

STUB = """#!%s -IS
import os, subprocess, sys
options = [argument for argument in sys.argv[1:] if argument.startswith("--")]
command = sys.argv[1 + len(options):]
with open(os.environ["SAID"], "a") as stream:
    stream.write(" ".join(options) + "\\n")
scene = os.environ.get("SCENE", "")
if scene == "old" and "--overlap" in options:
    sys.exit("srun: unrecognized option '--overlap'\\nTry \\"srun --help\\" for more information")
if scene == "gone":
    sys.exit("srun: error: Unable to confirm allocation for job 7: Invalid job id specified")
if scene == "binding":
    sys.exit(
        "srun: error: CPU binding outside of job step allocation, allocated CPUs are: 0x1.\\n"
        "srun: error: Task launch for StepId=7.0 failed on node n1: Unable to satisfy cpu bind request\\n"
        "srun: error: Application launch failed: Unable to satisfy cpu bind request\\n"
        "srun: Job step aborted"
    )
if scene == "many":
    sys.exit("srun: error: Unable to create step for job 7: More processors requested than permitted")
if scene == "cut":
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE)
    process.stdout.readline()
    os.killpg(process.pid, 9)
    process.wait()
    sys.exit("srun: error: *** STEP 7.0 ON n1 CANCELLED DUE TO TIME LIMIT ***")
code = subprocess.run(command, env=dict(os.environ, SLURM_JOB_ID="7")).returncode
if code:
    print("srun: error: n1: task 0: Exited with exit code %%d" %% code, file=sys.stderr)
sys.exit(code)
"""


@pytest.fixture
def said(tmp_path, monkeypatch):
    """What srun was asked, a line for each time."""
    path = tmp_path / "said"
    path.write_text("")
    monkeypatch.setenv("SAID", str(path))
    return lambda: path.read_text().splitlines()


@pytest.fixture
def connect(tmp_path, said):
    stub = tmp_path / "srun"
    stub.write_text(STUB % sys.executable)
    stub.chmod(0o755)

    def make(**options):
        connection = connection_loader.get("hpc.pytorch.srun", PlayContext(), os.devnull)
        connection.set_options(direct=dict({"job_id": "7", "host": "n1", "executable": str(stub)}, **options))
        return connection

    return make


def test_a_command_comes_back_with_its_own_words_alone(connect, said):
    assert connect().exec_command("echo out; echo err >&2; exit 3") == (3, b"out\n", b"err\n")
    assert connect().exec_command("true") == (0, b"", b"")
    (asked, _second) = said()
    assert (
        asked.split()[:5] == ["--jobid=7", "--nodes=1", "--ntasks=1", "--nodelist=n1", "--overlap"]
        and "--immediate=60" in asked
    )


def test_what_ends_in_a_comment_or_leaves_the_shell_is_a_command_too(connect):
    assert connect().exec_command("echo a # comment")[:2] == (0, b"a\n")
    assert connect().exec_command("exec sh -c 'exit 9'")[0] == 9


def test_a_module_is_piped_whole(connect):
    data = bytes(range(256)) * 4096
    assert connect().has_pipelining
    assert connect().exec_command("cat", in_data=data) == (0, data, b"")


@pytest.mark.parametrize("name", ["plain", "a b", 'it\'s "q" $(touch PLANTED) `x`; #', "\u00fcml\u00e4ut"])
def test_files_are_carried_in_and_out(connect, tmp_path, name):
    data = os.urandom(1 << 20)
    (tmp_path / "given").write_bytes(data)
    folder = tmp_path / "node"
    folder.mkdir()
    connect().put_file(str(tmp_path / "given"), str(folder / name))
    assert (folder / name).read_bytes() == data and os.listdir(folder) == [name]
    connect().fetch_file(str(folder / name), str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == data


def test_a_file_that_is_not_there(connect, tmp_path):
    with pytest.raises(AnsibleFileNotFound):
        connect().put_file(str(tmp_path / "none"), str(tmp_path / "x"))
    with pytest.raises(AnsibleError, match="failed to read .*none on n1: .*No such file"):
        connect().fetch_file(str(tmp_path / "none"), str(tmp_path / "back"))
    assert not (tmp_path / "back").exists()
    (tmp_path / "given").write_text("x")
    with pytest.raises(AnsibleError, match="failed to write .* on n1"):
        connect().put_file(str(tmp_path / "given"), str(tmp_path / "no" / "folder"))


@pytest.mark.parametrize(
    "scene, words",
    [
        (
            "gone",
            "expected a step of job 7 on node n1; found srun: error: Unable to confirm allocation for job 7:"
            " Invalid job id specified",
        ),
        (
            "cut",
            "expected a step of job 7 on node n1 that is not cut off; found srun: error: .* CANCELLED DUE TO"
            " TIME LIMIT",
        ),
    ],
)
def test_a_job_that_does_not_run_makes_the_node_unreachable(connect, monkeypatch, scene, words):
    monkeypatch.setenv("SCENE", scene)
    with pytest.raises(AnsibleConnectionFailure, match=words):
        connect().exec_command("echo half; sleep 600")


@pytest.mark.parametrize(
    ("scene", "words"),
    [
        ("binding", "found srun: error: CPU binding outside .*; srun: Job step aborted; remedy: set .*--cpu-bind=none"),
        ("many", "remedy: ask for no more CPUs than job 7 has on the node"),
        ("gone", "remedy: check that the job runs and has the node"),
    ],
)
def test_the_first_line_about_a_step_is_kept_and_its_remedy_named(connect, monkeypatch, scene, words):
    monkeypatch.setenv("SCENE", scene)
    with pytest.raises(AnsibleConnectionFailure, match=words):
        connect().exec_command("true")


def test_a_command_cannot_pretend_that_srun_failed(connect):
    code, _out, err = connect().exec_command("echo 'srun: error: Unable to confirm allocation' >&2; exit 1")
    assert code == 1 and b"Unable to confirm allocation" in err


def test_an_srun_that_knows_no_overlap(connect, said, monkeypatch):
    monkeypatch.setenv("SCENE", "old")
    assert connect().exec_command("cat", in_data=b"x") == (0, b"x", b"")
    assert ["--overlap" in line for line in said()] == [True, False]


def test_no_srun_here(connect):
    expected = "expected an executable srun at /none; found No such file.*login node"
    with pytest.raises(AnsibleConnectionFailure, match=expected):
        connect(executable="/none").exec_command("true")


@pytest.mark.parametrize("number", [None, "", "7 --uid=0", "x"])
def test_no_job(connect, said, number):
    with pytest.raises(AnsibleConnectionFailure, match="ansible_srun_job_id"):
        connect(job_id=number).exec_command("true")
    assert said() == []


def test_become_is_refused_with_the_reason(connect, said):
    connection = connect()
    connection.set_become_plugin(become_loader.get("sudo"))
    with pytest.raises(
        AnsibleError, match="expected no become with connection srun; found become method .*sudo; remedy"
    ):
        connection.exec_command("true")
    assert said() == []


def test_an_allocation_that_ansible_itself_runs_in_is_no_option(connect, monkeypatch):
    monkeypatch.setenv("SLURM_NTASKS", "16")
    monkeypatch.setenv("SLURM_CONF", "/c")
    (_code, out, _err) = connect(arguments="--mem=0 --label").exec_command("env")
    assert b"SLURM_NTASKS" not in out and b"SLURM_CONF=/c" in out


def test_words_before_srun_run_it_elsewhere(connect, said, tmp_path):
    assert connect(executable="/usr/bin/env A=1 " + str(tmp_path / "srun")).exec_command("echo $A")[1] == b"1\n"
