# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sbatch-lint at a shell: what it prints, its exit status, and files that are no scripts."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import typing as t

import jsonschema
import pytest

GOOD = """#!/bin/bash
#SBATCH --time=1:00:00
#SBATCH --mem=8G
#SBATCH --cpus-per-task=1
#SBATCH --output=%x-%j.out
python train.py
"""
# A warning in line 1 and an error in line 3.
BAD = GOOD.replace("#SBATCH --mem=8G\n", "").replace("--cpus-per-task=1", "--cpus-per-tsk=1 --cpus-per-task=1")
MEM = "train.sh:1: warning: no memory is requested: the site's default applies, often too little or all of the node"
TASK = "train.sh:3: error: sbatch does not know --cpus-per-tsk [misspelt-option]; write --cpus-per-task"


@pytest.fixture
def script(tmp_path: pathlib.Path) -> t.Callable[[str | bytes], str]:
    """Writes train.sh, and returns its name."""

    def write(text: str | bytes, name: str = "train.sh") -> str:
        (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
        return name

    return write


def test_a_good_script_has_no_output(tool, script) -> None:
    done = tool("sbatch-lint", script(GOOD))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_each_finding_is_a_line_as_gcc_writes_it(tool, script) -> None:
    done = tool("sbatch-lint", script(BAD))
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.split("\n") == [MEM + " [no-mem]; give --mem", TASK, ""]


def test_it_reads_its_input(tool) -> None:
    done = tool("sbatch-lint", "-", stdin=BAD.encode())
    assert [line.split(" ")[0] for line in done.stdout.split("\n")] == ["<stdin>:1:", "<stdin>:3:", ""]


def test_codes_are_left_out(tool, script) -> None:
    assert tool("sbatch-lint", "--ignore", "no-mem", script(BAD)).stdout == TASK + "\n"
    assert tool("sbatch-lint", "--ignore=no-time, no-mem", "--ignore", "misspelt-option", script(BAD)).returncode == 0


@pytest.mark.parametrize(
    "fail_on, without, status",
    [
        ("warning", "misspelt-option", 1),
        ("error", "misspelt-option", 0),
        ("error", "no-mem", 1),
        ("never", "no-mem", 0),
        ("warning", "misspelt-option,no-mem", 0),
    ],
)
def test_the_severity_that_counts(tool, script, fail_on: str, without: str, status: int) -> None:
    assert tool("sbatch-lint", "--fail-on", fail_on, "--ignore", without, script(BAD)).returncode == status


def test_json_is_a_list_of_findings(tool, script) -> None:
    first, second = json.loads(tool("sbatch-lint", "--json", script(BAD)).stdout)
    assert set(first) == {"file", "line", "code", "severity", "message", "remedy"}
    assert (second["file"], second["line"], second["code"], second["severity"]) == (
        "train.sh",
        3,
        "misspelt-option",
        "error",
    )
    assert json.loads(tool("sbatch-lint", "--json", script(GOOD)).stdout) == []


def test_bash_reads_the_script_too(tool, script, command) -> None:
    name = script(GOOD + "if true; then\n")
    assert tool("sbatch-lint", name).stdout == "", "there is no bash on PATH"
    command("bash", 'exec /bin/bash "$@"')
    done = tool("sbatch-lint", name, BASH_ENV="/nowhere/env")
    assert (done.returncode, done.stderr) == (1, "")
    assert "train.sh:8: warning: bash cannot read the script: syntax error" in done.stdout
    assert tool("sbatch-lint", script(GOOD)).returncode == 0


def test_a_mark_in_the_script_counts(tool, script) -> None:
    marked = BAD.replace("#!/bin/bash\n", "#!/bin/bash\n# sbatch-lint: ignore=no-mem\n")
    assert tool("sbatch-lint", script(marked)).stdout == TASK.replace(":3:", ":4:") + "\n"


# --- Slurm's version ---------------------------------------------------------------------------------------------

FOLDER = GOOD.replace("%x-%j.out", "logs/%j.out")


@pytest.mark.parametrize(
    "version, named", [("22.05", "Slurm 22.05"), ("23.11.4", ""), ("unknown", "Slurm before 23.02")]
)
def test_the_version_is_given(tool, script, version: str, named: str) -> None:
    done = tool("sbatch-lint", "--slurm", version, script(FOLDER))
    assert named in done.stdout and done.returncode == (1 if named else 0)


@pytest.mark.parametrize(
    "answer, named",
    [
        ("echo slurm 23.11.4", ""),
        ("echo slurm-wlm 22.05.8", "Slurm 22.05"),
        ("echo slurm 24.05.0-0rc1", ""),
        ("echo slurm 25.11.0-1", ""),
        ("echo sbatch: error: no configuration >&2; exit 1", "Slurm before 23.02"),
        ("echo a wrapper of the site", "Slurm before 23.02"),
    ],
)
def test_sbatch_is_asked(tool, script, command, answer: str, named: str) -> None:
    command("sbatch", answer)
    done = tool("sbatch-lint", script(FOLDER))
    assert named in done.stdout and done.returncode == (1 if named else 0)
    assert done.stderr == ""


# --- what is no script -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content, found",
    [
        (b"#!/bin/bash\n\x7fELF\0\0", "a binary file"),
        (b"#!/bin/bash\necho \xe9\n", "byte 0xe9 in line 2"),
        (b"#" * (4 * 1024 * 1024 + 1), "more than 4194304 bytes"),
    ],
)
def test_a_file_that_is_no_text(tool, script, content: bytes, found: str) -> None:
    done = tool("sbatch-lint", script(content))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("sbatch-lint: expected a job script at train.sh") and found in done.stderr
    piped = tool("sbatch-lint", "-", stdin=content)
    assert piped.returncode == 2 and found in piped.stderr and "<stdin>" in piped.stderr


