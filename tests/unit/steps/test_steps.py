"""How a run is cut into steps, and what their lines say, with a clock that the test moves."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.plugin_utils._steps import lines
from ansible_collections.hpc.pytorch.plugins.plugin_utils._steps.messages import is_for_people, message_of
from ansible_collections.hpc.pytorch.plugins.plugin_utils._steps.pending import Pending
from ansible_collections.hpc.pytorch.plugins.plugin_utils._steps.place import Place
from ansible_collections.hpc.pytorch.plugins.plugin_utils._steps.steps import STATES, Step, Steps

ENGINE, BASE = Place("1", "the engine"), Place("2", "the base")


class Run:
    """Steps whose tasks each take two seconds."""

    def __init__(self):
        self.now = 100.0
        self.steps = Steps(lambda: self.now)
        self.ended = []

    def play(self, name):
        self.ended += self.steps.begin_play(name)

    def task(self, place, **hosts):
        self.ended += self.steps.begin_task(place)
        for host, state in hosts.items():
            self.steps.current.note(host, state)
        self.now += 2

    def lines(self):
        self.ended += self.steps.end()
        return [(step.label, step.state, step.seconds) for step in self.ended]


def test_tasks_of_a_part_are_one_step_with_their_time():
    run = Run()
    run.play("site")
    run.task(ENGINE, a="ok")
    run.task(ENGINE, a="changed")
    run.task(BASE, a="ok")
    assert run.lines() == [("the engine", "changed", 4.0), ("the base", "ok", 2.0)]


def test_a_part_in_which_every_task_is_skipped_is_no_step():
    run = Run()
    run.play("site")
    run.task(ENGINE)
    run.task(BASE, a="ok")
    assert run.lines() == [("the base", "ok", 2.0)]


def test_a_plays_own_tasks_are_one_step_up_to_its_next_part():
    run = Run()
    run.play("site")
    run.task(None, a="changed")
    run.task(ENGINE, a="ok")
    run.task(None, a="ok")
    run.task(None, a="failed")
    assert run.lines() == [("site", "changed", 2.0), ("the engine", "ok", 2.0), ("site", "failed", 4.0)]


def test_a_plays_own_tasks_have_no_line_if_all_is_well_and_something_else_has_one():
    run = Run()
    run.play("site")
    run.task(None, a="ok")
    run.task(ENGINE, a="ok")
    run.play("user")
    run.task(None, a="ok")
    run.play("only meta tasks")
    run.play("report")
    run.task(None, a="ok")
    run.steps.current.has_spoken = True
    assert run.lines() == [("the engine", "ok", 2.0), ("user", "ok", 2.0)]


@pytest.mark.parametrize(("first", "second"), [(a, b) for a in STATES for b in STATES])
def test_a_host_keeps_its_worst_state(first, second):
    step = Step("x")
    step.note("a", first)
    step.note("a", second)
    assert step.hosts == {"a": max(first, second, key=STATES.index)} and step.state == step.hosts["a"]


def test_the_current_step_says_for_how_long_it_has_been_running():
    run = Run()
    run.play("site")
    run.task(None, a="ok")
    run.task(ENGINE, a="ok")
    run.task(None, a="ok")
    assert run.steps.running() == 4.0


def step(seconds=3.44, **hosts):
    found = Step("Node\nlayer")
    found.seconds = seconds
    found.hosts = hosts
    return found


def test_one_host_is_not_counted_and_several_are():
    assert lines.step_line(step(a="changed")) == "changed    3.4 s  Node layer"
    hosts = {"n%02d" % number: "ok" for number in range(12)}
    hosts.update(n12="changed", node07="failed", node03="unreachable")
    assert lines.step_line(step(**hosts)) == (
        "failed     3.4 s  Node layer: 12 ok, 1 changed, 1 unreachable, 1 failed: node03, node07"
    )


def test_a_thousand_failed_hosts_are_one_line():
    hosts = {"n%04d" % number: "failed" for number in range(1000)}
    line = lines.step_line(step(1234.5, **hosts))
    assert line.startswith("failed  1234.5 s  Node layer: 1000 failed: n0000, ") and line.endswith(" and 990 more")


def test_a_changed_task_names_items_and_hosts():
    assert lines.changed_line("Make it", 0.04, [], []) == "  changed    0.0 s  Make it"
    assert (
        lines.changed_line("Make it", 0.3, ["b", "a"], ["x\ny", "{'k': 1}"])
        == "  changed    0.3 s  Make it: x y, {'k': 1} [a, b]"
    )
    many = ["n%d" % number for number in range(7)]
    assert lines.changed_line("Make it", 0.3, many, many).endswith(
        "Make it: n0, n1, n2, n3, n4 and 2 more [7 hosts: n0, n1, n2, n3, n4 and 2 more]"
    )


def test_a_long_step_names_the_hosts_that_it_waits_for():
    assert lines.start_line("site.yml") == "started    0.0 s  site.yml"
    assert lines.running_line("job", "Run it", 70.0, 0, ["a"]) == "  running   70.0 s  job: Run it"
    assert lines.running_line("job", "job", 10.0, 3, ["b", "a"]) == (
        "  running   10.0 s  job: 3 done, waiting for a, b"
    )
    assert lines.running_line("job", "job", 10.0, 3, []) == "  running   10.0 s  job: 3 done"


@pytest.mark.parametrize("char", ["\x1b", "\x9b", "\r", "\x00", "\u202e", "\u2028"])
def test_a_message_cannot_rule_the_terminal_or_look_like_a_step(char):
    text = "a%sb\nfailed     0.0 s  Node layer" % char
    shown = lines.message_lines("Say", [], text)
    assert shown[0] == "  Say:" and shown[2] == "    failed     0.0 s  Node layer"
    assert char not in "".join(shown) and repr(char)[1:-1] in shown[1]


@pytest.mark.parametrize(
    ("changed", "check_mode", "text"),
    [
        ((0,), False, "1 host: nothing changed"),
        ((0,), True, "1 host: nothing would change"),
        ((1,), False, "1 host: 1 change"),
        ((3,), True, "1 host: 3 changes would be made"),
        ((0, 2, 1), False, "3 hosts: 3 changes on 2 of them"),
    ],
)
def test_the_recap_of_a_good_run(changed, check_mode, text):
    totals = {"n%d" % number: {"changed": count} for number, count in enumerate(changed)}
    assert lines.end_line(totals, 61.25, check_mode) == "done      61.2 s  " + text


def test_hosts_with_the_same_text_share_its_line():
    pending = Pending(lambda: 0.0)
    pending.begin("1", "Say")
    for host in ("a", "b", "c"):
        pending.message("1", host, "other" if host == "b" else "same")
    assert [line.text for line in pending.flush(True)] == ["  Say [a, c]: same", "  Say [b]: other"]
    assert pending.flush(True) == [] and pending.name("1") == ""


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ({"msg": "text"}, "text"),
        ({"msg": ["a", "b"], "changed": False}, "a\nb"),
        ({"msg": ["a", 1]}, None),
        ({"msg": {"a": 1}}, None),
        ({"msg": ""}, None),
        ({"msg": "text", "more": 1}, None),
        ({"value": "text"}, None),
    ],
)
def test_only_text_is_shown_as_text(result, text):
    assert message_of(dict(result, _ansible_no_log=False)) == text


def test_what_is_for_people():
    wanted = {"_ansible_verbose_always": True}
    assert is_for_people(dict(wanted, msg="text")) and is_for_people(dict(wanted, var="x"))
    assert not is_for_people({"msg": "text"})
    assert not is_for_people(dict(wanted, msg="All assertions passed"))
    assert not is_for_people(dict(wanted, msg="text", _ansible_verbose_override=True))
