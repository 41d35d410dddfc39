# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes half-unpacked packages from conda's package cache. Private to hpc.pytorch.

conda takes a folder with ``info/index.json`` for an unpacked package, and writes the missing
``info/repodata_record.json`` into it (``_make_single_record`` in ``conda/core/package_cache_data.py``). If conda was
killed while it unpacked, each later run fails when it links that folder, or links a cut file. So each file that the
package lists is compared with what is there, by size. mamba and micromamba do this themselves.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import typing as t

from ...._common.lines import lines_of
from ...._files.files import open_regular
from ...._files.trust import require_trusted_place
from ...env.records import package_of
from .output import Record


def remove_half_unpacked(package_caches: t.Callable[[], list[str]], records: t.Collection[Record]) -> list[Record]:
    """Remove the folders of these packages that lack a file or have a cut one.

    conda then unpacks the archive again, or downloads it.

    :arg package_caches: the folders to search; called only if there are *records*.
    :returns: the records of those that are whole in no cache.
    :raises UserError: a folder must go, and as root another user could write there.
    """
    by_name = {"%s-%s-%s" % package_of(record)[:3]: record for record in records}
    whole = set()
    for cache in package_caches() if by_name else ():
        for name in sorted(by_name):
            folder = os.path.join(cache, name)
            if is_unpacked(folder):
                whole.add(name)
            elif os.path.isdir(folder):
                require_trusted_place(cache, "a cache at")
                # In another user's cache it stays. conda prefers a cache in which it can write.
                shutil.rmtree(folder, ignore_errors=True)
    return [record for name, record in by_name.items() if name not in whole]


def is_unpacked(folder: str) -> bool:
    """Whether each file that the package lists is there, with its size. Opens only the lists."""
    try:
        if not os.path.isfile(os.path.join(folder, "info", "repodata_record.json")):
            return False
        return all(_is_as_listed(folder, entry) for entry in _listed(folder))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _listed(folder: str) -> t.Iterable[t.Mapping[str, t.Any]]:
    """The entries of ``info/paths.json``. Packages from before 2017 have neither that nor a timestamp."""
    info = os.path.join(folder, "info")
    if "timestamp" not in _json(os.path.join(info, "index.json")) and not os.path.exists(
        os.path.join(info, "paths.json")
    ):
        with open_regular(os.path.join(info, "files")) as stream:
            return [{"_path": line} for line in lines_of(stream.read().decode("utf-8"))]
    entries: list[t.Mapping[str, t.Any]] = _json(os.path.join(info, "paths.json"))["paths"]
    return entries


def _json(path: str) -> t.Any:
    with open_regular(path) as stream:
        return json.load(stream)


def _is_as_listed(folder: str, entry: t.Mapping[str, t.Any]) -> bool:
    status = os.lstat(os.path.join(folder, entry["_path"]))
    size = entry.get("size_in_bytes")
    # A size that is too large is a package's own mistake, which conda only warns of.
    return (
        not stat.S_ISREG(status.st_mode) or entry.get("path_type") == "softlink" or not size or status.st_size >= size
    )
