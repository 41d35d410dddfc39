# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role job_script: it writes once, runs each time, and says how the job went."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {name: hpc.pytorch.job_script}
      when: write | default(true)
    - ansible.builtin.include_role: {name: hpc.pytorch.job_script, tasks_from: run}
      when: run | default(true)
    - ansible.builtin.include_role: {name: hpc.pytorch.job_script, tasks_from: submit}
      when: submit | default(false)
    - ansible.builtin.copy:
        content: "{{ job_script_job | default(job_script_result) | default({}) | to_json }}"
        dest: "{{ playbook_dir }}/result.json"
        mode: "0644"
      check_mode: false
      changed_when: false
"""
FAKE_SBATCH = """#!/bin/sh
echo "$*" >> "$PWD/asked"
[ "$1" = "--parsable" ] || [ "$1" = "--test-only" ] || exit 9
[ -z "$REFUSED" ] || { echo "sbatch: error: $REFUSED" >&2; exit 1; }
[ "$1" = "--parsable" ] || { echo "sbatch: Job 4712 to start at 2026-11-24T14:36:13 using 1 processors" >&2; exit 0; }
echo "4711;main"
for script; do :; done
bash "$script" > slurm-4711.out 2>&1
echo $? > slurm-4711.rc
"""
FAKE_SCONTROL = """#!/bin/sh
case "$*" in
*ping) ;;
*"show config") echo "ClusterName = main" ;;
*"show job 4711")
    rc=$(cat "$PWD/slurm-4711.rc")
    state=COMPLETED
    [ "$rc" = 0 ] || state=FAILED
    echo "JobId=4711 JobName=x UserId=me(1) GroupId=me(1) JobState=$state Reason=None ExitCode=$rc:0 NodeList=n1" \\
        "StdErr=$PWD/slurm-4711.out StdOut=$PWD/slurm-4711.out"
    ;;
