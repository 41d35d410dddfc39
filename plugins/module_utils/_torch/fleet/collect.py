# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job array over many nodes, a task bound to each of them, and what comes of it; nothing of it stays. Private to hpc.pytorch.

sbatch cannot give the tasks of an array different nodes. So the array is submitted held, each task is bound to its node
(any user may do that with a job of theirs that has not started), and then the array is let go.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
import typing as t

from ..._common.errors import UserError, one_line
from ..._slurm.client import Slurm, SlurmError
from ..._slurm.model.listing import Node, Task
from ..._slurm.poll import Poller, Stop
from .bundle import make_bundle
from .follow import Follow
from .node import ORDERS, RESULTS
from .plan import BUNDLE, Array, Order, Settings, arguments_of, is_idle, script_of, split_up, why_out, with_partition

# Seconds between two polls of the queue.
_PAUSES = (1.0, 1.0, 2.0, 3.0, 5.0)
# How many seconds the controller may be away.
_PATIENCE = 180.0
_OUTPUT_KEPT = 500

Told = t.Dict[str, t.Any]


class Outcome(t.NamedTuple):
    """What came of a node: an answer, or why there is none."""

    answer: dict[str, t.Any] | None = None
    why: str = ""


def plan(slurm: Slurm, orders: t.Sequence[Order], settings: Settings) -> list[Told]:
    """What would be submitted, and what sbatch says to it. Writes nothing and submits nothing."""
    nodes = slurm.nodes()
    orders = [with_partition(order, nodes) for order in orders]
    able = {number: order for number, order in enumerate(orders) if not why_out(order, nodes)}
    folder = os.path.join(settings.folder, ".hpc_pytorch.check")
    told = []
    for array in split_up(able, nodes, _largest(slurm)):
        arguments = arguments_of(array, settings, folder)
        try:
            says = slurm.try_submit(arguments, script_of(array, settings, folder))
        except SlurmError as error:
            says = str(error)
        told.append(_told(orders, array, arguments, None, says))
    return told


def run(
    slurm: Slurm, orders: t.Sequence[Order], settings: Settings, warn: t.Callable[[str], None]
) -> tuple[list[Outcome], list[Told]]:
    """Have every node do its order: their outcomes in the same order, and what was submitted.

    :raises UserError: the run was interrupted, or there is no Slurm. Nothing is left in any case.
    """
    nodes = slurm.nodes()
    orders = [with_partition(order, nodes) for order in orders]
    out = {number: why_out(order, nodes) for number, order in enumerate(orders)}
    outcomes = {number: Outcome(why=why) for number, why in out.items() if why}
    able = {number: order for number, order in enumerate(orders) if number not in outcomes}
    if not able:
        return [outcomes[number] for number in range(len(orders))], []
    arrays = split_up(able, nodes, _largest(slurm))
    with Stop() as stop:
        folder = _make_folder(settings.folder, orders)
        work = _Run(slurm, orders, settings, folder, outcomes, stop)
        try:
            for array in arrays:
                work.submit(array)
            work.follow()
        finally:
            _tidy_up(slurm, work.jobs, folder, warn)
        _go_on(stop)
    return [outcomes[number] for number in range(len(orders))], work.told


