# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds and publishes the packages that a channel lacks. Private to hpc.pytorch. Runs in the engine's venv."""

from __future__ import annotations

import concurrent.futures
import os
import shutil
import tempfile
import typing as t

from .._common.errors import UserError
from .._common.redact import Address
from .._conda.package.described import Described
from .._files.files import sha256_of_file, sha256_of_json
from .._files.progress import Progress
from .._files.scratch import scratch_folder
from .._source.answers import answers
from .._source.parse import local_path
from . import archive, upstream
from .make import Task, make_all
from .publish import Channel, check_folder
from .python import relocate, stage
from .python.interpreter import Interpreter, compile_tree, inspect_python
from .record import archives_in, check_archives, read_record, stat_of, watched_stats
from .request import FORMAT, Request
from .wheels import pip_index
from .wheels.names import Wheel, conda_depends, conda_name, conda_version
from .wheels.unpack import unpack_wheel

_SHOWN = ("name", "version", "build", "subdir", "file_name")


class Outcome(t.NamedTuple):
    """What a run did, or would do in check mode."""

    changed: bool
    record: dict[str, t.Any]
    actions: list[dict[str, t.Any]]
    planned: list[dict[str, t.Any]]


class Builder:
    """One run for one request.

    :arg check_mode: only find out what is missing: fetch nothing but metadata, and write nothing to the channel.
    """

    def __init__(self, request: Request, progress: Progress, check_mode: bool = False) -> None:
        self._request = request
        self._progress = progress
        self._check_mode = check_mode
        self._interpreters: list[Interpreter] = []
        self._local_wheels: set[str] = set()
        self._recorded: dict[str, t.Any] = {}
        self._whole: set[str] = set()
        self._places: pip_index.Index | None = None
        # Downloads wheels while Python is packed.
        self._downloads = concurrent.futures.ThreadPoolExecutor(max_workers=1)

    def run(self) -> Outcome:
        """Publish what is missing.

        :raises UserError: the channel is then unchanged.
        """
        check_folder(self._request.path)
        self._interpreters = [inspect_python(python) for python in self._request.python]
        if self._check_mode:
            with scratch_folder() as folder:
                return self._run(None, folder)
        with Channel(self._request.path, self._progress) as channel:
            with self._downloads:
                return self._run(channel, channel.staging)

    def _run(self, channel: Channel | None, folder: str) -> Outcome:
        path = self._request.path
        record = read_record(path)
        self._recorded = dict(record["packages"])
        self._whole = set(check_archives(path, record))
        before = sorted(record["packages"])
        record["packages"] = {name: entry for name, entry in record["packages"].items() if name in self._whole}
        tasks = self._missing(folder)
        damaged = bool(archives_in(path) != before or _index_differs(path, record))
        actions = [_action(task) for task in tasks]
        if damaged and not tasks:
            actions.append({"action": "index"})
        if channel is None:
            planned = [{key: task.package[key] for key in _SHOWN} for task in tasks]
            return Outcome(bool(actions), record, actions, planned)
        if actions:
            finished = make_all(tasks, channel.folder("finished"), self._progress)
            self._progress.report("index", path)
            channel.publish(record, finished)
        watched = [path for interpreter in self._interpreters for path in _watched(interpreter)]
        channel.conclude(record, self._request.key(), watched_stats(watched + sorted(self._local_wheels)))
        return Outcome(bool(actions), record, actions, [])

    def _missing(self, folder: str) -> list[Task]:
        """The missing archives."""
        tasks: dict[str, Task] = {}
        for number, interpreter in enumerate(self._interpreters):
            place = os.path.join(folder, "python%d" % number)
            os.makedirs(place)
            # pip asks its index while Python is copied.
            with concurrent.futures.ThreadPoolExecutor(max_workers=1) as pool:
                copied = pool.submit(self._python_tasks, interpreter, place)
                wheels = self._chosen_wheels(interpreter, place) if self._request.wheels else []
                found = copied.result()
            found += self._wheel_tasks(interpreter, wheels, place)
            tasks.update((task.name, task) for task in found)
        if self._request.packages:
            tasks.update((task.name, task) for task in self._upstream_tasks(folder))
        return sorted(tasks.values(), key=lambda task: task.name)

    def _python_tasks(self, interpreter: Interpreter, place: str) -> list[Task]:
        self._progress.report("interpreter", "python %s" % interpreter.version)
        root = os.path.join(place, "tree")
        stage.stage(interpreter, root, relocate.find_patchelf())
        entries = archive.list_tree(root)
        content = self._hash({"files": [list(entry) for entry in entries]})
        glibc = relocate.glibc_needed(root)
        index = {
            "name": "python",
            "version": interpreter.version,
            "depends": ["__glibc >=%d.%d" % glibc] if glibc else [],
            "license": "Python-2.0",
            "python_site_packages_path": interpreter.site_packages,
        }
        if not self._identify(index, interpreter.subdir, "h" + content, "_cpython"):
            return []

        def make(target: str) -> None:
            sources = [entry.path for entry in entries if entry.path.endswith(".py") and entry.path.startswith("lib/")]
            if self._request.compiled:
                compile_tree(interpreter, root, sources)
            # It runs while the archive is written, which is thrown away if the copy does not work.
            with concurrent.futures.ThreadPoolExecutor(max_workers=1) as pool:
                checked = pool.submit(stage.check_staged, interpreter, root)
                about = {"summary": "CPython %s, repackaged from an installed one" % interpreter.version}
                packed = archive.list_tree(root, {entry.path: entry.sha256 for entry in entries})
                archive.write_conda(root, packed, target, _public(index), about)
                checked.result()
            shutil.rmtree(root)

        return [Task(index, "interpreter", make, lambda: 10**8)]

    def _wheel_places(self) -> pip_index.Index:
        request = self._request
        cpu_index = request.cpu_index if request.wheel_refuse and not request.wheel_no_index else None
        if cpu_index:
            self._progress.report("probe", "CPU wheel index")
        return pip_index.Index(
            url=Address(request.wheel_index) if request.wheel_index else None,
            extra_url=Address(cpu_index) if cpu_index and answers(cpu_index) else None,
            find_links=tuple(map(Address, request.wheel_find_links)),
            no_index=request.wheel_no_index,
            refuse=request.wheel_refuse,
            max_megabytes=request.wheel_max_megabytes,
        )

    def _chosen_wheels(self, interpreter: Interpreter, place: str) -> list[Wheel]:
        wheels = self._request.wheels
        self._local_wheels |= {wheel for wheel in wheels if wheel.endswith(".whl")}
        self._places = self._places or self._wheel_places()
        return pip_index.choose(interpreter, wheels, self._places, place, self._progress)

    def _wheel_tasks(self, interpreter: Interpreter, wheels: t.Sequence[Wheel], place: str) -> list[Task]:
        chosen = {wheel.name: wheel for wheel in wheels}
        wanted: list[tuple[Wheel, dict[str, t.Any]]] = []
        for wheel in wheels:
            index = self._wheel_index(interpreter, wheel, chosen)
            if index:
                wanted.append((wheel, index))
        if not wanted or self._check_mode:
            return [Task(index, "wheel", lambda target: None, lambda: 0) for _wheel, index in wanted]
        needed = [wheel for wheel, _index in wanted]
        files = self._downloads.submit(
            pip_index.fetch, interpreter, needed, self._places or pip_index.Index(), place, self._progress
        )

        def task(wheel: Wheel, index: dict[str, t.Any]) -> Task:
            return self._wheel_task(interpreter, index, lambda: files.result()[wheel.file_name], place)

        return [task(wheel, index) for wheel, index in wanted]

    def _wheel_index(
        self, interpreter: Interpreter, wheel: Wheel, chosen: t.Mapping[str, Wheel]
    ) -> dict[str, t.Any] | None:
        depends = conda_depends(wheel, interpreter.markers, chosen, self._request.names)
        index: dict[str, t.Any] = {
            "name": conda_name(wheel.name, self._request.names),
            "version": conda_version(wheel.version),
            "depends": depends,
        }
        digest = wheel.sha256
        if digest is None:
            path = local_path(wheel.url)
            digest = sha256_of_file(path) if path else wheel.url
        content = self._hash({"wheel": digest, "depends": depends, "python": interpreter.version})
        return index if self._identify(index, interpreter.subdir, "%s_h%s" % (interpreter.tag, content), "") else None

    def _wheel_task(
        self, interpreter: Interpreter, index: dict[str, t.Any], wheel: t.Callable[[], str], place: str
    ) -> Task:
        def make(target: str) -> None:
            root = tempfile.mkdtemp(prefix="tree-", dir=place)
            unpacked = unpack_wheel(wheel(), root, interpreter, self._request.compiled)
            if unpacked.license:
                index["license"] = unpacked.license
            about = {"summary": unpacked.summary, "license": unpacked.license}
            entries = archive.list_tree(root, unpacked.digests)
            archive.write_conda(root, entries, target, _public(index), about, unpacked.placeholders)
            shutil.rmtree(root)

        return Task(index, "wheel", make, lambda: os.path.getsize(wheel()))

    def _hash(self, content: dict[str, t.Any]) -> str:
        """The part of a build string that depends on what decides the package's files."""
        if not self._request.compiled:
            content = dict(content, compiled=False)
        return sha256_of_json({"format": FORMAT, **content})[:8]

    def _upstream_tasks(self, folder: str) -> list[Task]:
        request = self._request
        cache = os.path.join(folder, "repodata")
        channels = upstream.Upstream(request.upstream, self._progress)
        tasks: list[Task] = []
        for source in channels.choose(request.packages, request.with_dependencies, cache):
            name = "%s/%s" % (source.subdir, source.file_name)
            known = self._recorded.get(name)
            if name in self._whole and known:
                if source.sha256 in (None, known["sha256"]):
                    continue
                raise UserError(
                    "an archive %s with sha256 %s, as published here" % (name, known["sha256"]),
                    "sha256 %s upstream" % source.sha256,
                    "delete the wrong archive (two archives of one name must be the same), and run again",
                )
            task = self._upstream_task(channels, source)
            if any(each.name == task.name and each.package != task.package for each in tasks):
                # One name is one file.
                raise UserError("one package named %s upstream" % name, "two", "name one of them in packages")
            tasks.append(task)
        return tasks

    def _upstream_task(self, channels: upstream.Upstream, source: Described) -> Task:
        keys = ("name", "version", "build", "build_number", "subdir", "file_name")
        index = {key: getattr(source, key) for key in keys}

        def make(target: str) -> str:
            return channels.copy(source, target)

        return Task(index, "upstream", make, lambda: source.size or 0)

    def _identify(self, index: dict[str, t.Any], subdir: str, build: str, ending: str) -> bool:
        """Complete *index* with build string and number. Returns whether the channel lacks that package.

        The build number tells the solver which of two builds of one version is newer.

        :arg build: the part of the build string that depends on the content.
        """
        same = [
            entry
            for entry in self._recorded.values()
            if (entry["name"], entry["version"], entry["subdir"]) == (index["name"], index["version"], subdir)
        ]
        known = [entry for entry in same if entry["build"].startswith(build + "_")]
        tag = build.rpartition("h")[0]
        others = [entry["build_number"] for entry in same if entry["build"].startswith(tag)]
        number = known[0]["build_number"] if known else max(others, default=-1) + 1
        index.update(build="%s_%d%s" % (build, number, ending), build_number=number, subdir=subdir)
        index["file_name"] = "%(name)s-%(version)s-%(build)s.conda" % index
        return "%(subdir)s/%(file_name)s" % index not in self._whole


def _public(index: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The content of ``info/index.json`` for a package that is made here."""
    arch = {"linux-64": "x86_64"}.get(index["subdir"], index["subdir"].partition("-")[2])
    return dict({key: value for key, value in index.items() if key != "file_name"}, arch=arch, platform="linux")


def _action(task: Task) -> dict[str, t.Any]:
    return dict({key: task.package[key] for key in _SHOWN}, action="publish", origin=task.origin)


def _watched(interpreter: Interpreter) -> list[str]:
    """Files that an update of the interpreter changes."""
    return [interpreter.python, interpreter.executable, os.path.join(interpreter.stdlib, "os.py")]


def _index_differs(path: str, record: t.Mapping[str, t.Any]) -> bool:
    """Whether the index was changed or removed since it was published."""
    if record["packages"] and not record["index"]:
        return True
    for name, entry in record["index"].items():
        file = os.path.join(path, name)
        if stat_of(file) != entry.get("stat") and not (
            os.path.isfile(file) and sha256_of_file(file) == entry["sha256"]
        ):
            return True
    return False
