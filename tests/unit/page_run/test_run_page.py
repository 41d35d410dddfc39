"""The commands of a page in one login shell of a real bash: what they share, how they fail, what they leave."""

from __future__ import annotations

import json
import os
import pathlib
import select
import signal
import stat
import sys

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._page_run import capture, declare, place, shell

STUB = pathlib.Path(__file__).resolve().parents[1] / "slurm/job/stub_jobs.py"


def outputs(result):
    return [block["output"] for block in result["blocks"]]


def last(result):
    assert result["kept"] and os.path.isdir(result["folder"])
    return result["blocks"][-1]


def test_what_one_block_sets_holds_in_the_next(run):
    result = run(
        "export A=1; B=2; f() { echo called; }; alias say='echo said'; mkdir -p a/b; cd a/b",
        "echo $A $B; f; pwd",
        "say so",
        "cd; pwd",
    )
    assert outputs(result) == [
        "",
        "1 2\ncalled\n%s/a/b\n" % result["home"],
        "said so\n",
        "%s\n" % result["home"],
    ]
    assert [block["status"] for block in result["blocks"]] == [0, 0, 0, 0] and not result["kept"]


def test_the_home_is_a_new_users_and_the_own_one_stays_as_it_is(run, home):
    (home / ".bashrc").write_text("export OWN=1\n")
    result = run(
        "echo 'export LINE=1' >> ~/.bashrc; source ~/.bashrc; echo ${OWN-none} $LINE; echo $HOME",
        "ls -A; echo x > made; mkdir -p .conda/envs/new; chmod 500 .conda/envs",
    )
    assert outputs(result) == ["none 1\n%s\n" % result["home"], ".bashrc\n.profile\n"]
    assert sorted(path.name for path in home.iterdir()) == [".bashrc"]
    assert (home / ".bashrc").read_text() == "export OWN=1\n"


def test_it_is_an_interactive_login_shell_without_a_terminal_and_without_input(run):
    result = run(
        "case $- in *i*) echo interactive;; esac; shopt -q login_shell && echo login; [ -t 1 ] || echo pipe; cat"
    )
    assert outputs(result) == ["interactive\nlogin\npipe\n"]


def test_nothing_of_the_modules_environment_reaches_the_commands(run, monkeypatch):
    monkeypatch.setenv("TOKEN", "secret")
    monkeypatch.setenv("BASH_ENV", "/nowhere")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    # What distributions' /etc/profile sets is the site's.
    text = outputs(run("export -p"))[0]
    assert "secret" not in text and "nowhere" not in text and 'https_proxy="http://proxy:3128"' in text
    assert 'TERM="dumb"' in text


def test_files_are_written_where_the_session_began_before_the_commands_that_follow(run):
    file = {"kind": "file", "name": "jobs/a.sh"}
    result = run("ls -A jobs 2>/dev/null || true; cd /", ("echo 'a\u4f60'\n", file), "bash ~/jobs/a.sh")
    assert outputs(result) == ["", "a\u4f60\n"]


def test_a_file_replaces_a_link_and_is_not_written_through_it(run, home):
    (home / "precious").write_text("mine")
    result = run("ln -s %s/precious a.sh" % home, ("new\n", {"kind": "file", "name": "a.sh"}), "cat a.sh")
    assert outputs(result) == ["", "new\n"] and (home / "precious").read_text() == "mine"


def test_what_the_commands_need_of_the_user_is_linked_and_survives(run, home):
    (home / ".conda/envs/torch").mkdir(parents=True)
    (home / ".conda/envs/torch/python").write_text("real")
    result = run("cat ~/.conda/envs/torch/python; ls -A ~/.conda/envs", links=[".conda/envs/torch"])
    assert outputs(result) == ["realtorch\n"]
    assert (home / ".conda/envs/torch/python").read_text() == "real"
    with pytest.raises(UserError, match="~/.conda/envs/other, which the commands of the page use; found nothing there"):
        run("true", links=[".conda/envs/other"])
    for path in ("/etc", "..", "a/../../b", "~", ""):
        with pytest.raises(UserError, match="links to be a(?:n absolute)? path"):
            run("true", links=[path])


@pytest.mark.parametrize(
    ("block", "status", "failed"),
    [
        ("false", 1, [1]),
        ("true\nfalse\ntrue", 0, [2]),
        ("nosuchcommand\ntrue", 0, [1]),
        ("(exit 3)", 3, [1]),
        ("read x", 1, [1]),
        ("if true; then", 2, []),
        ("return 4", 4, []),
        ("echo a | grep -q b", 1, [1]),
    ],
)
def test_each_command_counts_and_not_only_the_last(run, block, status, failed):
    end = last(run(block, "echo not reached"))
    assert (end["id"], end["status"], end["failed"], end["problem"]) == ("b0", status, failed, "")


