# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a node from what the tasks of the role returned: every way that a check may end."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.unfinished import CHANGING_MARK
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.environment import find_interpreter
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_check import result

OK = {"verdict": "ok", "summary": "ok: torch 2.13.0", "reasons": [], "devices": [], "failed": False, "changed": False}
SKIPPED = {"skipped": True, "changed": False}
STARTED = {"started": True, "finished": False, "ansible_job_id": "j1", "changed": True}
AWAY = {"unreachable": True, "msg": "Failed to connect to the host via ssh: Connection\n refused", "changed": False}


def failure(error):
    return dict(error.as_result(), failed=True)


def on_node(*steps, check_mode=False):
    return result.from_connection(steps, "n1", "/e", check_mode)


@pytest.mark.parametrize(
    "steps", [(OK, SKIPPED, SKIPPED), (STARTED, dict(OK, finished=True), SKIPPED), (STARTED, STARTED, OK)]
)
def test_the_answer_of_torch_info_is_the_result(steps):
    assert on_node(*steps)["summary"] == OK["summary"]


@pytest.mark.parametrize("steps", [(AWAY, SKIPPED, SKIPPED), (STARTED, AWAY, SKIPPED), (STARTED, STARTED, AWAY)])
def test_a_node_that_cannot_be_reached_has_the_message_of_ssh(steps):
    found = on_node(*steps)
    assert found["verdict"] == "unreachable"
    (reason,) = found["reasons"]
    assert reason["code"] == "node_unreachable" and reason["remedy"]
    assert reason["message"] == "no result from n1: Failed to connect to the host via ssh: Connection refused"
    assert found["summary"] == "unreachable: node_unreachable - " + reason["message"]


def test_a_node_without_any_message_gave_no_answer():
    assert on_node(STARTED, SKIPPED)["reasons"][0]["message"] == "no result from n1: no answer"


SILENT = "Module result deserialization failed: No start of json char found"
OLD = """  File "/root/.ansible/tmp/x/AnsiballZ_torch_info.py", line 3
    from __future__ import annotations
    ^
SyntaxError: future feature annotations is not defined
"""
OLDER = """  File "/root/.ansible/tmp/x/AnsiballZ_torch_info.py", line 40
    zip_data: str,
            ^
SyntaxError: invalid syntax
Shared connection to n1 closed.
"""
LIBRARY = (
    "/opt/py/bin/python3: error while loading shared libraries: libpython3.9.so.1.0: cannot open shared object file"
)


@pytest.mark.parametrize(
    "printed, line, remedy",
    [
        (
            OLD,
            "older than 3.8, which modules need: SyntaxError: future feature annotations",
            "to a Python 3.8 or newer",
        ),
        (OLDER, "older than 3.8, which modules need: SyntaxError: invalid syntax", "to a Python 3.8 or newer"),
        (LIBRARY, "did not run the module: %s" % LIBRARY, "repair that Python"),
        ("/bin/sh: 1: /x/python: not found", "/x/python: not found", "set ansible_python_interpreter"),
        ("Traceback\nMemoryError\n\n", "did not run the module: MemoryError", "repair that Python"),
    ],
)
def test_a_python_that_runs_no_module_is_named_by_what_it_printed(printed, line, remedy):
    for key in ("module_stderr", "module_stdout"):
        step = {"failed": True, "msg": SILENT, "rc": 1, "module_stderr": "", "module_stdout": "", key: printed}
        (reason,) = on_node(step, SKIPPED)["reasons"]
        assert reason["code"] == "node_unreachable" and line in reason["message"]
        assert "json" not in reason["message"] and remedy in reason["remedy"]
        assert result.from_array([step], "n1")["reasons"] == [reason]


def test_what_a_module_printed_next_to_its_answer_is_no_cause():
    assert on_node(dict(REFUSED, module_stderr="a warning"))["reasons"][0]["code"] == "check_refused"
    assert on_node(dict(OK, module_stderr="a warning")) == on_node(OK) | {"module_stderr": "a warning"}


