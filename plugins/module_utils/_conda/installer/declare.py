# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""conda_installer from options to result: fetch, install, switch. Private to hpc.pytorch."""

from __future__ import annotations

import os
import shutil
import tempfile
import typing as t

from ..._common.errors import UserError
from ..._files.progress import Progress
from ..._files.trust import require_trusted_place
from . import store
from .fetch import fetch, private_cache, require_source
from .request import InstallerRequest, checked_cache, installer_request
from .run import conda_version, install

Result = t.Dict[str, t.Any]


class Options(t.NamedTuple):
    """The options of module conda_installer, see its documentation."""

    prefix: str
    src: str
    sha256: str
    cache: str | None
    ca_path: str | None
    progress_file: str | None


def declare_base(options: Options, check_mode: bool) -> Result:
    """Make users find the base of *options*; in check mode return what that would change.

    :raises UserError: users find the same base as before.
    """
    request = installer_request(options.prefix, options.src, options.sha256)
    cache = checked_cache(options.cache or _default_cache())
    old = store.linked_base(request)
    require_trusted_place(request.base, "a place for the base at")
    if store.stamp_of(request.base) == request.sha256:
        _require_usable(request)
        if old != request.base and not check_mode:
            with store.store_lock(request, Progress()):
                store.switch(request)
        return _result(request, old, ["switch"] if old != request.base else [], store.versions_of(request.base))
    if check_mode:
        if not request.is_url and os.path.exists(request.path):
            require_source(request)
        return _result(request, old, _steps(request), None)
    with Progress(options.progress_file) as progress:
        return _make(request, old, cache, options.ca_path, progress)


def _make(request: InstallerRequest, old: str | None, cache: str, ca_path: str | None, progress: Progress) -> Result:
    with private_cache(cache, progress, request.prefix):
        fetched = None
        # Another run may have made the base while this one waited.
        if store.stamp_of(request.base) != request.sha256:
            # Fetched first: a wrong address or checksum leaves no trace next to the prefix.
            fetched = fetch(request, cache, ca_path, progress)
        with store.store_lock(request, progress) as lock:
            if fetched and store.stamp_of(request.base) != request.sha256:
                store.remove_remains(request, lock.held)
                _install(request, old, fetched.script, lock.handle, progress)
            store.switch(request)
        result = _result(request, old, _steps(request) if fetched else ["switch"], store.versions_of(request.base))
        if fetched:
            # The installer is not needed any more.
            os.unlink(fetched.script)
            result.update(bytes=fetched.size, resumed_from=fetched.resumed_from)
    return result


def _steps(request: InstallerRequest) -> list[str]:
    return ["download" if request.is_url else "copy", "install", "switch"]


def _install(request: InstallerRequest, old: str | None, script: str, lock: int, progress: Progress) -> None:
    # Next to the base and not in /tmp, which some sites mount noexec.
    work = tempfile.mkdtemp(prefix=".work.", dir=request.store)
    try:
        install(script, request.base, work, lock, progress)
        progress.report("verify", request.base)
        store.set_permissions(request.base)
        store.require_sound(request.base)
        store.require_contained(request.base)
        conda_version(request.base, work)
        store.finish(request, old)
    except BaseException:
        if os.path.lexists(request.base):
            store.remove_folder(request, request.base)
        raise
    finally:
        shutil.rmtree(work)


def _require_usable(request: InstallerRequest) -> None:
    gone = [path for path in ("bin/conda", "bin/activate") if not os.path.exists(os.path.join(request.base, path))]
    if gone:
        raise UserError(
            "a complete base in %s, where this installer has finished" % request.base,
            "no %s" % ", no ".join(gone),
            "restore it from a backup; or, if no environment or shell uses that folder, remove it and run again",
        )


def _default_cache() -> str:
    root = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(root, "hpc.pytorch", "installers")


def _result(request: InstallerRequest, old: str | None, actions: list[str], after: dict[str, str] | None) -> Result:
    """The module's result. *after* is None if only the installer knows its versions."""
    before = store.versions_of(old) if old else {}
    now = _described(request.base, after)
    then = _described(old, before)
    return {
        "changed": bool(actions),
        "prefix": request.prefix,
        "base": request.base,
        "actions": actions,
        "before": dict(before, base=old),
        "after": dict(after or {}, base=request.base),
        "msg": "%s: %s" % (request.prefix, now if old == request.base else "%s, before: %s" % (now, then)),
        "diff": {
            "before_header": request.prefix,
            "after_header": request.prefix,
            "before": _lines(old, before),
            "after": _lines(request.base, after),
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
