# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import threading

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._channel.make import Task, make_all
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._files.progress import Progress

# Long enough for any machine; a test that waits for it has failed.
LIMIT = 60


class Lab:
    """Tasks whose archives hold their own names."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.started = threading.Event()
        self.arrived = threading.Event()

    def task(self, name: str, origin: str, weight: int) -> Task:
        def make(target: str) -> None:
            self.made.append(name)
            self.started.set()
            pathlib.Path(target).write_text(name)

        def size() -> int:
            if origin == "wheel":
                assert self.arrived.wait(LIMIT)
            return weight

        package = {"name": name, "version": "1", "build": "0", "build_number": 0, "subdir": "linux-64"}
        return Task(dict(package, file_name=name + ".conda"), origin, make, size)


def test_python_is_packed_while_wheels_are_downloaded(tmp_path: pathlib.Path) -> None:
    lab = Lab()

    def arrive() -> None:
        # As a download that is slower than Python.
        if lab.started.wait(LIMIT):
            lab.arrived.set()

    threading.Thread(target=arrive, daemon=True).start()
    tasks = [lab.task("small", "wheel", 1), lab.task("large", "wheel", 2), lab.task("python", "interpreter", 1)]
    finished = make_all(tasks, str(tmp_path), Progress())
    assert lab.made[0] == "python" and sorted(lab.made) == ["large", "python", "small"]
    assert sorted(finished) == ["linux-64/%s.conda" % name for name in ("large", "python", "small")]
    assert {name: pathlib.Path(entry["staged"]).read_text() for name, entry in finished.items()} == {
        "linux-64/%s.conda" % name: name for name in ("large", "python", "small")
    }


def test_the_largest_come_first(tmp_path: pathlib.Path) -> None:
    order: list[str] = []

    def task(name: str, weight: int) -> Task:
        # The first two are taken at once, by two threads.
        meet = barrier.wait if weight > 1 else lambda: 0

        def make(target: str) -> None:
            # Before they meet: the one that goes on first takes the third.
            order.append(name)
            meet()
            pathlib.Path(target).touch()

        package = {"name": name, "version": "1", "build": "0", "build_number": 0, "subdir": "noarch"}
        return Task(dict(package, file_name=name), "upstream", make, lambda: weight)

    barrier = threading.Barrier(2, timeout=LIMIT)
    make_all([task("a", 1), task("b", 3), task("c", 2)], str(tmp_path), Progress())
    assert order[2] == "a"


def test_a_download_that_fails_is_the_error(tmp_path: pathlib.Path) -> None:
    def fails() -> int:
        raise UserError("a wheel", "none", "run again")

    lab = Lab()
    wheel = lab.task("wheel", "wheel", 1)._replace(weight=fails)
    with pytest.raises(UserError) as error:
        make_all([wheel, lab.task("python", "interpreter", 1)], str(tmp_path), Progress())
    assert error.value.found == "none" and "wheel" not in lab.made
