"""What a step for a user may answer, and how its failure is reported."""

from __future__ import annotations

import types

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.hpc.pytorch.plugins.module_utils._common.exit import LIMIT
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_step.action import reported, run_module
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_step.failures import failures_of

ORDERS = [
    {"add_host": {"host_name": "evil", "host_vars": {"ansible_connection": "local"}}},
    {"add_group": "evil", "parent_groups": ["login"]},
    {"ansible_facts": {"ansible_connection": "local"}},
    {"ansible_stats": {"data": {"verdict": "passed"}, "per_host": False}},
    {"exception": "Traceback\x1b[2J"},
    {"timedout": {"period": 5}},
    {"unreachable": False},
]


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: next(iter(order)))
def test_what_ansible_would_obey_is_left_out(order):
    assert not set(reported({"changed": True, "packages": [], **order})) & {next(iter(order))}


def test_a_host_that_a_user_calls_gone_is_that_users_failure():
    assert reported({"unreachable": True, "msg": "gone"}) == {"failed": True, "msg": "gone"}


def test_control_characters_are_shown_as_escapes_and_a_message_is_one_line():
    result = reported({"failed": True, "msg": "a\x1b[2J\nb\u2028c" + "x" * 9999, "diff": [{"after": "a\x07\n\tb"}]})
    assert result["msg"].startswith("a\\x1b[2J b\\u2028c") and len(result["msg"]) < 4100
    assert result["diff"] == [{"after": "a\\x07\n\tb"}]


def become(user):
    """Ansible's plugin that becomes *user*; None for the connecting one."""
    return types.SimpleNamespace(get_option={"become_user": user}.get) if user else None


class Action:
    """An action whose module ends in *ending*."""

    def __init__(self, ending, user, timeout=0):
        self._connection = types.SimpleNamespace(become=become(user))
        self._task = types.SimpleNamespace(
            timeout=timeout, environment=None, action="hpc.pytorch.shell_rc", async_val=0, delegate_to=None
        )
        self._used_interpreter = "#!/usr/libexec/platform-python"
        self._ending = ending

    def _execute_module(self, **_arguments):
        if isinstance(self._ending, Exception):
            raise self._ending
        return self._ending


def test_a_user_whom_the_host_cannot_become_fails_and_the_host_goes_on():
    error = AnsibleConnectionFailure("no folder for temporary files")
    assert run_module(Action(error, user="alice"), {}, {})["failed"]
    with pytest.raises(AnsibleConnectionFailure):
        run_module(Action(error, user=None), {}, {})


@pytest.mark.parametrize("user", [None, "root"])
def test_the_result_of_the_connecting_user_or_of_root_is_as_it_was(user):
    result = {"ansible_facts": {"a": 1}, "msg": "a\nb"}
    assert run_module(Action(result, user), {}, {}) == result


@pytest.mark.parametrize("timeout, seconds", [(120, "115"), (6, "1"), (3, "1")])
def test_the_module_gives_up_before_its_task_does(timeout, seconds):
    action = Action({}, user="alice", timeout=timeout)
    run_module(action, {}, {})
    assert action._task.environment == [{LIMIT: seconds}]


SILENT = {"failed": True, "msg": "Module result deserialization failed: No start of json char found", "rc": 1}
OLD = """  File "<stdin>", line 3
SyntaxError: future feature annotations is not defined
"""


@pytest.mark.parametrize("key", ["module_stderr", "module_stdout"])
@pytest.mark.parametrize("user", ["alice", None])
def test_a_python_that_is_too_old_is_named(user, key):
    failed = {**SILENT, "exception": "(traceback unavailable)", key: OLD}
    result = run_module(Action(failed, user), {}, {"inventory_hostname": "n1"})
    assert result["msg"].startswith("expected a Python 3.8 or newer for Ansible's modules on n1; found /usr/libexec/pl")
    assert "platform-python, which says SyntaxError: future feature annotations is not defined; " in result["msg"]
    assert "remedy: install one there (on EL8 dnf install python3.12)" in result["msg"] and "exception" not in result


@pytest.mark.parametrize("printed", ["sudo: a password is required", "Killed", "Traceback\nMemoryError", ""])
def test_another_failure_keeps_its_message(printed):
    result = {**SILENT, "module_stderr": printed}
    assert run_module(Action(result, None), {}, {}) == result
    assert run_module(Action({"changed": True, "module_stderr": OLD}, None), {}, {})["changed"]


def test_the_users_of_a_loop_whose_step_failed():
    late = {"expected": "the step to end within 9 seconds", "msg": "expected the step to end within 9 seconds"}
    items = [
        {"ansible_loop_var": "__user", "__user": "alice", "changed": True},
        {"ansible_loop_var": "__user", "__user": "bob", "failed": True, "msg": "a\nuser     carol: all is well"},
        {"ansible_loop_var": "__user", "__user": "dave", "failed": True, **late},
        {"ansible_loop_var": "__user", "__user": "erin", "failed": True, "timedout": {"period": 9}},
        {"ansible_loop_var": "__user", "__user": "frank", "unreachable": True, "msg": "y" * 999},
    ]
    found = failures_of({"results": items, "failed": True, "msg": "One or more items failed"}, "rc file")
    assert [(each["user"], each["late"]) for each in found] == [
        ("bob", False),
        ("dave", True),
        ("erin", True),
        ("frank", False),
    ]
    assert found[0]["reason"] == "a user carol: all is well" and found[2]["reason"] == "it ran out of time"
    assert len(found[3]["reason"]) == 300


def test_the_step_of_one_user():
    assert failures_of({"failed": True, "msg": "no"}, "job", "bob") == [
        {"user": "bob", "step": "job", "reason": "no", "late": False}
    ]
    assert (
        failures_of({"changed": True}, "job", "bob") == []
        and failures_of({"skipped": True, "results": []}, "job") == []
    )
