# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a play's wish to a base that users find: decides, then fetches, installs and switches. Private to hpc.pytorch."""

from __future__ import annotations

import os
import shutil
import tempfile
import typing as t

from ..._common.errors import UserError
from ..._common.progress import Progress
from ..._common.trust import require_trusted_place
from . import store
from .fetch import fetch, private_cache, require_source
from .request import Wish, checked_cache, checked_wish
from .run import conda_version, install

Result = t.Dict[str, t.Any]


def declare_base(params: t.Mapping[str, t.Any], check_mode: bool) -> Result:
    """Make users find the base of *params* (conda_installer's options), or say what that would change.

    :raises UserError: users find what they found before.
    """
    wish = checked_wish(params["prefix"], params["src"], params["sha256"])
    cache = checked_cache(params["cache"] or _default_cache())
    old = store.linked_base(wish)
    require_trusted_place(wish.base, "a place for the base at")
    if store.stamp_of(wish.base) == wish.sha256:
        _require_usable(wish)
        if old != wish.base and not check_mode:
            with store.store_lock(wish, lambda: None):
                store.switch(wish)
        return _result(wish, old, ["switch"] if old != wish.base else [], store.versions_of(wish.base))
    if check_mode:
        if not wish.is_url and os.path.exists(wish.source):
            require_source(wish)
        return _result(wish, old, _steps(wish), None)
    with Progress(params["progress_file"]) as progress:
        return _make(wish, old, cache, params["ca_path"], progress)


def _make(wish: Wish, old: str | None, cache: str, ca_path: str | None, progress: Progress) -> Result:
    def waiting() -> None:
        progress.report("wait for", "another run that is at work on %s" % wish.prefix)

    with private_cache(cache, waiting):
        fetched = None
        # Another run may have made it while this one waited.
        if store.stamp_of(wish.base) != wish.sha256:
            # Before anything is made: a wrong address or checksum leaves no trace beside the prefix.
            fetched = fetch(wish, cache, ca_path, progress)
        with store.store_lock(wish, waiting) as (lock, locked):
            if fetched and store.stamp_of(wish.base) != wish.sha256:
                store.remove_remains(wish, locked)
                _install(wish, old, fetched.script, lock, progress)
            store.switch(wish)
        result = _result(wish, old, _steps(wish) if fetched else ["switch"], store.versions_of(wish.base))
        if fetched:
            # The base can be found again without it.
            os.unlink(fetched.script)
            result.update(bytes=fetched.size, resumed_from=fetched.resumed_from)
    return result


def _steps(wish: Wish) -> list[str]:
    return ["download" if wish.is_url else "copy", "install", "switch"]


def _install(wish: Wish, old: str | None, script: str, lock: int, progress: Progress) -> None:
    # Beside the base and not in /tmp, which sites mount without execution.
    work = tempfile.mkdtemp(prefix=".work.", dir=wish.store)
    try:
        install(script, wish.base, work, lock, progress)
        progress.report("verify", wish.base)
        store.settle(wish.base)
        store.require_sound(wish.base)
        conda_version(wish.base, work)
        store.finish(wish, old)
    except BaseException:
        if os.path.lexists(wish.base):
            store.remove_folder(wish, wish.base)
        raise
    finally:
        shutil.rmtree(work)


def _require_usable(wish: Wish) -> None:
    gone = [path for path in ("bin/conda", "bin/activate") if not os.path.exists(os.path.join(wish.base, path))]
    if gone:
        raise UserError(
            "a whole base in %s, where this installer has finished" % wish.base,
            "no %s" % ", no ".join(gone),
            "restore it from a backup; or, if no environment or shell names that folder, remove it and run again",
        )


def _default_cache() -> str:
    root = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(root, "hpc.pytorch", "installers")


def _result(wish: Wish, old: str | None, actions: list[str], after: dict[str, str] | None) -> Result:
    """*after* is None where only the installer itself knows what it brings."""
    before = store.versions_of(old) if old else {}
    now = _described(wish.base, after)
    then = _described(old, before)
    return {
        "changed": bool(actions),
        "prefix": wish.prefix,
        "base": wish.base,
        "actions": actions,
        "before": dict(before, base=old),
        "after": dict(after or {}, base=wish.base),
        "msg": "%s: %s" % (wish.prefix, now if old == wish.base else "%s, before: %s" % (now, then)),
        "diff": {
            "before_header": wish.prefix,
            "after_header": wish.prefix,
            "before": _lines(old, before),
            "after": _lines(wish.base, after),
        },
    }


def _described(base: str | None, versions: t.Mapping[str, str] | None) -> str:
    if base is None:
        return "nothing"
    if versions is None:
        return "what the installer brings, in %s" % base
    return "%s in %s" % (", ".join("%s %s" % item for item in sorted(versions.items())) or "no conda", base)


def _lines(base: str | None, versions: t.Mapping[str, str] | None) -> str:
    if base is None:
        return ""
    held = (
        ["(what the installer brings)"] if versions is None else ["%s %s" % item for item in sorted(versions.items())]
    )
    return "".join(line + "\n" for line in ["base %s" % base] + held)