esac
"""


@pytest.fixture
def no_controller(tmp_path):
    """A slurm.conf whose controller does not answer."""
    conf = tmp_path / "slurm.conf"
    conf.write_text("ClusterName=none\nSlurmctldHost=localhost(127.0.0.1)\nSlurmctldPort=1\nAuthType=auth/none\n")
    return conf


@pytest.fixture
def play(tmp_path, no_controller):
    """A play of both entry points; without *slurm* its controller does not answer."""
    (tmp_path / "play.yml").write_text(PLAY)
    tools = tmp_path / "tools"
    tools.mkdir()
    folder = tmp_path / "my jobs"

    def run(*arguments, slurm=False, environment=None, **variables):
        if slurm:
            for name, text in (("sbatch", FAKE_SBATCH), ("scontrol", FAKE_SCONTROL), ("scancel", "#!/bin/sh\n")):
                (tools / name).write_text(text.replace("$PWD", str(folder)))
                (tools / name).chmod(0o755)
        values = {"job_script_dest": str(folder / "job.sh"), "ansible_python_interpreter": sys.executable}
        values.update(
            {
                name if name in ("write", "run", "submit") else "job_script_" + name: value
                for name, value in variables.items()
            }
        )
        ran = subprocess.run(
            [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", "-c", "local", str(tmp_path / "play.yml")]
            + ["-e", json.dumps(values), *arguments],
            cwd=CHECKOUT,
            env=dict(
                os.environ,
                PATH="%s:%s" % (tools, os.environ["PATH"]),
                SLURM_CONF=str(no_controller),
                ANSIBLE_NOCOLOR="1",
                ANSIBLE_INJECT_FACT_VARS="false",
                **(environment or {}),
            ),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        result = tmp_path / "result.json"
        ran.result = json.loads(result.read_text()) if result.exists() else {}
        ran.changed = int((re.findall(r"changed=(\d+)", ran.stdout) or ["-1"])[0])
        return ran

    run.folder = folder
    return run


def test_it_writes_runs_and_counts_no_change_for_running(play):
    first = play(command=["echo 'to stderr' >&2", "echo done"], job_name="a b")
    assert first.returncode == 0, first.stdout
    assert first.changed == 1
    result = first.result
    assert (result["runner"], result["rc"], result["job_id"], result["output_file"]) == ("bash", 0, "", "")
    assert result["tail"] == ["to stderr", "done"]
    assert "with bash" in result["summary"] and result["summary"].rstrip().endswith("exit code 0; done")
    assert "ran with bash" in re.sub(r"\s+", " ", first.stdout)
    again = play(command=["echo 'to stderr' >&2", "echo done"], job_name="a b")
    assert (again.returncode, again.changed) == (0, 0)


def test_where_slurm_answers_the_job_goes_through_sbatch(play):
    ran = play(slurm=True, command=["echo one", "echo two"], run_tail=1)
    assert ran.returncode == 0, ran.stdout
    assert (ran.result["runner"], ran.result["rc"], ran.result["job_id"]) == ("sbatch", 0, "4711")
    assert ran.result["output_file"] == str(play.folder / "slurm-4711.out")
    assert ran.result["tail"] == ["two"] and "as job 4711" in ran.result["summary"]


@pytest.mark.parametrize("slurm", [False, True])
def test_a_job_that_fails_fails_the_play_with_the_end_of_its_output(play, slurm):
    ran = play(slurm=slurm, command=["echo LAST WORDS", "exit 3"])
    assert ran.returncode == 2
    end = re.sub(r"\s+", " ", ran.stdout + ran.stderr)
    assert "exit code 3" in end and "LAST WORDS" in end and "remedy" in end


def test_submit_hands_the_script_over_once(play):
    ran = play(slurm=True, run=False, submit=True, submit_wait=True, submit_arguments=["--nodes=1"], command="echo one")
    assert ran.returncode == 0, ran.stdout
    assert ran.changed == 2 and (ran.result["job_id"], ran.result["job_state"], ran.result["stdout_tail"]) == (
        "4711",
        "COMPLETED",
        ["one"],
    )
    again = play(
        slurm=True, run=False, submit=True, submit_wait=True, submit_arguments=["--nodes=1"], command="echo one"
    )
    assert (again.returncode, again.changed) == (0, 0), again.stdout
    assert [line.split()[:2] for line in (play.folder / "asked").read_text().splitlines()] == [
        ["--parsable", "--nodes=1"]
    ]
    forced = play(
        slurm=True, run=False, submit=True, submit_force=True, submit_arguments=["--nodes=1"], command="echo one"
    )
    assert (forced.returncode, forced.changed) == (0, 1), forced.stdout


def test_submit_fails_the_play_for_a_job_that_it_waited_for(play):
    ran = play(slurm=True, run=False, submit=True, submit_wait=True, command=["echo LAST WORDS", "exit 3"])
    end = re.sub(r"\s+", " ", ran.stdout + ran.stderr)
    assert ran.returncode == 2 and "exit code 3" in end and "LAST WORDS" in end
    assert play(slurm=True, run=False, submit=True, command=["echo LAST WORDS", "exit 3"]).returncode == 0


def test_submit_in_check_mode_asks_sbatch_alone(play):
    ran = play("--check", slurm=True, run=False, submit=True, command="true")
    assert ran.returncode == 0 and "is not there yet" in re.sub(r"\s+", " ", ran.stdout), ran.stdout
    play(slurm=True, run=False, command="true")
    ran = play("--check", slurm=True, run=False, submit=True, command="true")
    assert (ran.returncode, ran.changed) == (0, 1) and "Job 4712 to start" in re.sub(r"\s+", " ", ran.stdout), (
        ran.stdout
    )
    assert (play.folder / "asked").read_text().split()[0] == "--test-only" and not (
        play.folder / "slurm-4711.out"
    ).exists()


def test_a_submission_that_is_refused_says_why(play):
    ran = play(slurm=True, environment={"REFUSED": "invalid partition specified: gold"}, command="true")
    assert ran.returncode == 2 and "invalid partition specified: gold" in ran.stdout + ran.stderr


def test_a_job_that_takes_too_long_is_ended(play):
    ran = play(command=["echo started", "sleep 60"], run_timeout=1)
    assert ran.returncode == 2
    assert "longer than 1 seconds" in re.sub(r"\s+", " ", ran.stdout + ran.stderr)


def test_check_mode_writes_nothing_runs_nothing_and_says_so(play):
    ran = play("--check", "--diff", command="touch EXECUTED", example=True)
    assert ran.returncode == 0, ran.stdout
    assert not play.folder.exists() and ran.result == {} and "is not run" in ran.stdout
    play(command="touch EXECUTED", example=True)
    assert play("--check", command="touch EXECUTED", example=True).changed == 0


def test_a_script_that_is_not_there_is_not_run(play):
    ran = play(write=False, command="true")
    assert ran.returncode == 2 and "found no file there" in re.sub(r"\s+", " ", ran.stdout + ran.stderr)


def test_a_misspelt_variable_is_refused_before_anything_is_written(play):
    ran = play(command="true", gers="gpu:1")
    assert ran.returncode == 2 and "job_script_gers" in ran.stdout + ran.stderr
    assert not play.folder.exists()


def test_hostile_names_run_as_names(play):
    name = "$(touch EXECUTED); `touch EXECUTED` 'x' #SBATCH"
    ran = play(command="pwd", job_name=name, dest=str(play.folder / "it's $(x)" / "a; b.sh"))
    assert ran.returncode == 0, ran.stdout
    assert ran.result["tail"] == [str(play.folder / "it's $(x)")]
    assert not list(play.folder.rglob("EXECUTED"))


def test_the_example_lies_beside_the_script_under_its_name(play):
    ran = play(command="python3 -m py_compile pytorch_test.py", example=True, example_name="pytorch_test.py")
    assert ran.returncode == 0, ran.stdout
    assert {"job.sh", "pytorch_test.py", "digits.csv.gz", "digits.LICENSE.txt"} <= set(os.listdir(play.folder))


def test_files_of_the_caller_lie_next_to_the_script_and_the_example(play, tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files/mine.bin").write_bytes(b"\0\xff")
    files = [{"name": "mine.bin", "src": "mine.bin"}, {"name": "mine.txt", "content": "text\n"}]
    ran = play(command="cat mine.txt", files=files, example="true")
    assert (ran.returncode, ran.changed) == (0, 1) and ran.result["tail"] == ["text"], ran.stdout
    assert (play.folder / "mine.bin").read_bytes() == b"\0\xff" and (play.folder / "train_digits.py").exists()
    assert (play.folder / "digits.csv.gz").read_bytes() == (
        CHECKOUT / "roles/job_script/files/digits.csv.gz"
    ).read_bytes()
    assert play(command="cat mine.txt", files=files, example=True).changed == 0
    ran = play(command="cat mine.txt", files=[{"name": "other.bin", "src": "other.bin"}])
    assert ran.returncode == 2 and "other.bin" in ran.stdout + ran.stderr
    ran = play(command="cat mine.txt", files=[{"name": "mine.bin", "src": "mine.bin", "content": ""}])
    assert ran.returncode == 2 and "one of src, content and content_base64 for mine.bin" in re.sub(
        r"\s+", " ", ran.stdout + ran.stderr
    )


def test_without_the_example_there_is_the_script_alone(play):
    assert play(command="true", example="false").returncode == 0
    assert os.listdir(play.folder) == ["job.sh"]
