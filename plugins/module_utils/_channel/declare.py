# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a channel hold what is asked for, if it does not already. Private to hpc.pytorch.

Whether there is work is decided in the target's own Python, from the channel's record; the work is done in the engine's
venv. The engine belongs to _conda, so this room stands above that one.
"""

from __future__ import annotations

import os
import pathlib
import typing as t

from ansible.module_utils.common.respawn import has_respawned

from .._common.redact import filled_in
from .._conda.engines.venv import (
    find_engine_python,
    has_rattler,
    missing_engine,
    require_rattler,
    respawn_in,
    runs_here,
)
from .._files.environment import clean_environment, keep_roots_own
from .._files.progress import Progress
from .._files.trust import require_trusted_place
from .._source.pip import require_trusted_pip_settings, require_trusted_pip_source
from .._source.trusted import require_trusted_channels, require_trusted_specs
from .record import is_unchanged, package_list, read_record
from .request import Request, request_from

# What AnsibleModule takes for them. Here and not in the module: Ansible packs no module into another one.
ARGUMENTS: dict[str, t.Any] = {
    "argument_spec": {
        "path": {"type": "path", "required": True},
        "python": {"type": "list", "elements": "path", "default": []},
        "wheels": {"type": "list", "elements": "str", "default": []},
        "wheel_index": {"type": "str"},
        "wheel_find_links": {"type": "list", "elements": "str", "default": []},
        "wheel_no_index": {"type": "bool", "default": False},
        "cpu_index": {"type": "str", "default": "https://download.pytorch.org/whl/cpu"},
        "wheel_refuse": {"type": "list", "elements": "str", "default": ["nvidia-*", "cuda-*"]},
        "wheel_max_megabytes": {"type": "int", "default": 400},
        "names": {"type": "dict", "default": {}},
        "packages": {"type": "list", "elements": "str", "default": []},
        "upstream": {"type": "list", "elements": "str", "default": []},
        "with_dependencies": {"type": "bool", "default": True},
        "compile": {"type": "bool", "default": True},
        "update": {"type": "bool", "default": False},
        "executable": {"type": "path"},
        "progress_file": {"type": "path"},
        "state": {"type": "str", "choices": ["present"], "default": "present"},
    },
}


class Options(t.NamedTuple):
    """The options of ``conda_channel``."""

    request: Request
    update: bool
    executable: str | None
    progress_file: str | None

    @classmethod
    def of(cls, params: t.Mapping[str, t.Any]) -> Options:
        """The options in a module's parameters, with environment variables in ``upstream`` replaced.

        :raises UserError: a value is not valid.
        """
        upstream = filled_in(params["upstream"], os.environ)
        return cls(
            request=request_from(dict(params, upstream=upstream)),
            update=params["update"],
            executable=params["executable"],
            progress_file=params["progress_file"],
        )


def declare(options: Options, check_mode: bool) -> dict[str, t.Any]:
    """Bring the channel up to date, or in check mode find out what is missing. Returns the module's result.

    If there is work, the module starts anew in the engine's venv.
    """
    request = options.request
    record = read_record(request.path)
    if _stands(options, record):
        return _result(request, record, changed=False)
    require_trusted_place(request.path, "the channel's folder")
    _require_trusted_sources(request)
    engine = find_engine_python(options.executable)
    if engine is None:
        if not check_mode:
            raise missing_engine(options.executable)
        return _unresolved(request, record)
    if not (runs_here(engine) and has_rattler()) and not has_respawned():
        require_rattler(engine)
        respawn_in(engine)
    return _build(options, record, check_mode)


def channel_stands(options: Options) -> bool:
    """Whether :func:`declare` would leave the channel alone. Neither the network nor an engine is asked."""
    return _stands(options, read_record(options.request.path))


def _stands(options: Options, record: t.Mapping[str, t.Any]) -> bool:
    request = options.request
    return not options.update and is_unchanged(request.path, record, request.key())


def _require_trusted_sources(request: Request) -> None:
    """Refuse, as root, channels, wheels, indexes and settings of pip that another user can write.

    :raises UserError: nothing was read yet.
    """
    require_trusted_channels(request.upstream, "upstream")
    require_trusted_specs(request.packages)
    if request.wheels:
        for option, places in (
            ("wheels", [wheel for wheel in request.wheels if wheel.endswith(".whl")]),
            ("wheel_find_links", request.wheel_find_links),
            ("wheel_index", [request.wheel_index]),
            ("cpu_index", [request.cpu_index]),
        ):
            for place in places:
                if place:
                    require_trusted_pip_source(place, option)
        require_trusted_pip_settings(clean_environment())


def _build(options: Options, record: t.Mapping[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    # Only the engine's venv has what the builder imports.
    from .build import Builder

    request = options.request
    # rattler and patchelf take some from variables.
    keep_roots_own()
    with Progress(options.progress_file) as progress:
        outcome = Builder(request, progress, check_mode=check_mode).run()
    result = _result(request, outcome.record, outcome.changed, outcome.actions)
    result["packages"] += outcome.planned
    after = _lines(outcome.record) + [_line(entry) for entry in outcome.planned]
    result["diff"] = _diff(request, _lines(record), sorted(after))
    return result


def _unresolved(request: Request, record: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The result of check mode without an engine: what is asked for, instead of packages."""
    asked = request.asked_for()
    result = _result(request, record, True, [{"action": "request", "name": text} for text in asked], resolved=False)
    before = _lines(record)
    result["diff"] = _diff(request, before, before + [text + " (not resolved)\n" for text in asked])
    return result


def _result(
    request: Request,
    record: t.Mapping[str, t.Any],
    changed: bool,
    actions: t.Sequence[t.Mapping[str, t.Any]] = (),
    resolved: bool = True,
) -> dict[str, t.Any]:
    return {
        "changed": changed,
        "path": request.path,
        "url": pathlib.Path(request.path).as_uri(),
        "packages": package_list(record),
        "actions": list(actions),
        "resolved": resolved,
    }


def _diff(request: Request, before: t.Sequence[str], after: t.Sequence[str]) -> dict[str, str]:
    headers = {"before_header": request.path, "after_header": request.path}
    return dict(headers, before="".join(before), after="".join(after))


def _lines(record: t.Mapping[str, t.Any]) -> list[str]:
    """The packages of the channel as the diff shows them."""
    return sorted(_line(entry) for entry in record["packages"].values())


def _line(entry: t.Mapping[str, t.Any]) -> str:
    return "%(subdir)s/%(name)s %(version)s %(build)s\n" % entry