@pytest.mark.parametrize(
    "block",
    [
        "false || true",
        "if false; then :; fi",
        "! false",
        "[ -f /nowhere ] || echo none",
        "while false; do :; done",
        "f() { false; return 0; }; f",
        'source "$HOME/tolerant"',
        "x=$(false; echo a)",
        "for i in 1 2; do [ $i = 3 ] && echo 3; true; done",
        "break; continue; true",
        "exec >/dev/null 2>&1; echo gone",
        "set -Cu; set -o pipefail; trap - ERR",
        "set -x; true; set +x",
    ],
)
def test_what_a_person_would_not_call_a_failure_is_none(run, block):
    tolerant = ("false\n[ -x /nowhere ] && echo x\ntrue\n", {"kind": "file", "name": "tolerant"})
    result = run(tolerant, block, "echo reached")
    assert outputs(result)[-1] == "reached\n" and not result["kept"]


def test_an_expected_status_is_that_of_the_last_command(run):
    assert not run(("true\n(exit 3)", {"expect": 3}))["kept"]
    assert last(run(("true", {"expect": 3})))["status"] == 0
    assert last(run(("(exit 2)", {"expect": 3})))["status"] == 2


def test_a_command_that_hangs_is_ended_with_all_that_it_has_started(run, home):
    result = run("sleep 1000 & echo $!\necho begun\nwait", timeout=1)
    end = last(result)
    assert (end["status"], end["problem"]) == (None, "no end within 1 seconds")
    number, begun = end["output"].split()
    assert begun == "begun" and gone(int(number))


def test_the_end_of_the_shell_ends_the_page(run):
    end = last(run("echo bye\nexit 3", "echo not reached"))
    assert (end["problem"], end["output"]) == ("the end of the login shell, with status 3", "bye\n")
    assert "the end of the login shell" in last(run("set -e", "false", "true"))["problem"]


def test_an_endless_output_is_ended_and_its_begin_kept(run, monkeypatch):
    monkeypatch.setattr(shell, "MOST", 1024 * 1024)
    end = last(run("yes"))
    assert end["problem"] == "more than 1 MiB of output" and len(end["output"]) < 200000
    assert end["output"].startswith("y\ny\n") and " bytes ...]\n" in end["output"]


def test_a_long_output_keeps_begin_and_end():
    kept = capture.Kept()
    for number in range(200000):
        kept.add(b"%06d\n" % number)
    assert kept.text.startswith("000000\n") and kept.text.endswith("199999\n") and len(kept.text) < 140000
    assert "\n[... %d bytes ...]\n" % (200000 * 7 - 2 * 64 * 1024) in kept.text


def test_what_is_in_the_background_writes_into_its_own_block_or_nowhere_and_ends(run):
    result = run(
        "mkfifo go; (read x < go; echo late; exec sleep 1000) & echo $! > ~/number; echo started",
        "cat number; echo x > go; echo second",
    )
    first, second = outputs(result)
    number, word = second.split()
    assert first == "started\n" and word == "second" and gone(int(number))


def test_bytes_that_are_no_text_do_no_harm(run):
    assert outputs(run(r"printf '\377\000a\033[1m\n'")) == ["\ufffd\x00a\x1b[1m\n"]


def test_a_failed_page_stays_until_the_next_run(run, home):
    result = run("echo x > kept; false")
    assert pathlib.Path(result["home"], "kept").read_text() == "x\n"
    assert stat.S_IMODE(os.stat(result["folder"]).st_mode) == 0o700
    assert outputs(run("ls kept 2>/dev/null || echo fresh")) == ["fresh\n"]
    assert list(home.iterdir()) == []


