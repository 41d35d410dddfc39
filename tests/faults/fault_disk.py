# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk that is full, or that cannot be written to."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import subprocess
import typing as t

from lab import OLD, Answer, Lab, Row
from whole import leftovers, not_whole, state_of

MEGABYTES = (1, 8, 24, 48)


def run(lab: Lab, moments: int) -> t.Iterator[Row]:
    """Each fault with several sizes, so that the disk is full at several steps."""
    del moments
    for fault in (_full_cache, _full_envs, _full_change, _read_only_home):
        yield fault(lab)


@contextlib.contextmanager
def small_disk(place: pathlib.Path, megabytes: int) -> t.Iterator[None]:
    """Mount a tmpfs at *place*."""
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dm,mode=755" % megabytes, "tmpfs", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


def grow(place: pathlib.Path) -> None:
    """Make the disk large again, as if another user had freed space."""
    subprocess.run(["mount", "-o", "remount,size=2g", str(place)], check=True)


def _full_cache(lab: Lab) -> Row:
    problems: list[str] = []
    reads = ""
    for size in MEGABYTES:
        lab.forget()
        with small_disk(lab.cache, size):
            reads = _failed(lab, lab.run(lab.request(OLD)), "%d MB" % size, problems)
            problems += ["%d MB: there is an env" % size] * (state_of(lab.prefix) != "absent")
            grow(lab.cache)
            _repaired(lab, OLD, "%d MB" % size, problems)
    return _row("the disk of the package cache is full while packages are unpacked", len(MEGABYTES), reads, problems)


def _full_envs(lab: Lab) -> Row:
    problems: list[str] = []
    reads = ""
    lab.restore()
    for size in MEGABYTES:
        with small_disk(lab.parent, size):
            reads = _failed(lab, lab.run(lab.request(OLD)), "%d MB" % size, problems)
            problems += ["%d MB: there is an env" % size] * (state_of(lab.prefix) != "absent")
            grow(lab.parent)
            _repaired(lab, OLD, "%d MB" % size, problems)
    return _row("the disk of the envs is full while an env is created", len(MEGABYTES), reads, problems)


def _full_change(lab: Lab) -> Row:
    """Add numpy to an env on a disk with too little space: none for the mark, or enough for a part of the change."""
    problems: list[str] = []
    reads = ""
    sizes = (0, 4, 24)
    without = {"tinytool": OLD["tinytool"]}
    lab.forget()
    lab.require(lab.run(lab.request(OLD, packages=["python"])))
    kept = lab.folder / "kept"
    lab.prefix.rename(kept)
    for spare in sizes:
        with small_disk(lab.parent, 2000):
            subprocess.run(["cp", "-a", str(kept), str(lab.prefix)], check=True)
            disk = os.statvfs(lab.parent)
            used = (disk.f_blocks - disk.f_bfree) * disk.f_frsize
            subprocess.run(
                ["mount", "-o", "remount,size=%d" % (used + spare * 1024 * 1024), str(lab.parent)], check=True
            )
            reads = _failed(lab, lab.run(lab.request(OLD)), "%d MB" % spare, problems)
            took, _messages = lab.refusals()
            if not_whole(lab.prefix, without) and (took or state_of(lab.prefix) == "env"):
                problems.append("%d MB: a broken env is taken for complete" % spare)
            grow(lab.parent)
            _repaired(lab, OLD, "%d MB" % spare, problems)
    shutil.rmtree(kept)
    return _row("the disk of the envs is full while an env is changed", len(sizes), reads, problems)


def _read_only_home(lab: Lab) -> Row:
    """An env in the home directory fails; one elsewhere needs package_cache; with both it succeeds."""
    problems: list[str] = []
    elsewhere = lab.folder / "elsewhere"
    lab.forget()
    with small_disk(lab.home, 10):
        subprocess.run(["mount", "-o", "remount,ro", str(lab.home)], check=True)
        _failed(lab, lab.run(lab.request(OLD, package_cache=str(elsewhere / "pkgs"))), "an env in the home", problems)
        request = lab.request(OLD, prefix=str(elsewhere / "env"))
        reads = _failed(lab, lab.run(dict(request, package_cache=None)), "a cache in the home", problems)
        problems += ["the option package_cache is not named: %s" % reads] * ("package_cache" not in reads)
        last = lab.run(dict(request, package_cache=str(elsewhere / "pkgs")))
        problems += ["prefix and package_cache elsewhere: %s" % last.message] * last.failed
        problems += not_whole(elsewhere / "env", OLD)
    return _row("the home directory is read-only", 3, reads, problems)


def _failed(lab: Lab, answer: Answer, what: str, problems: list[str]) -> str:
    problems += ["%s: it did not fail" % what] * (not answer.failed)
    problems += ["%s: %s" % (what, each) for each in answer.problems]
    return answer.message


def _repaired(lab: Lab, versions: dict[str, str], what: str, problems: list[str]) -> None:
    again = lab.run(lab.request(versions))
    wrong = (
        [again.message]
        if again.failed
        else not_whole(lab.prefix, versions) + leftovers(lab.cache, lab.parent, lab.prefix)
    )
    problems += ["%s, the next run: %s" % (what, each) for each in wrong]


def _row(fault: str, tries: int, reads: str, problems: list[str]) -> Row:
    failed = {problem.split(":")[0].split(",")[0] for problem in problems}
    return Row(fault, tries, tries - min(tries, len(failed)), reads, problems)
