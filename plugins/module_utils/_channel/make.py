# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the archives that a channel lacks, two at a time. Private to hpc.pytorch. Runs in the engine's venv."""

from __future__ import annotations

import concurrent.futures
import os
import typing as t

from .._common.process import check
from .._files.files import sha256_of_file
from .._files.progress import Progress
from .publish import entry_of

Finished = t.Dict[str, t.Dict[str, t.Any]]


class Task(t.NamedTuple):
    """An archive that the channel lacks.

    :arg package: its line of the index, with ``file_name``.
    :arg origin: ``interpreter``, ``wheel`` or ``upstream``.
    :arg make: writes the archive to a path, and returns its digest if it is known then.
    :arg weight: how large it is, about; a wheel's is known as soon as the wheel is there, for which this waits.
    """

    package: dict[str, t.Any]
    origin: str
    make: t.Callable[[str], str | None]
    weight: t.Callable[[], int]

    @property
    def file_name(self) -> str:
        """The archive's name in its folder."""
        return t.cast(str, self.package["file_name"])

    @property
    def name(self) -> str:
        """The archive's name in the channel."""
        return "%s/%s" % (self.package["subdir"], self.file_name)


def make_all(tasks: t.Sequence[Task], folder: str, progress: Progress) -> Finished:
    """Make every archive in *folder*. Returns the record's entries, each with the archive's path as ``staged``.

    :raises UserError: one of them cannot be made.
    """
    finished: Finished = {}
    total = len(tasks)

    def make(task: Task) -> tuple[str, dict[str, t.Any]]:
        check()
        place = os.path.join(folder, task.package["subdir"])
        os.makedirs(place, exist_ok=True)
        target = os.path.join(place, task.file_name)
        progress.report("pack", task.file_name, len(finished), total)
        digest = task.make(target) or sha256_of_file(target)
        index = dict(task.package, sha256=digest, size=os.path.getsize(target))
        return task.name, dict(entry_of(index["subdir"], task.file_name, index, task.origin), staged=target)

    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        futures: list[concurrent.futures.Future[tuple[str, dict[str, t.Any]]]] = []
        try:
            # Python is packed while wheels are downloaded.
            for is_wheel in (False, True):
                some = [task for task in tasks if (task.origin == "wheel") == is_wheel]
                # The largest first, so that both threads have something to do until the end.
                futures += [pool.submit(make, task) for task in sorted(some, key=lambda task: -task.weight())]
            for future in concurrent.futures.as_completed(futures):
                name, entry = future.result()
                finished[name] = entry
                progress.report("packed", entry["file_name"], len(finished), total)
        except BaseException:
            for future in futures:
                future.cancel()
            raise
    return finished