def test_root_is_refused_before_anything_is_made(run, home, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(UserError, match="an ordinary user to run the commands of the page; found root; .*become_user"):
        run("true")
    assert list(home.iterdir()) == []


def test_a_login_shell_that_does_not_start_is_named(run, home, monkeypatch):
    (pathlib.Path(place.SKELETON) / ".profile").write_text("exit 0\n")
    with pytest.raises(UserError, match=r"expected a login shell .* check /etc/profile"):
        run("true")
    (pathlib.Path(place.SKELETON) / ".profile").write_text("mkfifo wait; read x < wait\n")
    monkeypatch.setattr(declare, "_START", 1)
    with pytest.raises(UserError, match=r"expected a login shell .* within 1 seconds"):
        run("true")


def test_a_block_on_a_compute_node_runs_through_srun_and_stops_at_its_first_failure(run, home, tmp_path):
    bin_dir = tmp_path / "bin"
    bin_dir.mkdir()
    (bin_dir / "srun").write_text('#!/bin/sh\necho "srun $1 $2"\nshift 2\nexec "$@"\n')
    (bin_dir / "srun").chmod(0o755)
    with (pathlib.Path(place.SKELETON) / ".bashrc").open("a") as stream:
        stream.write("export PATH=%s:$PATH\n" % bin_dir)
    options = {"srun": ["--partition=titan", "--comment=a b"]}
    compute = {"on": "compute"}
    result = run("export A=1; mkdir d; cd d", ("echo $A; pwd\ncat", compute), **options)
    assert outputs(result)[1] == "srun --partition=titan --comment=a b\n1\n%s/d\n" % result["home"]
    end = last(run(("echo a\nfalse\necho b", compute), **options))
    assert (end["status"], end["output"]) == (1, "srun --partition=titan --comment=a b\na\n")


@pytest.fixture
def slurm(tmp_path, home, monkeypatch):
    """A Slurm with the scene ``{"polls": ...}``; its sbatch writes the output of the job when it is submitted."""
    state, bin_dir = tmp_path / "state", tmp_path / "bin"
    state.mkdir()
    bin_dir.mkdir()
    for name in ("scontrol", "squeue", "sacct", "scancel"):
        (bin_dir / name).write_text("#!%s -IS\n%s" % (sys.executable, STUB.read_text(encoding="utf-8")))
    job = {"script": "x", "comment": "", "polls": 0, "submitted": "2026-11-24T14:36:13", "cluster": ""}
    (state / "job").write_text(json.dumps({"7": dict(job, out="HERE/slurm-7.out")}))
    (bin_dir / "sbatch").write_text(
        '#!/bin/sh\necho done > slurm-7.out\nsed "s|HERE|$PWD|" %s/job > %s/jobs\necho Submitted batch job 7\n'
        % (state, state)
    )
    for path in bin_dir.iterdir():
        path.chmod(0o755)
    monkeypatch.setenv("STUB_SLURM", str(state))
    monkeypatch.setattr("%s.job.wait._PAUSES" % declare.__name__.replace("_page_run.declare", "_slurm"), (0.0,))
    with (pathlib.Path(place.SKELETON) / ".bashrc").open("a") as stream:
        stream.write("export PATH=%s:$PATH\n" % bin_dir)
    return state


def called(state, command):
    return [line for line in (state / "calls").read_text().splitlines() if line.startswith('["%s"' % command)]


def test_a_job_is_waited_for_before_the_next_block(run, slurm):
    states = ("PENDING", "RUNNING", "COMPLETED")
    (slurm / "scene").write_text(json.dumps({"polls": [[{"state": state, "nodes": "n1"}] for state in states]}))
    result = run(("sbatch test.sh", {"wait": True}), "cat slurm-7.out")
    assert outputs(result) == ["Submitted batch job 7\n", "done\n"]
    assert len(called(slurm, "scontrol")) >= 3 and not called(slurm, "scancel")


def test_a_job_that_fails_fails_its_block_with_its_output(run, slurm):
    (slurm / "scene").write_text('{"polls": [[{"state": "FAILED", "exit": "3:0", "nodes": "n1"}]]}')
    end = last(run(("sbatch test.sh", {"wait": True}), "echo not reached"))
    assert (
        "job 7" in end["problem"]
        and "exit code 3" in end["problem"]
        and "the end of its output: done" in end["problem"]
    )


def test_wait_without_a_job_is_named(run, slurm):
    assert last(run(("true", {"wait": True})))["problem"] == "no line 'Submitted batch job NUMBER' in its output"


def test_a_job_that_nobody_waits_for_is_cancelled_at_the_end(run, slurm):
    (slurm / "scene").write_text('{"polls": [[{"state": "RUNNING", "nodes": "n1"}]]}')
    assert outputs(run("sbatch test.sh")) == ["Submitted batch job 7\n"]
    assert len(called(slurm, "scancel")) == 1


def test_a_block_that_hangs_after_it_has_submitted_leaves_no_job(run, slurm):
    (slurm / "scene").write_text('{"polls": [[{"state": "RUNNING", "nodes": "n1"}]]}')
    last(run("sbatch test.sh; sleep 1000", timeout=1))
    assert len(called(slurm, "scancel")) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_an_interrupted_run_ends_the_commands_and_the_next_run_begins_anew(run, home, number):
    with pytest.raises(UserError, match="no interruption of the run; found %s; .*run it again" % number.name):
        run("echo $$ > ~/number; touch old; kill -%d %d; sleep 1000" % (number, os.getpid()))
    (kept,) = home.glob(".hpc_pytorch.guide/pytorch/home/number")
    assert gone(int(kept.read_text()))
    assert outputs(run("ls old 2>/dev/null || echo fresh")) == ["fresh\n"] and list(home.iterdir()) == []


def gone(number: int) -> bool:
    """Whether a process ends. One that has been killed takes a moment."""
    try:
        handle = os.pidfd_open(number)
    except ProcessLookupError:
        return True
    try:
        watch = select.poll()
        watch.register(handle, select.POLLIN)
        return bool(watch.poll(10000))
    finally:
        os.close(handle)