def test_a_script_as_long_as_slurm_takes_is_read(tool, script) -> None:
    filled = GOOD + "#" * (4 * 1024 * 1024 - len(GOOD))
    assert tool("sbatch-lint", script(filled)).returncode == 0


def test_a_folder_a_fifo_a_link_to_nowhere_and_a_missing_file(tool, script, tmp_path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("nowhere")
    done = tool("sbatch-lint", "folder", "fifo", "link", "missing", script(BAD))
    assert done.returncode == 2
    assert [line.split("; ")[1] for line in done.stderr.strip().split("\n")] == [
        "found a folder",
        "found not a regular file",
        "found No such file or directory",
        "found No such file or directory",
    ]
    # The others are checked all the same.
    assert TASK in done.stdout


def test_a_file_without_permission(tool, script, tmp_path) -> None:
    if os.geteuid() == 0:
        # Root may read everything but what is not there any more.
        script(GOOD)
        done = tool("sbatch-lint", "/proc/1/mem")
        assert done.returncode == 2 and done.stderr.count("\n") == 1
    else:
        os.chmod(tmp_path / script(GOOD), 0)
        assert "found Permission denied" in tool("sbatch-lint", "train.sh").stderr


def test_a_name_cannot_fake_a_line(tool, script) -> None:
    name = "a\nb.sh:1: error: [x]; y\x1b[2J"
    done = tool("sbatch-lint", script(BAD, name))
    assert done.stdout.count("\n") == 2 and "\x1b" not in done.stdout


def test_a_name_that_is_no_text(tool, tmp_path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff.sh"
    with open(path, "wb") as stream:
        stream.write(BAD.encode())
    for form in ("--json", "--sarif", "--fail-on=error"):
        assert tool("sbatch-lint", form, os.fsdecode(path)).returncode == 1


# --- the command line --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, found",
    [
        ([], "expected at least one FILE"),
        (["--jsn", "train.sh"], "unrecognized arguments: --jsn"),
        (
            ["--ignore", "no-memory", "train.sh"],
            "expected ignore to hold codes of findings; found no-memory; remedy: choose from no-shebang, ",
        ),
        (["--slurm", "new", "train.sh"], "expected a version of Slurm such as 23.11, or unknown; found 'new'"),
        (["--json", "--sarif", "train.sh"], "expected one of --json and --sarif"),
        (["--list", "train.sh"], "expected --list alone"),
        (["-", "-"], "expected - once"),
        (["--fail-on", "info", "train.sh"], "invalid choice"),
    ],
)
def test_a_wrong_command_line_is_one_line(tool, script, arguments: list[str], found: str) -> None:
    script(GOOD)
    done = tool("sbatch-lint", *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert found in done.stderr and "; remedy: " in done.stderr


def test_help_names_every_option_and_status(tool) -> None:
    text = tool("sbatch-lint", "--help").stdout
    for word in ("--ignore", "--slurm", "--fail-on", "--json", "--sarif", "--list", "Exit status", "Examples"):
        assert word in text
    assert max(map(len, text.split("\n"))) <= 80


def test_the_list_has_every_code(tool) -> None:
    from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.lint.finding import CODES

    assert [line.split(" ")[0] for line in tool("sbatch-lint", "--list").stdout.strip().split("\n")] == [
        code.name for code in CODES
    ]
    assert [code["name"] for code in json.loads(tool("sbatch-lint", "--list", "--json").stdout)] == [
        code.name for code in CODES
    ]


# --- how it ends -------------------------------------------------------------------------------------------------


def test_a_closed_pipe_ends_it_in_silence(prefix, script, tmp_path) -> None:
    script(BAD)
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb") as closed:
        done = subprocess.run(
            [str(prefix / "bin/sbatch-lint"), "train.sh"],
            stdout=closed,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            check=False,
        )
    assert (done.returncode, done.stderr) == (-signal.SIGPIPE, b"")


def test_a_full_disk_is_one_line(prefix, script, tmp_path) -> None:
    script(BAD)
    for arguments in (["train.sh"], ["--help"]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [str(prefix / "bin/sbatch-lint"), *arguments],
                stdout=full,
                stderr=subprocess.PIPE,
                cwd=tmp_path,
                check=False,
            )
        assert (done.returncode, done.stderr) == (2, b"sbatch-lint: No space left on device\n")


def test_a_closed_output_is_one_line(prefix, script, tmp_path) -> None:
    command = "%s %s >&-" % (prefix / "bin/sbatch-lint", script(BAD))
    done = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2 and done.stderr.startswith("sbatch-lint: expected an open standard output")


def test_an_interrupt_ends_it_in_silence(prefix, tmp_path) -> None:
    """While it waits for its input, which it has opened once the fifo's other end is open."""
    os.mkfifo(tmp_path / "input")
    process = subprocess.Popen(
        ["sh", "-c", 'exec "$0" - < input', str(prefix / "bin/sbatch-lint")],
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        # A shell that runs these tests in the background has let them ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with open(tmp_path / "input", "wb"):
        # It may still be loading, which must be as silent.
        process.send_signal(signal.SIGINT)
        _out, errors = process.communicate(timeout=60)
    assert errors == b""
    assert process.returncode in (-signal.SIGINT, 130)


# --- SARIF -------------------------------------------------------------------------------------------------------

TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
PLACES = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["physicalLocation"],
        "properties": {
            "physicalLocation": {
                "type": "object",
                "required": ["artifactLocation"],
                "additionalProperties": False,
                "properties": {
                    "artifactLocation": {
                        "type": "object",
                        "required": ["uri"],
                        "properties": {"uri": {"type": "string", "pattern": r"^[A-Za-z0-9._~/:%-]+$"}},
                    },
                    "region": {"properties": {"startLine": {"type": "integer", "minimum": 1}}},
                },
            }
        },
    },
}
# What sarif-schema-2.1.0.json of oasis-tcs/sarif-spec requires of the objects that the tool writes.
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string"},
        "version": {"enum": ["2.1.0"]},
        "runs": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["tool"],
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {
                                            "type": "object",
                                            "required": ["id"],
                                            "properties": {
                                                "id": {"type": "string"},
                                                "shortDescription": TEXT,
                                                "help": TEXT,
                                                "defaultConfiguration": {"properties": {"level": LEVEL}},
                                            },
                                        },
                                    }
                                },
                            }
                        },
                    },
                    "invocations": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["executionSuccessful"],
                            "properties": {
                                "toolExecutionNotifications": {
                                    "type": "array",
                                    "items": {
                                        "type": "object",
                                        "required": ["message"],
                                        "properties": {"message": TEXT, "level": LEVEL, "locations": PLACES},
                                    },
                                }
                            },
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["message"],
                            "properties": {
                                "message": TEXT,
                                "level": LEVEL,
                                "ruleId": {"type": "string"},
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "locations": PLACES,
                            },
                        },
                    },
                },
            },
        },
    },
}