def test_a_message_of_many_pages_is_cut_at_a_word():
    (reason,) = on_node({"failed": True, "msg": "word " * 1000})["reasons"]
    assert reason["message"].endswith("word word ...") and len(reason["message"]) < 550


REFUSED = failure(UserError("a trusted environment at /e", "one that others can write", "run as its owner"))


def test_where_torch_info_fails_the_node_has_failed():
    found = on_node(REFUSED)
    assert (found["verdict"], found["devices"]) == ("failed", [])
    assert found["reasons"] == [
        {
            "code": "check_refused",
            "message": "expected a trusted environment at /e; found one that others can write",
            "remedy": "run as its owner",
        }
    ]
    assert on_node(REFUSED, check_mode=True)["verdict"] == "failed"


def test_a_task_that_ran_out_of_time_is_no_refusal():
    late = dict(REFUSED, timedout={"period": 8}, msg="Timed out after 8 second(s).")
    assert on_node(late)["verdict"] == "unreachable"
    assert "Timed out after 8 second" in on_node(late)["summary"]


def missing(folder):
    return folder / "none"


def half_made(folder):
    (folder / "bin").mkdir()
    (folder / "bin" / "python").write_text("#!/bin/sh\n")
    (folder / "bin" / "python").chmod(0o755)
    (folder / CHANGING_MARK).parent.mkdir()
    (folder / CHANGING_MARK).touch()
    return folder


def without_python(folder):
    (folder / "bin").mkdir()
    return folder


@pytest.mark.parametrize("make", [missing, half_made, without_python])
def test_check_mode_fails_for_no_environment_that_the_run_would_make_or_repair(tmp_path, make):
    with pytest.raises(UserError) as caught:
        find_interpreter(str(make(tmp_path)), None)
    assert on_node(failure(caught.value))["reasons"][0]["code"] == "check_refused"
    found = on_node(failure(caught.value), check_mode=True)
    assert (found["verdict"], found["reasons"]) == ("not_checked", [])
    start = "not_checked: expected %s; found %s; " % (caught.value.expected, caught.value.found)
    assert found["summary"].startswith(start)


def test_check_mode_that_finds_no_python_asks_nothing():
    found = on_node(SKIPPED, SKIPPED, SKIPPED, check_mode=True)
    assert found["summary"].startswith("not_checked: expected an environment at /e; found none yet; ")


def test_a_node_of_a_job_array_has_its_own_answer():
    assert result.from_array([OK], "n1") == OK


def test_a_job_array_that_failed_is_a_result_of_each_node():
    (reason,) = result.from_array([failure(UserError("Slurm to answer", "nothing", "scontrol ping"))], "n1")["reasons"]
    assert (reason["code"], reason["remedy"]) == ("node_unreachable", "scontrol ping")
    assert reason["message"] == "no result from n1: expected Slurm to answer; found nothing"


def test_a_node_that_is_not_allocated_has_the_message_of_salloc():
    error = UserError("an allocation of node n1", "salloc: error: Invalid qos", "look")
    (reason,) = result.from_allocation([failure(error)], "n1.example", "n1")["reasons"]
    assert reason["message"] == (
        "no result from n1.example: Slurm gave no allocation of the node: salloc: error: Invalid qos"
    )
    assert "scontrol show node n1" in reason["remedy"] and "torch_check_slurm_wait" in reason["remedy"]


def test_a_node_that_is_left_alone_is_not_checked():
    error = UserError("node n1 to be up", "powered down", "set powered_down", left_alone="powered down; X starts it")
    found = result.from_allocation([failure(error)], "n1.example", "n1")
    assert (found["verdict"], found["summary"]) == ("not_checked", "not_checked: powered down; X starts it")


def test_check_mode_allocates_no_node():
    assert result.not_allocated()["verdict"] == "not_checked"