class _Run:
    """The jobs of one run, and which of them has which node's task. Orders, and so tasks, go by their numbers."""

    def __init__(
        self,
        slurm: Slurm,
        orders: t.Sequence[Order],
        settings: Settings,
        folder: str,
        outcomes: dict[int, Outcome],
        stop: Stop,
    ) -> None:
        self._slurm, self._orders, self._settings, self._folder = slurm, orders, settings, folder
        self._outcomes, self._stop = outcomes, stop
        self._place: dict[int, tuple[str, int]] = {}
        self.jobs: list[str] = []
        self.told: list[Told] = []

    def submit(self, array: Array) -> list[int]:
        """Submit, bind each task to its node, see that it is, and let them go: the tasks that may now start."""
        _go_on(self._stop)
        arguments = arguments_of(array, self._settings, self._folder)
        job, problem = None, ""
        try:
            job = self._slurm.submit(arguments, script_of(array, self._settings, self._folder))
        except SlurmError as error:
            problem = str(error)
            for number in array.numbers:
                self._outcomes[number] = Outcome(why="Slurm took no job for it: %s" % one_line(problem))
        self.told.append(_told(self._orders, array, arguments, job, problem))
        if job is None:
            return []
        self.jobs.append(job)
        for index, number in enumerate(array.numbers):
            self._place[number] = (job, index)
        try:
            lines = [
                "update JobId=%s ReqNodeList=%s" % (self._name(number), self._orders[number].node)
                for number in array.numbers
            ]
            self._cancel_unbound(array, self._slurm.control(lines))
            self._slurm.control(["release %s" % job])
        except SlurmError:
            # What is held still says so in the queue, and is given up there.
            pass
        return [number for number in array.numbers if number not in self._outcomes]

    def _cancel_unbound(self, array: Array, said: t.Sequence[str]) -> None:
        """A task without its node would run on any."""
        tasks = self._tasks()
        astray = []
        for number in array.numbers:
            if number not in tasks or tasks[number].wanted != self._orders[number].node:
                own = [line.partition(": ")[2] for line in said if line.startswith(self._name(number) + ":")]
                why = one_line(own[0] if own else "scontrol did not say why")
                self._outcomes[number] = Outcome(
                    why="its task %s could not be bound to it: %s" % (self._name(number), why)
                )
                astray.append(self._name(number))
        if astray:
            self._slurm.cancel(astray)

    def follow(self) -> None:
        """Wait until each node has answered or is given up."""
        places = {number: job for number, (job, _index) in self._place.items() if number not in self._outcomes}
        begin = time.monotonic()
        follow = Follow(places, self._settings.limits, begin)
        poller = Poller(self._stop, _PAUSES, _PATIENCE, begin)
        while follow.waiting:
            if poller.pause():
                _go_on(self._stop)
            answers = dict(self._read_answers(set(follow.waiting)))
            self._outcomes.update(answers)
            now = time.monotonic()
            try:
                tasks = self._tasks()
            except SlurmError as error:
                if not poller.is_away(now):
                    continue
                for number in set(follow.waiting) - set(answers):
                    self._outcomes[number] = Outcome(why="Slurm does not answer: %s" % one_line(str(error)))
                return
            poller.answered(now)
            given_up = follow.look(tasks, answers, now)
            if answers or given_up:
                poller.changed()
            for number, why in given_up.items():
                self._outcomes[number] = Outcome(why="task %s %s%s" % (self._name(number), why, self._printed(number)))
            # One that was given up must not hold a place among the tasks that may run at the same time.
            _cancel(self._slurm, [self._name(number) for number in given_up])
            self._take_apart(follow, now)

    def _take_apart(self, follow: Follow, now: float) -> None:
        """A node that was idle and no longer is holds up its whole array: its task moves to a job of its own."""
        stuck = follow.stuck(now)
        if not stuck:
            return
        try:
            nodes: t.Mapping[str, Node] = self._slurm.nodes()
        except SlurmError:
            return
        busy = [number for number in stuck if not is_idle(self._orders[number].node, nodes)]
        for number in busy or stuck[: self._settings.chunk]:
            if not _cancel(self._slurm, [self._name(number)]):
                return
            if self.submit(Array(self._orders[number].request, (number,))):
                follow.move(number, self._place[number][0], now)
            else:
                follow.drop(number)

    def _tasks(self) -> dict[int, Task]:
        numbers = {place: number for number, place in self._place.items()}
        places = (
            (task, (task.job, -1 if task.array_index is None else task.array_index))
            for task in self._slurm.queue(self.jobs)
        )
        return {numbers[place]: task for task, place in places if place in numbers}

    def _name(self, number: int) -> str:
        return "%s_%d" % self._place[number]

    def _read_answers(self, numbers: set[int]) -> t.Iterator[tuple[int, Outcome]]:
        results = os.path.join(self._folder, RESULTS)
        # A change of ours makes NFS look at the folder again instead of into its cache.
        marker = os.path.join(results, ".look")
        os.close(os.open(marker, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        os.unlink(marker)
        for name in os.listdir(results):
            stem, dot, ending = name.partition(".")
            if dot + ending != ".json" or not stem.isdigit() or int(stem) not in numbers:
                continue
            with open(os.path.join(results, name), encoding="utf-8") as stream:
                answer = json.load(stream)
            node = answer.pop("node", None)
            right = node == self._orders[int(stem)].node
            yield int(stem), Outcome(answer) if right else Outcome(why="its task ran on %s" % node)

    def _printed(self, number: int) -> str:
        try:
            with open(os.path.join(self._folder, self._name(number) + ".out"), "rb") as stream:
                lines = stream.read()[-_OUTPUT_KEPT:].decode("utf-8", "replace").strip().splitlines()
        except OSError:
            return ""
        return "; its last words: " + one_line(" ".join(lines[-2:])) if lines else ""


def _make_folder(parent: str, orders: t.Sequence[Order]) -> str:
    """The private folder with what the nodes need: our code and their orders."""
    try:
        folder = tempfile.mkdtemp(prefix=".hpc_pytorch.check.", dir=parent)
    except OSError as error:
        raise UserError(
            "to make a folder in %s" % parent,
            error.strerror or str(error),
            "name with work_dir a folder of yours that the login node and the compute nodes share",
        ) from error
    try:
        os.mkdir(os.path.join(folder, RESULTS), 0o700)
        with open(os.path.join(folder, BUNDLE), "wb") as stream:
            stream.write(make_bundle("_torch.fleet.node"))
        with open(os.path.join(folder, ORDERS), "w", encoding="utf-8") as text:
            json.dump([order.order for order in orders], text)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def _tidy_up(slurm: Slurm, jobs: list[str], folder: str, warn: t.Callable[[str], None]) -> None:
    if not _cancel(slurm, jobs):
        warn("there may still be jobs, which Slurm ends a day after their submission: scancel %s" % " ".join(jobs))
    # A task that is being ended may write once more.
    for _attempt in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.lexists(folder):
            return
        time.sleep(0.25)
    warn("%s could not be removed" % folder)


def _cancel(slurm: Slurm, jobs: list[str]) -> bool:
    for attempt in range(3 if jobs else 0):
        try:
            slurm.cancel(jobs)
            return True
        except SlurmError:
            # A controller that changes over or is busy refuses for a moment; scancel twice does no harm.
            if attempt < 2:
                time.sleep(1)
    return not jobs


def _go_on(stop: Stop) -> None:
    why = stop.wait(0)
    if why:
        raise UserError(
            "to wait for every node's result",
            "an interruption (%s)" % why,
            "run it again; the jobs have been cancelled and their folder removed",
        )


def _largest(slurm: Slurm) -> int:
    try:
        return max(1, int(slurm.config().get("MaxArraySize", "1001")))
    except ValueError:
        return 1001


def _told(orders: t.Sequence[Order], array: Array, arguments: list[str], job: str | None, says: str) -> Told:
    nodes = [orders[number].node for number in array.numbers]
    return {"job_id": job, "nodes": nodes, "command": ["sbatch"] + arguments, "message": one_line(says)}
