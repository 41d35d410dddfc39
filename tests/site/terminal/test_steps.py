"""What a person sees of a run with the callback hpc.pytorch.steps, next to what the default callback shows."""

from __future__ import annotations

import errno
import os
import pathlib
import pty
import re
import shutil
import subprocess
import sys
import typing as t

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
PLAYS = pathlib.Path(__file__).parent / "plays"
OURS = {"ANSIBLE_STDOUT_CALLBACK": "hpc.pytorch.steps"}
# One host after the other: then two runs show the same in the same order.
IN_ORDER = ("--forks", "1")
BROKEN = ("--diff", "-e", '{"trouble": true, "broken": true}')
# Where one part of the default callback's output ends and the next begins.
HEAD = re.compile(
    r"ok|changed|skipping|included|fatal|failed|PLAY|TASK|RUNNING HANDLER|FAILED -|\[(?:ERROR|WARN|DEPR)"
    r"|\.\.\.|NO MORE|---"
)
# What a person needs in any case.
NEEDED = re.compile(
    r"fatal|failed|FAILED -|\[ERROR|\[WARN|\[DEPR|\.\.\.ignoring|NO MORE|--- |PLAY RECAP|skipping: no hosts"
)


@pytest.fixture
def several(tmp_path):
    """An inventory of three hosts, all of them this machine, and a folder to write to."""
    (tmp_path / "files").mkdir()
    hosts = tmp_path / "hosts.ini"
    hosts.write_text(
        "[all:vars]\nansible_connection=local\nansible_python_interpreter=%s\nfolder=%s/files\n[all]\nn0[1:3]\n"
        % (sys.executable, tmp_path)
    )
    return hosts


@pytest.fixture
def run(several, playbook_run):
    """Runs one of the playbooks here on these hosts, in folders as they were before."""

    def call(playbook, *arguments, environment=None, ours=True):
        for file in (several.parent / "files").iterdir():
            file.unlink()
        environment = dict(environment or {}, **(OURS if ours else {"ANSIBLE_STDOUT_CALLBACK": "default"}))
        return playbook_run("-i", str(several), str(PLAYS / playbook), *arguments, environment=environment)

    return call


def lines_of(output):
    """Without what differs between two runs: times and names of temporary files."""
    output = re.sub(r"(delta|start|end): '?\d.*", r"\1: TIME", output)
    output = re.sub(r"/[\w./-]*/\.ansible/tmp/[\w./-]+", "TMP", output)
    return re.sub(r" +\d+\.\d s  ", "  N s  ", output).split("\n")


def needed(output):
    """The parts of the default callback's output that a person needs, with all their lines."""
    parts: list[list[str]] = []
    for line in lines_of(output):
        if HEAD.match(line):
            parts.append([])
        if parts:
            parts[-1].append(line)
    return [line for part in parts if NEEDED.match(part[0]) for line in part if line]


def missing(wanted, found):
    """The lines of *wanted* that are not in *found* in this order."""
    rest = iter(found)
    return [line for line in wanted if not any(line == other for other in rest)][:1]


def test_nothing_that_the_default_callback_shows_of_trouble_is_lost(run):
    default = run("kinds.yml", *IN_ORDER, *BROKEN, ours=False)
    ours = run("kinds.yml", *IN_ORDER, *BROKEN)
    assert ours.rc == default.rc != 0
    wanted = needed(default.output)
    # All of them are in the playbook.
    text = "\n".join(wanted)
    for kind in (
        *("ignored-output", "...ignoring", "rescued-message", "FAILED - RETRYING", "the assertion is bad", "item=evil"),
        *(
            "UNREACHABLE!",
            "no route to host",
            "'not_there' is undefined",
            "on-stdout",
            "on-stderr",
            "this action warns",
        ),
        *("this action is old", "+new n03", "skipping: no hosts matched", "rescued=1", "unreachable=1"),
    ):
        assert kind in text, kind
    # Ansible may announce a retry before it shows how the host before has ended.
    retries = [line for line in wanted if line.startswith("FAILED - ")]
    assert sorted(retries) == sorted(line for line in lines_of(ours.output) if line.startswith("FAILED - "))
    assert missing([line for line in wanted if line not in retries], lines_of(ours.output)) == [], ours.output
    for line in (
        "  changed  N s  Failed items: good [n01]",
        "rescued  N s  Results that are well: 3 rescued",
        "failed  N s  Results that are not well: 1 unreachable, 2 failed: n01, n02, n03",
    ):
        assert line in lines_of(ours.output), ours.output
    # The task and the play of each failure are named as there.
    for line in wanted:
        if line.startswith(("fatal: ", "failed: ")):
            assert banners(default.output, line) == banners(ours.output, line)
    assert "hunter2" not in ours.output


