# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a job array over many nodes, with one task bound to each, and collects their answers. Private to hpc.pytorch.

sbatch cannot give the tasks of an array different nodes. So the array is submitted held, each task is bound to its node
(any user may do that with an own job that has not started), and then the array is released. Nothing is left behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
import typing as t
import uuid

from ..._common.bundle import make_bundle
from ..._common.errors import UserError, one_line
from ..._common.lines import whole
from ..._files.trust import may_make, untrusted_because
from ..._slurm.client import Slurm
from ..._slurm.errors import SlurmError, SlurmSilent, is_denied
from ..._slurm.model.controller import suspends_nodes
from ..._slurm.model.listing import Node, Task
from ..._slurm.poll import Poller, Stop
from .answer import end_of_output, read_answer
from .arrays import (
    BUNDLE,
    Array,
    Order,
    Settings,
    arguments_of,
    is_idle,
    script_of,
    split_up,
    unusable,
    with_partition,
)
from .follow import Follow
from .leftovers import cancel, clean_up, found_again
from .outcome import NoAnswer, Outcome
from .program import ORDERS, RESULTS

# Seconds between two polls of the queue.
_PAUSES = (1.0, 1.0, 2.0, 3.0, 5.0)
# How many seconds the controller may be away.
_PATIENCE = 180.0

# An array in the module's result.
ArrayResult = t.Dict[str, t.Any]


def preview(slurm: Slurm, orders: t.Sequence[Order], settings: Settings) -> list[ArrayResult]:
    """What would be submitted, and what sbatch reports for it. Writes nothing and submits nothing."""
    nodes, settings = _nodes_of(slurm, orders, settings)
    orders = [with_partition(order, nodes) for order in orders]
    able = {number: order for number, order in enumerate(orders) if not unusable(order, nodes, settings)}
    folder = os.path.join(settings.folder, ".hpc_pytorch.check")
    arrays = []
    for array in split_up(able, nodes, _largest(slurm)):
        arguments = arguments_of(array, settings, folder)
        try:
            message = slurm.try_submit(arguments, script_of(array, settings, folder))
        except SlurmError as error:
            message = str(error)
        arrays.append(_array_result(orders, array, arguments, None, message))
    return arrays


def run(
    slurm: Slurm, orders: t.Sequence[Order], settings: Settings, warn: t.Callable[[str], None]
) -> tuple[list[Outcome], list[ArrayResult]]:
    """Have every node carry out its order: their outcomes in the same order, and what was submitted.

    :raises UserError: the run was interrupted, or there is no Slurm. Nothing is left in any case.
    """
    nodes, settings = _nodes_of(slurm, orders, settings)
    orders = [with_partition(order, nodes) for order in orders]
    outcomes: dict[int, Outcome] = {}
    for number, order in enumerate(orders):
        outcome = unusable(order, nodes, settings)
        if outcome:
            outcomes[number] = outcome
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
            clean_up(slurm, work.jobs + found_again(slurm, work.lost, warn), folder, warn)
        _require_no_stop(stop)
    return [outcomes[number] for number in range(len(orders))], work.arrays


def _nodes_of(slurm: Slurm, orders: t.Sequence[Order], settings: Settings) -> tuple[t.Mapping[str, Node], Settings]:
    """The nodes that Slurm shows, and those of the orders that it hides; and the settings for these."""
    nodes: dict[str, Node] = {}
    try:
        nodes = slurm.nodes()
    except SlurmError as error:
        if not is_denied(error):
            raise
    if all(order.node in nodes for order in orders):
        return nodes, settings
    # Without power saving no hidden node can be one that is powered down.
    saves_power = suspends_nodes(slurm.config())
    return dict(slurm.hidden_nodes(), **nodes), settings._replace(powered_down=settings.powered_down or not saves_power)


