# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole site.yml on a disk that is full at one of its steps, or that cannot be written to"""

from __future__ import annotations

import contextlib
import json
import pathlib
import re
import subprocess
import sys
import typing as t

from fault_disk import small_disk
from lab import Row
from site_lab import NEW, OLD, Done, SiteLab, one_line, require

# Of the space that a whole site takes.
FRACTIONS = (0.06, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.97)
# What the message must say is short, and where.
_SHORT = re.compile(
    r"expected (enough free (space|inodes) for|a quota of uid \d+ that is large enough for) /\S+; found "
)


@contextlib.contextmanager
def open_lab(folder: pathlib.Path) -> t.Iterator[SiteLab]:
    """The lab of this family."""
    yield SiteLab(folder)


def run(lab: SiteLab, moments: int) -> t.Iterator[Row]:
    """Eight sizes, too few inodes, and three ways of not being writable."""
    del moments
    lab.forget()
    require(lab.run(OLD))
    tree, size = lab.tree(), _used(lab.root)
    count = sum(1 for _path in lab.root.rglob("*"))
    yield _full(lab, tree, "disk", [("%d MB" % int(size * part), "size=%dm" % int(size * part)) for part in FRACTIONS])
    inodes = [("%d inodes" % int(count * part), "size=4g,nr_inodes=%d" % int(count * part)) for part in (0.3, 0.9)]
    yield _full(lab, tree, "disk without inodes", inodes)
    lab.forget()
    require(lab.run(OLD))
    yield from _read_only(lab)


def _used(folder: pathlib.Path) -> int:
    """Megabytes."""
    done = subprocess.run(["du", "-sm", str(folder)], check=True, capture_output=True, text=True)
    return int(done.stdout.split()[0])


def _full(lab: SiteLab, tree: t.AbstractSet[str], what: str, disks: t.Sequence[tuple[str, str]]) -> Row:
    problems: list[str] = []
    reads: dict[str, str] = {}
    survived = 0
    for name, options in disks:
        with small_disk(lab.root, 10):
            _remount(lab.root, options)
            lab.add_files()
            done = lab.run(OLD)
            wrong = _not_clear(done)
            reads.setdefault(_task(done), "%s: %s" % (name, _shown(lab, done)))
            _remount(lab.root, "size=4g,nr_inodes=0")
            again = lab.run(OLD)
            wrong += ["the rerun failed: %s" % again.errors] if again.status else lab.wrong(OLD, tree)
            third = lab.run(OLD)
            wrong += ["the third run: status %d, changed=%d" % third[:2]] * bool(third.status or third.changed)
        survived += not wrong
        print("  %s: %s; %s" % (name, _task(done), "; ".join(wrong) or "survived"), file=sys.stderr, flush=True)
        problems += ["%s: %s" % (name, each) for each in wrong]
    return Row(
        "a full %s of %s" % (what, ", ".join(name for name, _options in disks)),
        len(disks),
        survived,
        "; ".join("%s (task %s)" % (text, task) for task, text in reads.items()),
        problems,
    )


def _remount(place: pathlib.Path, options: str) -> None:
    subprocess.run(["mount", "-o", "remount," + options, str(place)], check=True)


def _task(done: Done) -> str:
    """The last task that began."""
    return (re.findall(r"^TASK \[(?:[\w.]+ : )?(.*?)\] \*", done.output, re.MULTILINE) or ["none"])[-1]


def _shown(lab: SiteLab, done: Done) -> str:
    """The message without what differs from run to run."""
    text = (done.errors or ["status %d" % done.status])[0].replace(str(lab.root), "SITE")
    return re.sub(r"/(venv|\.staging-|\.\w+\.)[^/; ]*", r"/\1...", text)


def _not_clear(done: Done) -> list[str]:
    wrong = one_line(done)
    if not wrong and not _SHORT.search(done.errors[0]):
        wrong = ["path or what is short is missing: %s" % done.errors[0]]
    return wrong


def _read_only(lab: SiteLab) -> t.Iterator[Row]:
    base = lab.root / "conda"
    with _sealed(base):
        yield _unchanged(lab, "nothing is to do and the base is read-only")
        more = {"conda_base_packages": ["python", "pip", "tinytool"]}
        yield _refused(lab, "the base is to change and is read-only", more)
    with _sealed(lab.root):
        yield _unchanged(lab, "nothing is to do and all is read-only", {"site_runs_job": False})
        yield _refused(lab, "channel and env are to change and all is read-only")


def _unchanged(lab: SiteLab, what: str, more: t.Mapping[str, t.Any] | None = None) -> Row:
    done = lab.run(OLD, *_given(more))
    wrong = ["status %d, changed=%d: %s" % (done.status, done.changed, done.errors)] * bool(done.status or done.changed)
    return Row(what, 1, int(not wrong), "status 0, changed=0" if not wrong else "", wrong)


def _refused(lab: SiteLab, what: str, more: t.Mapping[str, t.Any] | None = None) -> Row:
    done = lab.run(NEW if more is None else OLD, *_given(more))
    wrong = one_line(done)
    if not wrong and "ead-only" not in done.errors[0]:
        wrong = ["the reason is missing: %s" % done.errors[0]]
    return Row(what, 1, int(not wrong), _shown(lab, done), wrong)


def _given(more: t.Mapping[str, t.Any] | None) -> list[str]:
    return ["-e", json.dumps(more)] if more else []


@contextlib.contextmanager
def _sealed(place: pathlib.Path) -> t.Iterator[None]:
    """Make *place* read-only by a mount of its own, as an image or an export of a server is."""
    subprocess.run(["mount", "--bind", str(place), str(place)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(place)], check=True)
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)
