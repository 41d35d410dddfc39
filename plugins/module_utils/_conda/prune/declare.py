# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""conda_env_prune: removes the versions of a site env that nothing uses any more. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
import typing as t

from ..._files.leftovers import private_path
from ..._files.progress import Progress
from ..apply.env_lock import env_lock
from ..env.request import checked_prefix
from . import signs
from .jobs import jobs_of
from .rules import Seen, checked_numbers, judge
from .signs import Names
from .store import LOCK, SWITCHED, Store, published_version, read_store, version_of_leftover

Result = t.Dict[str, t.Any]


class Options(t.NamedTuple):
    """The options of module conda_env_prune, see its documentation."""

    envs_dir: str
    name: str
    keep: int
    older_than: int
    homes: list[str]
    layers: list[str]
    named_in: list[str]
    slurm: bool
    bin_dir: str | None
    confirm: bool


def prune_envs(options: Options, check_mode: bool) -> Result:
    """Remove what *options* let go; return the module's result.

    :raises UserError: nothing was removed.
    """
    checked_numbers(options.keep, options.older_than)
    link = checked_prefix(None, options.name, options.envs_dir, os.path.expanduser("~"))
    envs_dir, name = os.path.split(link)
    store = read_store(envs_dir, name)
    names = Names(name, (version.name for version in store.versions))
    seen = _seen(options, envs_dir, names) if store.versions else Seen({}, (), ())
    judged = judge(store, seen, names, options.keep, options.older_than, time.time())
    kept = {each.version.prefix: each.reasons for each in judged if each.reasons}
    removable = [each.version.prefix for each in judged if not each.reasons]
    sizes = {path: occupied_bytes(path) for path in [*removable, *store.leftovers]}
    acts = options.confirm and not check_mode
    removed = [path for path in store.leftovers if not acts or _finish(path)]
    for prefix in removable:
        reason = _remove(envs_dir, store, prefix, names) if acts else None
        if reason:
            kept[prefix] = [reason]
        else:
            removed.append(prefix)
    gone = removed if options.confirm else []
    result: Result = {
        "changed": bool(gone),
        "envs_dir": envs_dir,
        "published": os.path.join(store.folder, store.published) if store.published else "",
        "removable": [{"prefix": path, "bytes": sizes[path]} for path in removed],
        "removed": [{"prefix": path, "bytes": sizes[path]} for path in gone],
        "freed_bytes": sum(sizes[path] for path in gone),
        "kept": [{"prefix": path, "reasons": reasons} for path, reasons in kept.items()],
        "ignored": [os.path.join(store.folder, entry) for entry in store.foreign],
    }
    before = sorted([*kept, *removed])
    result["diff"] = {
        "before_header": store.folder,
        "after_header": store.folder,
        "before": "".join(path + "\n" for path in before),
        "after": "".join(path + "\n" for path in before if path not in gone),
    }
    if removed and not options.confirm:
        result["msg"] = "%d can be removed; nothing was removed without confirm" % len(removed)
    return result


def occupied_bytes(folder: str) -> int:
    """How many bytes deleting *folder* frees. A file with a hard link elsewhere (the package cache) frees none."""
    found: dict[tuple[int, int], list[int]] = {}
    for top, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            status = os.lstat(os.path.join(top, name))
            is_folder = name in folders and not os.path.islink(os.path.join(top, name))
            entry = found.setdefault(
                (status.st_dev, status.st_ino), [1 if is_folder else status.st_nlink, 0, status.st_blocks * 512]
            )
            entry[1] += 1
    return sum(size for links, seen, size in found.values() if seen >= links)


def _seen(options: Options, envs_dir: str, names: Names) -> Seen:
    uses, doubts = signs.processes(names)
    by_files, blocked = signs.files(names, envs_dir, options.homes, options.layers, options.named_in)
    for version, reasons in by_files.items():
        uses.setdefault(version, []).extend(reasons)
    jobs, silence = jobs_of(options.bin_dir) if options.slurm else ([], [])
    return Seen(uses, [*doubts, *blocked, *silence], jobs)


def _remove(envs_dir: str, store: Store, prefix: str, names: Names) -> str | None:
    """Rename a version away, check its use once more, delete it. Returns why it was put back, or None."""
    with env_lock(prefix, Progress()):
        trash = private_path(prefix, "removing")
        os.rename(prefix, trash)
        reason = _used_meanwhile(envs_dir, store.name, os.path.basename(prefix), names)
        if reason:
            os.rename(trash, prefix)
            return reason
        _finish(trash)
    return None


def _used_meanwhile(envs_dir: str, name: str, version: str, names: Names) -> str | None:
    if published_version(envs_dir, name) == version:
        return "published meanwhile"
    uses, _doubts = signs.processes(names)
    return uses[version][0] + " came meanwhile" if version in uses else None


def _finish(trash: str) -> bool:
    """Delete a renamed version. The files next to it go first: while the folder exists, the next run finishes this."""
    prefix = os.path.join(os.path.dirname(trash), version_of_leftover(trash))
    if trash.endswith(".removing") and not os.path.lexists(prefix):
        for ending in (LOCK, SWITCHED):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(prefix + ending)
    shutil.rmtree(trash)
    return True
