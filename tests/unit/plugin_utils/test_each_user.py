"""What a step for several users returns."""

from __future__ import annotations

import types

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.hpc.pytorch.plugins.action import each_user
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_step.failures import failures_of


def test_a_failure_is_that_users_and_a_warning_names_it():
    returned = each_user.summary(
        {
            "alice": {"changed": True, "warnings": ["slow\ndisk"], "deprecations": [{"msg": "old"}]},
            "bob": {"failed": True, "msg": "expected a\nfile"},
            "carol": {"failed": True, "timedout": {"period": 9}, "msg": "it took longer than 9 seconds"},
        }
    )
    assert returned["changed"] is True and returned["failed"] is False and "diff" not in returned
    assert returned["warnings"] == [
        "alice: slow disk",
        "bob: expected a file",
        "carol: it took longer than 9 seconds",
    ]
    # As those of a loop.
    assert [(each["user"], each["late"]) for each in failures_of(returned, "rc file")] == [
        ("bob", False),
        ("carol", True),
    ]
    assert returned["results"][0] == {"changed": True, "ansible_loop_var": "user", "user": "alice"}


def test_what_is_wrong_for_everyone_is_one_warning():
    same = {"failed": True, "msg": "expected\nnodes"}
    returned = each_user.summary({"a": same, "b": {"warnings": ["slow", "slow"]}, **dict.fromkeys("cdefgh", same)})
    assert returned["warnings"] == ["a, c, d, e, f and 2 more: expected nodes", "b: slow"]
    assert len(failures_of(returned, "job")) == 7


def test_nothing_is_nothing():
    assert each_user.summary({}) == {"changed": False, "failed": False, "results": []}
    assert each_user.summary({"alice": {"changed": False}})["changed"] is False


def test_a_result_cannot_take_another_users_name():
    returned = each_user.summary({"mallory": {"failed": True, "user": "alice", "ansible_loop_var": "msg", "msg": "x"}})
    assert [each["user"] for each in failures_of(returned, "rc file")] == ["mallory"]


@pytest.mark.parametrize("diff", [{"before": "", "after": "x", "before_header": "~"}, [{"before_header": "~"}]])
def test_a_diff_names_the_user(diff):
    (shown,) = each_user.summary({"alice": {"diff": diff}})["diff"]
    assert shown["before_header"] == "~ (alice)"


def test_a_warning_of_a_module_as_text():
    assert each_user._text("plain") == "plain"
    assert each_user._text(types.SimpleNamespace(event=types.SimpleNamespace(msg="an object"))) == "an object"


class Action(each_user.ActionModule):
    """The action, of a task without become."""

    def __init__(self, users):
        self._task = types.SimpleNamespace(args={"users": users, "module": "m"}, async_val=0, check_mode=False)
        self._connection = types.SimpleNamespace(become=None, _shell=types.SimpleNamespace(tmpdir="/tmp"))


@pytest.mark.parametrize(
    "users, said", [(["alice"], "become: true"), (["root"], "root"), (["a;id"], "user names"), (["a", "a"], "once")]
)
def test_nothing_runs_as_root_or_under_an_unsafe_name(users, said):
    with pytest.raises(AnsibleActionFail, match=said):
        Action(users).run(None, {})


def test_no_user_is_nothing_to_do():
    assert Action([]).run(None, {}) == {"changed": False, "failed": False, "results": []}