def test_sarif_is_what_its_schema_requires(tool, script, tmp_path) -> None:
    script(BAD, "a b:ü.sh")
    done = tool("sbatch-lint", "--sarif", "a b:ü.sh", str(tmp_path / "a b:ü.sh"), "-", "missing", stdin=BAD.encode())
    assert done.returncode == 2
    log = json.loads(done.stdout)
    jsonschema.Draft7Validator(SARIF).validate(log)
    (run,) = log["runs"]
    rules, results = run["tool"]["driver"]["rules"], run["results"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in results)
    places = [result["locations"][0]["physicalLocation"] for result in results]
    assert [place["region"]["startLine"] for place in places] == [1, 3] * 3
    assert [place["artifactLocation"]["uri"] for place in places[::2]] == [
        "a%20b%3A%C3%BC.sh",
        "file://%s/a%%20b%%3A%%C3%%BC.sh" % tmp_path,
        "stdin",
    ]
    assert [run["invocations"][0]["executionSuccessful"]] == [False]
    (problem,) = run["invocations"][0]["toolExecutionNotifications"]
    assert problem["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "missing"


def test_sarif_without_a_finding_is_a_whole_log(tool, script) -> None:
    done = tool("sbatch-lint", "--sarif", script(GOOD))
    log = json.loads(done.stdout)
    jsonschema.Draft7Validator(SARIF).validate(log)
    assert done.returncode == 0
    assert log["runs"][0]["results"] == [] and log["runs"][0]["invocations"][0]["executionSuccessful"]
