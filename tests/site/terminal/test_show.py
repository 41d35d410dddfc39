"""The module hpc.pytorch.show prints its lines as they are, with the default callback and with ours."""

from __future__ import annotations

import pytest

LONG = "source /home/alice/a%s/bin/activate" % ("/very-long-folder" * 20)
LINES = [LONG, "two: 'quotes'", "", "a\nb", "\x1b[2J caf\u00e9 \u4e2d"]


@pytest.mark.parametrize("callback", ["default", "hpc.pytorch.steps"])
@pytest.mark.parametrize("arguments", [(), ("--check",)])
def test_lines_are_neither_quoted_nor_wrapped(play, callback, arguments):
    task = {"hpc.pytorch.show": {"lines": LINES}, "register": "shown"}
    check = {"ansible.builtin.fail": {}, "when": "shown.lines | length != 6 or shown is changed"}
    done = play([task, check], {}, *arguments, environment={"ANSIBLE_STDOUT_CALLBACK": callback, "COLUMNS": "40"})
    assert done.rc == 0, done.output
    assert "\n%s\ntwo: 'quotes'\n\na\nb\n\\x1b[2J caf\u00e9 \u4e2d\n" % LONG in "\n" + done.output


def test_what_is_no_list_of_lines_is_refused(play):
    done = play([{"hpc.pytorch.show": {}}], {})
    assert done.rc != 0 and "missing required arguments: lines" in done.output
