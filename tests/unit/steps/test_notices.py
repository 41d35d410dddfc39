"""The thread that says that a step is still running; the test waits for it, not for the time."""

from __future__ import annotations

import threading

from ansible_collections.hpc.pytorch.plugins.plugin_utils._steps.notices import Notices


class Waits:
    """In place of the event: how long it was waited for, and whether it came meanwhile."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.delays = []

    def wait(self, delay):
        self.delays.append(delay)
        return self.answers.pop(0)

    def set(self):
        pass

    def clear(self):
        pass


def test_each_notice_comes_after_twice_the_time_and_a_new_step_begins_anew():
    shown = []
    notices = Notices(lambda: shown.append(1), first=10.0)
    notices._woken = Waits(False, False, True, False, None)

    def stop():
        shown.append(1)
        notices._ended = len(shown) == 3

    notices._show = stop
    notices._run()
    assert notices._woken.delays == [10.0, 20.0, 40.0, 10.0] and len(shown) == 3


def test_nothing_is_said_after_the_end():
    shown = []
    second = threading.Event()

    def show():
        shown.append(1)
        if len(shown) == 2:
            second.set()

    notices = Notices(show, first=0.001)
    notices.begin_step()
    assert second.wait(60)
    notices.end()
    before = len(shown)
    assert notices._thread is not None and not notices._thread.is_alive() and len(shown) == before


def test_a_command_that_runs_nothing_has_no_thread():
    before = threading.active_count()
    Notices(lambda: None).end()
    assert threading.active_count() == before