def banners(output, line):
    """The play and the task that are named above the first such line."""
    above = output[: output.index(line.split(" =>")[0])]
    return [re.findall(r"^%s \[.*\]" % kind, above, re.MULTILINE)[-1] for kind in ("PLAY", "TASK")]


def test_with_v_the_output_is_that_of_the_default_callback(run):
    arguments = (*IN_ORDER, *BROKEN, "-v", "--limit", "n01")
    default, ours = run("kinds.yml", *arguments, ours=False), run("kinds.yml", *arguments)
    assert lines_of(ours.output) == lines_of(default.output)


def test_what_is_well_has_a_line_for_each_change_message_and_step(run):
    output = run("kinds.yml", *IN_ORDER, "-e", '{"trouble": false}').output
    assert "\x1b" not in output and "hunter2" not in output
    all_hosts = "[n01, n02, n03]"
    wanted = """\
started  N s  kinds.yml
  changed  N s  Changed with a variable ALL
  changed  N s  Changed on one host [n02]
  changed  N s  Changed items: alpha, gamma ALL
  changed  N s  Hidden ALL
  changed  N s  Hidden items: (censored due to no_log) ALL
  A text ALL: said: a text that is far longer than the eighty columns of a terminal, for which YAML would write \
more than one line, quoted
  Several lines ALL:
    first line
    second line: with a colon
  Control characters ALL:
    \\x1b[2Jbell\\x07
    failed  N s  Not a step
  A variable ALL:
    ansible_play_hosts:
    - n01
    - n02
    - n03
  A text for each item ALL: text of one
  A text for each item ALL: text of two
  A text of its own [n01]: this is n01
  A text of its own [n02]: this is n02
  A text of its own [n03]: this is n03
  A good assertion with a message ALL: the assertion is good
  changed  N s  A difference ALL
changed  N s  Results that are well: 3 changed
  changed  N s  Inside ALL
changed  N s  Included: 3 changed
  changed  N s  The handler ALL
changed  N s  Results that are well: 3 changed

PLAY [Nobody] ******************************************************************
skipping: no hosts matched
done  N s  3 hosts: 22 changes on 3 of them
"""
    found = [line for line in lines_of(output) if "  running" not in line]
    found = [line for line in found if not re.match(r"\[(WARN|DEPR)|  A warning of an action \[", line)]
    assert "\n".join(found) == wanted.replace("ALL", all_hosts)


def test_each_role_and_file_of_tasks_of_a_play_is_a_step(run):
    found = lines_of(run("parts.yml", "--limit", "n01").output)
    assert [line for line in found if line and not line.startswith("  ")] == [
        "started  N s  parts.yml",
        "changed  N s  outer",
        "changed  N s  Roles of the play",
        "changed  N s  Imports and includes",
        "changed  N s  A role in a loop, with a variable",
        "changed  N s  Imports and includes",
        "changed  N s  included.yml",
        "changed  N s  Imports and includes",
        "ok  N s  The play alone",
        "changed  N s  With the strategy free",
        "done  N s  1 host: 10 changes",
    ]
    assert found[-3] == "  The last words: good bye"


def test_check_mode_says_what_would_be(run):
    assert (
        lines_of(run("parts.yml", "--check").output)[-2] == "done  N s  3 hosts: 30 changes would be made on 3 of them"
    )


