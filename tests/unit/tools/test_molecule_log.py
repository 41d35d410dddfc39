# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tools/molecule_log.py: a failing scenario's last lines name the step, the host, the task and the remedy."""

from __future__ import annotations

import importlib.util
import pathlib

PATH = pathlib.Path(__file__).resolve().parents[3] / "tools" / "molecule_log.py"


def explain(log):
    spec = importlib.util.spec_from_file_location("molecule_log", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.explain(log.splitlines())


CONVERGE = """\
INFO     [default > create] Executing
fatal: [localhost]: FAILED! =>
INFO     [default > create] Executed: Successful
INFO     [default > converge] Executing
TASK [Look at the toolkit] *****
[ERROR]: Task failed: Module failed: expected CUDA 13.5 at /opt; found CUDA 12.9; remedy: declare 12.9
Origin: check.yml:23:3
fatal: [login01]: FAILED! =>
    changed: false
fatal: [titan01]: UNREACHABLE! =>
CRITICAL Ansible return code was 2, command was: ansible-playbook
ERROR    [default > converge] \x1b[31mExecuted: Failed\x1b[0m
INFO     [default > destroy] Executing
fatal: [localhost]: FAILED! =>
"""


def test_the_host_the_task_and_the_remedy():
    said = "task Look at the toolkit: expected CUDA 13.5 at /opt; found CUDA 12.9; remedy: declare 12.9"
    assert explain(CONVERGE) == ["in step converge", "host login01, " + said, "host titan01, " + said]


def test_a_loops_item_and_a_test():
    log = "INFO     [user > verify] Executing\nFAILED tests/test_user.py::test_x[a] - AssertionError: b\n"
    assert explain(log) == ["in step verify", "test tests/test_user.py::test_x[a] - AssertionError: b"]
    log = "INFO     [user > check] Executing\nTASK [T] ***\nfailed: [alice] (item=x) =>\n"
    assert explain(log) == ["in step check", "host alice, task T: see above"]


def test_what_changes_twice_is_named():
    log = (
        "INFO     [grow > idempotence] Executing\nTASK [T] ***\n"
        "CRITICAL Idempotence test failed because of the following tasks:\n* [login01] => Write it\n"
        "ERROR    [grow > idempotence] Executed: Failed\n"
    )
    assert explain(log)[1:] == [
        "Idempotence test failed because of the following tasks:",
        "changed again: [login01] => Write it",
    ]


def test_at_most_fifteen_reasons_of_bounded_length():
    log = "INFO     [a > check] Executing\nTASK [T] ***\n" + "[ERROR]: %s\nfatal: [h]: FAILED! =>\n" % ("x" * 2000) * 30
    reasons = explain(log)
    assert len(reasons) == 16 and max(map(len, reasons)) < 620


def test_a_log_that_says_nothing():
    assert explain("CRITICAL Failed to find config\n") == ["in step unknown", "CRITICAL Failed to find config"]
