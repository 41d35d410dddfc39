# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds, reports and removes what pip put in the place of a conda package's distribution. Private to hpc.pytorch.

``pip install`` removes conda's files and leaves its record, so ``conda-meta`` says 2.13.0 and Python imports 2.99.0.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
import shutil
import typing as t

from ..._files.files import read_regular
from ..env.packages import Package
from ..env.records import package_of, package_records
from . import constraints
from .distributions import Metadata, brought_by, installed


class Replaced(t.NamedTuple):
    """A distribution of the conda package *package* that pip replaced.

    :arg was: what conda's record has.
    :arg now: what pip installed.
    """

    package: str
    was: Metadata
    now: Metadata

    def as_result(self) -> dict[str, str]:
        """The entry in results."""
        return {
            "name": self.package,
            "distribution": self.now.name,
            "recorded": self.was.version,
            "imported": self.now.version,
        }


# Each distribution that conda brought, by its records, with its package's name.
Recorded = t.List[t.Tuple[str, Metadata]]


class Contents(t.NamedTuple):
    """What site-packages hold.

    :arg held: of what conda brought, what is still there.
    :arg replaced: what pip replaced.
    """

    held: Recorded
    replaced: list[Replaced]


def read_env(prefix: str) -> tuple[list[Package], Recorded]:
    """The packages of the env at *prefix*, by name, as its records have them, and the distributions of those.

    :raises UserError: a record that cannot be read.
    """
    packages: list[Package] = []
    recorded: Recorded = []
    for record in package_records(prefix):
        packages.append(package_of(record))
        recorded += [(packages[-1].name, each) for each in brought_by(record)]
    return sorted(packages), recorded


def contents_of(prefix: str, recorded: Recorded) -> Contents:
    """Compare what conda recorded with what is there. Opens no file.

    Where a package was installed again over what pip left, both are there: then it counts as replaced.
    """
    owned = {each.path for dummy, each in recorded}
    there = installed(prefix)
    present = {each.path for each in there}
    foreign = {each.name: each for each in there if each.path not in owned}
    return Contents(
        [(package, each) for package, each in recorded if each.path in present and each.name not in foreign],
        [Replaced(package, each, foreign[each.name]) for package, each in recorded if each.name in foreign],
    )


def not_meant(replaced: t.Iterable[Replaced], lines: t.Iterable[str]) -> list[Replaced]:
    """Those that the requirements *lines* do not leave to pip."""
    free = constraints.left_to_pip(lines)
    return [each for each in replaced if each.was.name not in free]


def as_imported(packages: t.Iterable[Package], replaced: t.Iterable[Replaced]) -> list[Package]:
    """*packages* with the versions that Python imports. As in ``conda list``, pip's have the channel pypi."""
    by_package = {each.package: each for each in replaced}
    return [
        package._replace(version=by_package[package.name].now.version, build="pypi_0", channel="pypi", url="")
        if package.name in by_package
        else package
        for package in packages
    ]


def warning(replaced: Replaced) -> str:
    """The warning about one that stays as it is."""
    return (
        "pip replaced %s %s of the package %s by %s, and Python imports that: run once with verify: true to bring "
        "conda's back; to keep pip's, name it in pip and take %s out of packages"
        % (replaced.was.name, replaced.was.version, replaced.package, replaced.now.version, replaced.package)
    )


def remove_replaced(prefix: str, replaced: t.Sequence[Replaced], keep: t.Container[str]) -> None:
    """Delete the files that pip installed in the place of conda's, before or after conda's are installed again.

    :arg keep: paths, relative to the prefix, that belong to packages that stay.
    """
    root = os.path.realpath(prefix)
    for each in replaced:
        folders: set[str] = set()
        for path in _recorded_files(prefix, each.now):
            # A record may name anything: nothing outside the env is followed or deleted.
            if path in keep or not (os.path.realpath(os.path.dirname(os.path.join(root, path))) + "/").startswith(
                root + "/"
            ):
                continue
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(root, path))
                folders.add(os.path.dirname(path))
        metadata = os.path.join(root, each.now.path)
        if os.path.isdir(metadata) and not os.path.islink(metadata):
            shutil.rmtree(metadata)
        else:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(metadata)
        top = os.path.dirname(each.now.path)
        for folder in sorted(folders, reverse=True):
            _remove_empty(root, folder, top)


def paths_of_others(prefix: str, leaving: t.Container[str]) -> set[str]:
    """The paths of all packages but *leaving*, relative to the prefix."""
    return {
        str(path)
        for record in package_records(prefix)
        if record.get("name") not in leaving
        for path in record.get("files") or []
    }


def _recorded_files(prefix: str, metadata: Metadata) -> t.Iterator[str]:
    """The files of a distribution, relative to the prefix. Entries that lead out of the env are left out."""
    top = os.path.dirname(metadata.path)
    try:
        text = read_regular(os.path.join(prefix, metadata.path, "RECORD"), follow=False).decode("utf-8", "replace")
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except (OSError, csv.Error):
        return
    for row in rows:
        path = os.path.normpath(os.path.join(top, row[0])) if row else ""
        if path and "\0" not in path and not path.startswith(("/", "../")) and path != "..":
            yield path


def _remove_empty(root: str, folder: str, top: str) -> None:
    with contextlib.suppress(OSError):
        while folder.startswith(top + "/"):
            os.rmdir(os.path.join(root, folder))
            folder = os.path.dirname(folder)
