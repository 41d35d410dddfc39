# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of a probe: what each kind holds, and how much of it. No I/O. Private to hpc.pytorch.

The interpreter that is checked sends them, and its owner may have made it say anything. All that comes behind this door
has the types that the causes and the verdict expect, a bounded size, and no control characters.
"""

from __future__ import annotations

import math
import typing as t

from .._common.lines import visible

# More than any machine has; Slurm's and NVIDIA's own limits are lower.
MOST_DEVICES = 1024
# A probe of 16 devices sends two hundred.
MOST_RECORDS = 20000
_MOST_ITEMS = 2000
_LARGEST = 2**63

Record = t.Dict[str, t.Any]
Check = t.Callable[[t.Any], t.Any]


class NotUnderstood(Exception):
    """A record that no probe sends; the message says why."""


def understood(record: Record) -> Record:
    """*record* with its texts made printable, and without keys that its kind does not have.

    Of a kind that is not known only the name is kept, which no cause reads.

    :raises NotUnderstood: a value has the wrong type, or there is too much of it.
    """
    kind = record["kind"]
    fields = KINDS.get(kind, {})
    found: Record = {"kind": visible(kind, 100)}
    for key, check in fields.items():
        if key in record:
            try:
                found[key] = check(record[key])
            except NotUnderstood as error:
                raise NotUnderstood("%s of a record %s %s" % (key, kind, error)) from None
        elif (kind, key) not in _OPTIONAL:
            raise NotUnderstood("a record %s without %s" % (kind, key))
    return found


def _text(longest: int) -> Check:
    def check(value: t.Any) -> str:
        if not isinstance(value, str):
            raise NotUnderstood("is not a text")
        cut = value[:longest]
        return cut if cut.isprintable() else "\n".join(visible(line, longest) for line in cut.split("\n"))

    return check


def _flag(value: t.Any) -> bool:
    if not isinstance(value, bool):
        raise NotUnderstood("is neither true nor false")
    return value


def _whole(most: int = _LARGEST) -> Check:
    def check(value: t.Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not -most <= value <= most:
            raise NotUnderstood("is not a number up to %d" % most)
        return value

    return check


def _count(value: t.Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < MOST_DEVICES:
        raise NotUnderstood("is not a number of devices below %d" % MOST_DEVICES)
    return value


def _seconds(value: t.Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise NotUnderstood("is not a time")
    return value


def _maybe(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _list(check: Check, most: int = _MOST_ITEMS) -> Check:
    def checked(value: t.Any) -> list[t.Any]:
        if not isinstance(value, list) or len(value) > most:
            raise NotUnderstood("is not a list of at most %d" % most)
        return [check(item) for item in value]

    return checked


def _mapping(check: Check) -> Check:
    def checked(value: t.Any) -> dict[str, t.Any]:
        if not isinstance(value, dict) or len(value) > _MOST_ITEMS:
            raise NotUnderstood("is not a mapping of at most %d" % _MOST_ITEMS)
        return {_NAME(key): check(item) for key, item in value.items()}

    return checked


def _struct(fields: t.Mapping[str, Check], optional: t.Collection[str] = ()) -> Check:
    def checked(value: t.Any) -> Record:
        if not isinstance(value, dict) or not all(key in value for key in fields if key not in optional):
            raise NotUnderstood("lacks one of the keys %s" % ", ".join(fields))
        return {key: check(value[key]) for key, check in fields.items() if key in value}

    return checked


def _pair(value: t.Any) -> list[t.Any]:
    found: list[t.Any] = _list(_PATH, 2)(value)
    if len(found) != 2:
        raise NotUnderstood("is not a pair")
    return found


_NAME, _PATH, _LONG = _text(500), _text(8192), _text(65536)
_NUMBER = _whole()
_ERROR = _struct({"type": _NAME, "text": _LONG, "name": _maybe(_PATH), "kernel": _NAME}, optional=("name", "kernel"))
_DEVICE = {
    "index": _count,
    "uuid": _maybe(_NAME),
    "compute_mode": _maybe(_NUMBER),
    "mig": _maybe(_flag),
    "instances": _maybe(_NUMBER),
    "fabric": _maybe(_NUMBER),
    "processes": _maybe(_NUMBER),
}
_PLACE = {
    "container": _maybe(_NAME),
    "slurm": _flag,
    "wsl": _flag,
    "jetson": _flag,
    "kfd": _maybe(_NAME),
    "pci": _maybe(_NUMBER),
}
_OPTIONAL = frozenset((("step", "task"), ("torch_missing", "error"), ("torch_missing", "leftover")))
KINDS: t.Mapping[str, t.Mapping[str, Check]] = {
    "step": {"step": _NAME, "task": _maybe(_NAME)},
    "refused": {"expected": _LONG, "found": _LONG, "remedy": _LONG},
    "exec_failed": {"path": _PATH, "error": _maybe(_PATH)},
    "node": {
        "hostname": _NAME,
        "kernel_module": _flag,
        "kernel_version": _maybe(_LONG),
        "uvm_module": _flag,
        "gpus": _maybe(_count),
        "files": _list(_NAME),
        "variables": _mapping(_LONG),
        "place": _struct(_PLACE),
    },
    "library_path": {"found": _list(_pair)},
    "python": {
        "version": _NAME,
        "executable": _maybe(_PATH),
        "prefix": _PATH,
        "user_site": _maybe(_PATH),
        "python_path": _list(_PATH),
        "conda": _flag,
        "added": _list(_struct({"folder": _PATH, "by": _PATH})),
    },
    "variables": {"variables": _mapping(_LONG)},
    "settings": {"settings": _mapping(_LONG)},
    "outside": {"modules": _list(_struct({"name": _NAME, "path": _PATH, "instead": _maybe(_PATH)}))},
    "torch_missing": {"leftover": _maybe(_PATH), "error": _maybe(_ERROR)},
    "torch_found": {"path": _PATH, "own": _maybe(_PATH)},
    "import_failed": {"error": _ERROR, "files": _list(_PATH)},
    "torch": {
        "version": _maybe(_NAME),
        "cuda": _maybe(_NAME),
        "hip": _maybe(_NAME),
        "git": _maybe(_NAME),
        "path": _PATH,
        "seconds": _seconds,
    },
    "cpu": {"passed": _flag, "error": _maybe(_ERROR)},
    "doubled": {
        "packages": _list(
            _struct({"library": _NAME, "name": _NAME, "version": _NAME, "record": _PATH, "wanted_by": _list(_NAME)})
        )
    },
    "numpy": {
        "version": _maybe(_NAME),
        "path": _maybe(_PATH),
        "error": _maybe(_ERROR),
        "own_error": _maybe(_ERROR),
        "files": _list(_PATH),
    },
    "cuda": {
        "available": _flag,
        "count": _count,
        "error": _maybe(_ERROR),
        "warnings": _list(_LONG),
        "archs": _list(_NAME),
    },
    "device": {
        "index": _count,
        "name": _maybe(_NAME),
        "compute_capability": _maybe(_NAME),
        "memory": _maybe(_NUMBER),
    },
    "cudnn": {"version": _maybe(_NUMBER)},
    "kernel": {"index": _count, "kernel": _NAME, "seconds": _seconds},
    "device_done": {"index": _count, "passed": _flag, "error": _maybe(_ERROR), "seconds": _seconds},
    "nccl": {"version": _maybe(_NAME)},
    "shadowed": {"libraries": _list(_struct({"name": _NAME, "path": _PATH, "instead": _PATH}))},
    "driver": {
        "library": _flag,
        "library_error": _maybe(_ERROR),
        "path": _maybe(_PATH),
        "cuda": _maybe(_NUMBER),
        "init": _maybe(_NUMBER),
    },
    "all_reduce": {
        "passed": _flag,
        "devices": _list(_count, MOST_DEVICES),
        "error": _maybe(_ERROR),
        "seconds": _seconds,
    },
    "files": {"opened": _mapping(_maybe(_NAME))},
    "nvml": {"error": _maybe(_ERROR), "code": _maybe(_NUMBER), "devices": _list(_struct(_DEVICE), MOST_DEVICES)},
    "kernel_log": {"lines": _maybe(_list(_PATH))},
}
