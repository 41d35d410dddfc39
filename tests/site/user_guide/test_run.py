# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of a page, run by Ansible as an ordinary user: outputs, a second run, failures, an interruption."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import typing as t

import pytest
import yaml

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
# Root runs the tests as this user.
USER = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())

PAGE = """# PyTorch

Text of the page.

<!-- file line name=line.sh on=login -->
```bash
export SITE=here
```

<!-- run rc on=login as=user -->
```bash
cat line.sh >> ~/.bashrc
source ~/.bashrc
mkdir -p work && cd work
```

!!! tip "A fence in an admonition"

    <!-- run where on=login as=user -->
    ```bash
    echo $SITE; pwd; whoami; date
    ```

<!-- output where -->
```text
an earlier output
```

<!-- run missing on=login expect=1 -->
```bash
type -P condda
```

<!-- not run later: it takes a GPU -->
```bash
false
```
"""


@dataclasses.dataclass
class Run:
    """How a run ended: its exit status, its output, and what the task registered (if it did not fail)."""

    rc: int
    output: str
    result: dict[str, t.Any]


@dataclasses.dataclass
class Reader:
    """An ordinary user with a home directory and a folder of pages."""

    home: pathlib.Path
    docs: pathlib.Path

    def write(self, text: str, name: str = "pytorch.md") -> None:
        (self.docs / name).write_text(text, encoding="utf-8")

    def start(self, *arguments: str, **options: t.Any) -> subprocess.Popen[str]:
        pages = [str(self.docs / name) for name in ("pytorch.md", "pytorch.zh.md") if (self.docs / name).exists()]
        tasks = [
            {
                "name": "Run the page",
                "hpc.pytorch.user_guide_run": {"pages": pages, "outputs": str(self.docs / "outputs.yml"), **options},
                "register": "ran",
            },
            {
                "name": "Keep the answer",
                "ansible.builtin.debug": {"msg": "ANSWER{{ ran | to_json }}ANSWER"},
            },
        ]
        playbook = self.docs.parent / "play.json"
        playbook.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
        variables = {"ansible_python_interpreter": "/usr/bin/python3"}
        if os.geteuid() == 0:
            # With a home directory, which the user database does not have for "nobody".
            variables.update(ansible_become="true", ansible_become_user=USER.pw_name, ansible_become_method="su")
            variables.update(ansible_become_flags="-p -s /bin/sh")
        return subprocess.Popen(
            [
                str(pathlib.Path(sys.executable).with_name("ansible-playbook")),
                *("-i", "localhost,", "-c", "local", "-e", json.dumps(variables)),
                *arguments,
                str(playbook),
            ],
            cwd=CHECKOUT,
            env=dict(
                os.environ,
                HOME=str(self.home),
                ANSIBLE_NOCOLOR="1",
                ANSIBLE_CALLBACK_RESULT_FORMAT="json",
                ANSIBLE_HOME=str(self.docs.parent / "ansible"),
            ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        )

    def run(self, *arguments: str, **options: t.Any) -> Run:
        with self.start(*arguments, **options) as process:
            output, _none = process.communicate()
        parts = output.split("ANSWER")
        return Run(process.returncode, output, json.loads(json.loads('"%s"' % parts[1])) if len(parts) > 2 else {})

    @property
    def outputs(self) -> dict[str, str] | None:
        path = self.docs / "outputs.yml"
        return yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None

    @property
    def left(self) -> list[str]:
        """What is in the home directory but for Ansible's own folder."""
        return sorted(path.name for path in self.home.iterdir() if path.name != ".ansible")


@pytest.fixture
def reader() -> t.Iterator[Reader]:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hpc-guide-"))
    folder.chmod(0o755)
    made = Reader(folder / "home", folder / "docs")
    made.docs.mkdir()
    made.home.mkdir()
    os.chown(made.home, USER.pw_uid, USER.pw_gid)
    (made.home / ".bashrc").write_text("export OWN=1\n")
    yield made
    shutil.rmtree(folder)


def test_the_outputs_are_real_and_a_second_run_changes_nothing(reader):
    reader.write(PAGE)
    reader.write(
        PAGE.replace("Text of the page", "这一页的正文").replace("A fence in an admonition", "提示"), "pytorch.zh.md"
    )
    first = reader.run("--diff")
    assert first.rc == 0 and first.result["changed"], first.output
    assert first.result["ran"] == ["rc", "where", "missing"]
    assert first.result["not_run"] == {"later": "it takes a GPU"}
    outputs = reader.outputs
    assert list(outputs) == ["rc", "where", "missing"] and outputs["rc"] == outputs["missing"] == ""
    site, folder, name, date = outputs["where"].splitlines()
    assert (site, folder, name) == ("here", "%s/your-id/work" % reader.home.parent, "your-id") and date
    assert "+where: |" in first.output and "+  here" in first.output
    # Only the folder of Ansible itself is new, and the rc file is the user's.
    assert reader.left == [".bashrc"] and (reader.home / ".bashrc").read_text() == "export OWN=1\n"
    path = reader.docs / "outputs.yml"
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    again = reader.run("--diff")
    assert again.rc == 0 and not again.result["changed"], again.output
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_check_mode_runs_nothing_and_finds_mistakes(reader):
    reader.write(PAGE)
    checked = reader.run("--check", "--diff")
    # A run would write the outputs.
    assert checked.rc == 0 and checked.result["changed"], checked.output
    assert checked.result["ran"] == [] and reader.outputs is None and reader.left == [".bashrc"]
    reader.write(PAGE.replace("on=login as=user", "on=moon", 1))
    wrong = reader.run("--check")
    assert wrong.rc == 2 and "pytorch.md, line 10; found 'moon'" in " ".join(wrong.output.split()), wrong.output


def test_a_failed_command_is_named_and_nothing_is_written(reader):
    reader.write(PAGE)
    assert reader.run().rc == 0
    before = (reader.docs / "outputs.yml").read_bytes()
    reader.write(PAGE.replace("mkdir -p work && cd work", "echo begun; grep x /nowhere"))
    failed = reader.run()
    text = " ".join(failed.output.split())
    assert failed.rc == 2 and "expected exit status 0 from `echo begun; grep x /nowhere`" in text, failed.output
    assert "in pytorch.md, line 14 (rc); found exit status 2; its output ends with: begun | grep: /nowhere" in text
    assert "remedy: log in to" in text
    assert (reader.docs / "outputs.yml").read_bytes() == before
    # What it left helps to find out why, and goes with the next run.
    assert reader.left == [".bashrc", ".hpc_pytorch.guide"]
    kept = reader.home / ".hpc_pytorch.guide/pytorch/home"
    assert "export SITE=here" in (kept / ".bashrc").read_text()
    reader.write(PAGE)
    repaired = reader.run()
    assert repaired.rc == 0 and not repaired.result["changed"], repaired.output
    assert reader.left == [".bashrc"]


def test_a_command_that_hangs_is_ended_and_named(reader):
    reader.write(PAGE.replace("type -P condda", "cat < <(sleep 1000)"))
    failed = reader.run(timeout=1)
    text = " ".join(failed.output.split())
    assert failed.rc == 2 and "line 31 (missing); found no end within 1 seconds; no output" in text, failed.output
    assert reader.outputs is None


def test_an_interrupted_run_leaves_no_command_and_the_next_one_works(reader):
    signal_file = reader.docs.parent / "started"
    os.mkfifo(signal_file)
    signal_file.chmod(0o666)
    reader.write(PAGE.replace("type -P condda", "exec 3> %s; echo started >&3; sleep 1000" % signal_file))
    with reader.start() as process, signal_file.open() as started:
        assert started.readline() == "started\n"
        os.killpg(process.pid, signal.SIGINT)
        # It ends when the last writer has: the command, not only Ansible.
        assert started.read() == ""
        process.communicate()
    assert process.returncode != 0 and reader.outputs is None
    reader.write(PAGE)
    assert reader.run().rc == 0
    assert reader.left == [".bashrc"]


def test_languages_that_were_edited_apart_are_refused(reader):
    reader.write(PAGE)
    reader.write(PAGE.replace("echo $SITE", "echo $CITY"), "pytorch.zh.md")
    refused = reader.run()
    text = " ".join(refused.output.split())
    assert refused.rc == 2 and "expected the same commands in pytorch.zh.md as in pytorch.md" in text, refused.output
    assert reader.left == [".bashrc"] and reader.outputs is None
