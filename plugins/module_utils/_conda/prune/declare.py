# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes the versions of a site env that nothing may use any more. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
import typing as t

from ..apply import lifecycle
from ..env.request import checked_prefix
from . import jobs as prune_jobs, rules as prune_rules, signs as prune_signs
from .signs import Names
from .store import LOCK, SWITCHED, Store, grave_of, published_version, read_store, version_of_leftover

Params = t.Mapping[str, t.Any]
Result = t.Dict[str, t.Any]


def prune_envs(params: Params, check_mode: bool) -> Result:
    """The result of conda_env_prune for its options *params*.

    :raises UserError: nothing was removed.
    """
    prune_rules.checked_numbers(params["keep"], params["older_than"])
    link = checked_prefix(None, params["name"], params["envs_dir"], os.path.expanduser("~"))
    envs_dir, name = os.path.split(link)
    store = read_store(envs_dir, name)
    names = Names(name, (version.name for version in store.versions))
    seen = _look(params, envs_dir, names) if store.versions else prune_rules.Seen({}, (), ())
    judged = prune_rules.judge(store, seen, names, params["keep"], params["older_than"], time.time())
    kept = {each.version.prefix: each.reasons for each in judged if each.reasons}
    removable = [each.version.prefix for each in judged if not each.reasons]
    sizes = {path: occupied_bytes(path) for path in [*removable, *store.leftovers]}
    acts = params["confirm"] and not check_mode
    removed = [path for path in store.leftovers if not acts or _finish(path)]
    for prefix in removable:
        reason = _remove(envs_dir, store, prefix, names) if acts else None
        if reason:
            kept[prefix] = [reason]
        else:
            removed.append(prefix)
    gone = removed if params["confirm"] else []
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
    if removed and not params["confirm"]:
        result["msg"] = "%d may go; nothing was removed without confirm" % len(removed)
    return result


def occupied_bytes(folder: str) -> int:
    """What deleting *folder* frees: a file with a hard link elsewhere (the package cache) frees nothing."""
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


def _look(params: Params, envs_dir: str, names: Names) -> prune_rules.Seen:
    uses, doubts = prune_signs.processes(names)
    by_files, blocked = prune_signs.files(names, envs_dir, params["homes"], params["layers"], params["named_in"])
    for version, reasons in by_files.items():
        uses.setdefault(version, []).extend(reasons)
    jobs, silence = prune_jobs.jobs_of(params["bin_dir"]) if params["slurm"] else ([], [])
    return prune_rules.Seen(uses, [*doubts, *blocked, *silence], jobs)


def _remove(envs_dir: str, store: Store, prefix: str, names: Names) -> str | None:
    """Take a version away by one rename, look once more, delete it. Why it came back, or None."""
    with lifecycle.lock(prefix, lambda: None):
        grave = grave_of(prefix)
        os.rename(prefix, grave)
        reason = _used_meanwhile(envs_dir, store.name, os.path.basename(prefix), names)
        if reason:
            os.rename(grave, prefix)
            return reason
        _finish(grave)
    return None


def _used_meanwhile(envs_dir: str, name: str, version: str, names: Names) -> str | None:
    if published_version(envs_dir, name) == version:
        return "published meanwhile"
    uses, _doubts = prune_signs.processes(names)
    return uses[version][0] + " came meanwhile" if version in uses else None


def _finish(grave: str) -> bool:
    """Delete what was taken away. The files beside it go first: while its folder is there, the next run goes on here."""
    prefix = os.path.join(os.path.dirname(grave), version_of_leftover(grave))
    if grave.endswith(".removing") and not os.path.lexists(prefix):
        for ending in (LOCK, SWITCHED):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(prefix + ending)
    shutil.rmtree(grave)
    return True
