# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the filter torch_build, merged and validated. Private to hpc.pytorch."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.versions import is_version, key, major_minor
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.gpus import capability
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.model import PLATFORMS, SOURCES, Tables

NAMES = ("gpus", "driver", "cuda", "python", "glibc", "source", "torch", "platform")


@dataclasses.dataclass(frozen=True)
class Constraints:
    """The constraints on a build; None and empty for no constraint.

    :arg gpus: pairs of the names given for a capability, and the capability: ``("titan-v, v100", "7.0")``.
    :arg driver: the oldest driver of the nodes.
    :arg newest_driver: the newest one, where several are given.
    """

    gpus: tuple[tuple[str, str], ...] = ()
    driver: str | None = None
    newest_driver: str | None = None
    cuda: str | None = None
    python: str | None = None
    glibc: str | None = None
    source: str | None = None
    torch: str | None = None
    platform: str = PLATFORMS[0]

    def __str__(self) -> str:
        parts = ["GPU %s" % gpu_text(gpu) for gpu in self.gpus]
        parts += [
            "%s %s" % (name, getattr(self, name))
            for name in ("driver", "cuda", "python", "glibc", "source", "torch")
            if getattr(self, name)
        ]
        parts += ["platform %s" % self.platform] if self.platform != PLATFORMS[0] else []
        return ", ".join(parts) or "no constraint"


def gpu_text(gpu: tuple[str, str]) -> str:
    """Return a GPU for a message: ``titan-v (7.0)``, or the capability alone if that was given."""
    return gpu[0] if gpu[0] == gpu[1] else "%s (%s)" % gpu


def merged(value: t.Any, keywords: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the filter's input and its keywords as one mapping.

    ``merged(["v100"], {"gpus": "h100", "cuda": "12.6"})`` is ``{"gpus": ["v100", "h100"], "cuda": "12.6"}``.

    :raises UserError: both have another value for one option.
    """
    if value is None or isinstance(value, (str, list, tuple)):
        value = {"gpus": value}
    if not isinstance(value, t.Mapping):
        raise UserError("a mapping of constraints, or a list of GPU types", repr(value), "correct the filter's input")
    result: dict[str, t.Any] = {}
    for name in [*value, *(name for name in keywords if name not in value)]:
        one, other = _given(value.get(name)), _given(keywords.get(name))
        if name == "gpus":
            result[name] = _listed(one) + _listed(other)
        elif one is not None and other is not None and one != other:
            raise UserError("one value for %s" % name, "%r and %r" % (one, other), "give it once")
        else:
            result[name] = one if one is not None else other
    return result


def _given(value: t.Any) -> t.Any:
    """Return None for a value that asks for nothing."""
    return None if value in ("", [], {}) else value


def _listed(value: t.Any) -> list[t.Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]


def constraints(values: t.Mapping[str, t.Any], tables: Tables) -> Constraints:
    """Return the constraints in *values*, of which None and empty values ask for nothing.

    :raises UserError: a name or a value is wrong.
    """
    unknown = sorted(str(name) for name in values if name not in NAMES)
    if unknown:
        raise UserError("a constraint among %s" % ", ".join(NAMES), ", ".join(unknown), "correct or remove it")
    given = {str(name): value for name, value in values.items() if value is not None and value != "" and value != []}
    return Constraints(
        gpus=_gpus(given.get("gpus"), tables),
        driver=_one_of(min, given, "driver", "550.54.15"),
        newest_driver=_one_of(max, given, "driver", "550.54.15"),
        cuda=_release(given, "cuda", "12.6"),
        python=_release(given, "python", "3.11"),
        glibc=_one_of(min, given, "glibc", "2.28"),
        source=_source(given),
        torch=_pin(given),
        platform=platform_of(values),
    )


def platform_of(values: t.Mapping[str, t.Any]) -> str:
    """Return the platform in *values*, by default the first one that there is data about.

    :raises UserError: there is no data about it.
    """
    platform = values.get("platform") or PLATFORMS[0]
    if platform not in PLATFORMS:
        raise UserError(
            "platform to be %s, the only ones that there is data about" % " or ".join(PLATFORMS),
            str(platform),
            "declare the packages of that env yourself (torch_env_packages, torch_env_pip)",
        )
    return str(platform)


def _gpus(value: t.Any, tables: Tables) -> tuple[tuple[str, str], ...]:
    if value is None:
        return ()
    by_capability: dict[str, set[str]] = {}
    for name in value:
        by_capability.setdefault(capability(name, tables), set()).add(str(name))
    # The order of the input decides nothing, not even in a message.
    pairs = ((", ".join(sorted(names - {number} or names)), number) for number, names in by_capability.items())
    return tuple(sorted(pairs, key=lambda gpu: key(gpu[1])))


def _version(given: t.Mapping[str, t.Any], name: str, example: str) -> str | None:
    value = given.get(name)
    if value is None:
        return None
    if not is_version(value):
        remedy = "put quotes around it, or 3.10 becomes 3.1" if isinstance(value, (int, float)) else "correct it"
        raise UserError('%s to be text such as "%s"' % (name, example), repr(value), remedy)
    return str(value)


def _one_of(which: t.Callable[..., t.Any], given: t.Mapping[str, t.Any], name: str, example: str) -> str | None:
    """Return the lowest (``min``) or highest (``max``) of one or several versions."""
    values = given.get(name)
    if not isinstance(values, (list, tuple)):
        return _version(given, name, example)
    versions = [_version({name: value}, name, example) for value in values]
    return t.cast("str | None", which((version for version in versions if version), key=key, default=None))


def _release(given: t.Mapping[str, t.Any], name: str, example: str) -> str | None:
    """Return the first two numbers of a version."""
    value = _version(given, name, example)
    if value is not None and "." not in value:
        raise UserError('%s to have a minor version, such as "%s"' % (name, example), value, "add the minor version")
    return major_minor(value) if value is not None else None


def _source(given: t.Mapping[str, t.Any]) -> str | None:
    value = given.get("source")
    if value is not None and value not in SOURCES:
        raise UserError("source to be %s" % " or ".join(SOURCES), repr(value), "correct or remove it")
    return str(value) if value is not None else None


def _pin(given: t.Mapping[str, t.Any]) -> str | None:
    value = given.get("torch")
    if value is None:
        return None
    match = re.fullmatch(r"(?:==?)?(\d+(?:\.\d+){0,3}?)(?:\.\*)?", value, re.ASCII) if isinstance(value, str) else None
    if not match:
        remedy = "put quotes around it" if isinstance(value, (int, float)) else "name one version or one series"
        raise UserError('torch to be text such as "2.13.0", "2.13" or "2.13.*"', repr(value), remedy)
    return match.group(1)