class _Run:
    """The jobs of one run, and the task of each node. Orders, and so tasks, are known by their numbers."""

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
        # The marks of arrays of which it is unknown whether Slurm has them.
        self.lost: list[str] = []
        self.arrays: list[ArrayResult] = []

    def submit(self, array: Array) -> list[int]:
        """Submit, bind each task to its node, check that it is bound, and release: the tasks that may now start."""
        _require_no_stop(self._stop)
        arguments = arguments_of(array, self._settings, self._folder)
        job, problem = None, ""
        try:
            job = self._submitted(arguments, script_of(array, self._settings, self._folder))
        except SlurmError as error:
            problem = str(error)
            silent = isinstance(error, SlurmSilent)
            words = "it is unknown whether Slurm took a job for it" if silent else "Slurm took no job for it"
            detail = "%s: %s" % (words, one_line(problem))
            for number in array.numbers:
                self._outcomes[number] = Outcome(
                    reason=NoAnswer.SLURM_SILENT if silent else NoAnswer.REFUSED, detail=detail
                )
        self.arrays.append(_array_result(self._orders, array, arguments, job, problem))
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
            # A task that is still held is given up because of its reason in the queue.
            pass
        return [number for number in array.numbers if number not in self._outcomes]

    def _submitted(self, arguments: t.Sequence[str], script: str) -> str:
        """The number of the array, also if sbatch's answer was lost: then its mark finds it.

        :raises SlurmSilent: it is unknown whether Slurm has it; it is searched for again at the end.
        :raises SlurmError: Slurm refused it.
        """
        mark = "hpc.pytorch:%s" % uuid.uuid4().hex
        try:
            return self._slurm.submit(["--comment=" + mark, *arguments], script)
        except SlurmSilent:
            self.lost.append(mark)
            found = None
            with contextlib.suppress(SlurmError):
                found = self._slurm.marked(mark)
            if found is None:
                raise
            self.lost.remove(mark)
            return found[0]

    def _cancel_unbound(self, array: Array, complaints: t.Sequence[str]) -> None:
        """Cancel the tasks without their node, which would run on any."""
        tasks = self._tasks()
        unbound = []
        for number in array.numbers:
            if number not in tasks or tasks[number].wanted != self._orders[number].node:
                name = self._name(number)
                own = [line.partition(": ")[2] for line in complaints if line.startswith(name + ":")]
                why = one_line(own[0] if own else "scontrol printed no reason")
                detail = "its task %s could not be bound to it: %s" % (name, why)
                self._outcomes[number] = Outcome(reason=NoAnswer.NOT_BOUND, detail=detail)
                unbound.append(name)
        if unbound:
            self._slurm.cancel(unbound)

    def follow(self) -> None:
        """Wait until each node has answered or is given up."""
        places = {number: job for number, (job, _index) in self._place.items() if number not in self._outcomes}
        begin = time.monotonic()
        follow = Follow(places, self._settings.limits, begin)
        poller = Poller(self._stop, _PAUSES, _PATIENCE, begin)
        while follow.waiting:
            if poller.pause():
                _require_no_stop(self._stop)
            answers = dict(self._read_answers(set(follow.waiting)))
            self._outcomes.update(answers)
            now = time.monotonic()
            try:
                tasks = self._tasks()
            except SlurmError as error:
                if not poller.is_away(now):
                    continue
                detail = "Slurm does not answer: %s" % one_line(str(error))
                for number in set(follow.waiting) - set(answers):
                    self._outcomes[number] = Outcome(reason=NoAnswer.SLURM_SILENT, detail=detail)
                return
            poller.answered(now)
            given_up = follow.update(tasks, answers, now)
            if answers or given_up:
                poller.changed()
            for number, outcome in given_up.items():
                detail = "task %s %s" % (self._name(number), outcome.detail)
                self._outcomes[number] = outcome._replace(detail=detail, output=self._printed(number))
            # A task that was given up must not hold a place among those that may run at the same time.
            cancel(self._slurm, [self._name(number) for number in given_up])
            self._take_apart(follow, now)

    def _take_apart(self, follow: Follow, now: float) -> None:
        """Move the task of a node that is no longer idle to a job of its own: it holds up its whole array."""
        stuck = follow.stuck(now)
        if not stuck:
            return
        try:
            nodes: t.Mapping[str, Node] = self._slurm.nodes()
        except SlurmError:
            return
        busy = [number for number in stuck if not is_idle(self._orders[number].node, nodes)]
        for number in busy or stuck[: self._settings.chunk]:
            if not cancel(self._slurm, [self._name(number)]):
                return
            if self.submit(Array(self._orders[number].request, (number,))):
                follow.move(number, self._place[number][0], now)
            else:
                follow.drop(number)

    def _tasks(self) -> dict[int, Task]:
        numbers = {place: number for number, place in self._place.items()}
        tasks = self._slurm.queue(self.jobs)
        places = ((task, (task.job, -1 if task.array_index is None else task.array_index)) for task in tasks)
        return {numbers[place]: task for task, place in places if place in numbers}

    def _name(self, number: int) -> str:
        return "%s_%d" % self._place[number]

    def _read_answers(self, numbers: set[int]) -> t.Iterator[tuple[int, Outcome]]:
        results = os.path.join(self._folder, RESULTS)
        # A change of ours makes NFS read the folder again instead of its cache.
        marker = os.path.join(results, ".poll")
        os.close(os.open(marker, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        os.unlink(marker)
        for name in os.listdir(results):
            stem, dot, ending = name.partition(".")
            number = whole(stem)
            if dot + ending != ".json" or number is None or number not in numbers:
                continue
            yield number, read_answer(os.path.join(results, name), self._orders[number].node)

    def _printed(self, number: int) -> str:
        """The last lines of a task's output."""
        return end_of_output(os.path.join(self._folder, self._name(number) + ".out"))


def _make_folder(parent: str, orders: t.Sequence[Order]) -> str:
    """The private folder with what the nodes need: our code and their orders.

    :raises UserError: it cannot be made; or as root, another user could put a folder of theirs in its place.
    """
    if not may_make(os.path.join(parent, "x")):
        raise UserError(
            "work_dir to be a folder that only root can write, or a sticky one, as this runs as root: %s" % parent,
            str(untrusted_because(parent, for_new=True)),
            "set work_dir to such a folder that login and compute nodes share, or run the task as its owner",
        )
    try:
        folder = tempfile.mkdtemp(prefix=".hpc_pytorch.check.", dir=parent)
    except OSError as error:
        raise UserError(
            "a writable folder at %s" % parent,
            error.strerror or str(error),
            "set work_dir to a folder of yours that login and compute nodes share",
        ) from error
    try:
        os.mkdir(os.path.join(folder, RESULTS), 0o700)
        with open(os.path.join(folder, BUNDLE), "wb") as stream:
            stream.write(make_bundle("_torch.fleet.program"))
        with open(os.path.join(folder, ORDERS), "w", encoding="utf-8") as text:
            json.dump([order.order for order in orders], text)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def _require_no_stop(stop: Stop) -> None:
    why = stop.wait(0)
    if why:
        raise UserError(
            "no interruption of the wait for the nodes' results",
            "an interruption (%s)" % why,
            "run it again; the jobs have been cancelled and their folder removed",
        )


def _largest(slurm: Slurm) -> int:
    return max(1, whole(slurm.config().get("MaxArraySize")) or 1001)


def _array_result(
    orders: t.Sequence[Order], array: Array, arguments: list[str], job: str | None, message: str
) -> ArrayResult:
    nodes = [orders[number].node for number in array.numbers]
    return {"job_id": job, "nodes": nodes, "command": ["sbatch", *arguments], "message": one_line(message)}