@pytest.mark.parametrize("arguments", [("--list-tasks",), ("--syntax-check",), ("--list-hosts",)])
def test_commands_that_run_nothing_say_what_they_say(run, arguments):
    ours, default = run("parts.yml", *arguments), run("parts.yml", *arguments, ours=False)
    # Ansible lists hosts in any order.
    assert sorted(lines_of(ours.output)) == sorted(lines_of(default.output)) and ours.rc == default.rc == 0


def test_a_syntax_error_is_shown(tmp_path, playbook_run):
    broken = tmp_path / "broken.yml"
    broken.write_text("- hosts: all\n  tasks: [{nonsense: 1, more: 2}]\n")
    ours, default = (
        playbook_run("-i", "localhost,", str(broken), environment={"ANSIBLE_STDOUT_CALLBACK": name})
        for name in ("hpc.pytorch.steps", "default")
    )
    assert ours.rc == default.rc != 0 and ours.output == default.output


def test_a_log_has_the_same_lines_and_no_control_characters(run, tmp_path):
    log = tmp_path / "ansible.log"
    output = run("parts.yml", "--limit", "n01", environment={"ANSIBLE_LOG_PATH": str(log)}).output
    text = log.read_text()
    assert missing(output.split("\n")[:-1], [line.split("| ", 1)[1] for line in text.split("\n") if "| " in line]) == []
    assert "\x1b" not in text


def test_a_name_that_is_not_ascii_is_shown(tmp_path, playbook_run):
    playbook = tmp_path / "names.yml"
    playbook.write_text(
        "- hosts: all\n  gather_facts: false\n  tasks:\n    - name: \u00dcberschrift \u4e2d\n"
        "      ansible.builtin.debug:\n        msg: caf\u00e9\n",
        encoding="utf-8",
    )
    done = playbook_run("-i", "localhost,", "-c", "local", str(playbook), environment=OURS)
    assert "  \u00dcberschrift \u4e2d: caf\u00e9\n" in done.output


def on_a_terminal(command: t.Sequence[str], environment: t.Mapping[str, str]) -> str:
    """Run it with a terminal of 40 columns as its output."""
    leader, follower = pty.openpty()
    subprocess.run(["stty", "columns", "40", "rows", "20"], stdin=follower, check=True)
    process = subprocess.Popen(
        list(command), cwd=CHECKOUT, env=environment, stdin=subprocess.DEVNULL, stdout=follower, stderr=follower
    )
    os.close(follower)
    found = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError as error:
            # Linux says so when the other end is closed.
            assert error.errno == errno.EIO
            break
        if not part:
            break
        found += part
    os.close(leader)
    assert process.wait() == 0, found
    return found.decode()


def test_on_a_terminal_there_are_colours_and_no_other_control_characters(several):
    assert shutil.which("stty")
    command = [str(pathlib.Path(sys.executable).with_name("ansible-playbook")), "-i", str(several)]
    environment = dict(os.environ, **OURS, TERM="xterm", PYTHONDONTWRITEBYTECODE="1")
    output = on_a_terminal([*command, "--limit", "n01", str(PLAYS / "parts.yml")], environment)
    assert re.search(r"\x1b\[0;33mchanged +\d+\.\d s  A role in a loop, with a variable\x1b\[0m\r\n", output)
    assert "\x1b" not in re.sub(r"\x1b\[[0-9;]*m", "", output)


NO_TAG = "[WARNING]: expected a task with a tag of --tags "


@pytest.mark.parametrize("tags", ["one", "two", "three", "none,one", "all", "tagged", "always"])
def test_a_tag_that_a_task_has_is_no_news(run, tags):
    done = run("tagged.yml", "--tags", tags)
    assert done.rc == 0 and NO_TAG not in done.output, done.output


def test_tags_that_no_task_has_are_named(run):
    done = run("tagged.yml", "--tags", "onw,thee")
    assert done.rc == 0 and NO_TAG + "onw,thee; found none that ran; remedy: " in " ".join(done.output.split())
    done = run("tagged.yml", "--tags", "onw", "-e", '{"broken": true}')
    assert done.rc == 2 and NO_TAG not in done.output, done.output
