# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a build, validated. Private to hpc.pytorch."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.versions import is_version, key, major_minor
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.gpus import capability
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.model import SOURCES, Tables

PLATFORM = "linux-64"
NAMES = ("gpus", "driver", "cuda", "python", "source", "torch", "platform")


@dataclasses.dataclass(frozen=True)
class Constraints:
    """None and empty: anything goes. *gpus* are pairs: the names given for a capability, and the capability."""

    gpus: tuple[tuple[str, str], ...] = ()
    driver: str | None = None
    cuda: str | None = None
    python: str | None = None
    source: str | None = None
    torch: str | None = None

    def __str__(self) -> str:
        parts = ["GPU %s" % gpu_text(gpu) for gpu in self.gpus]
        parts += [
            "%s %s" % (name, getattr(self, name))
            for name in ("driver", "cuda", "python", "source", "torch")
            if getattr(self, name)
        ]
        return ", ".join(parts) or "no constraint"


def gpu_text(gpu: tuple[str, str]) -> str:
    """titan-v (7.0), or just the capability where that was given."""
    return gpu[0] if gpu[0] == gpu[1] else "%s (%s)" % gpu


def constraints(values: t.Mapping[str, t.Any], tables: Tables) -> Constraints:
    """The validated constraints in *values*; None and empty text mean that nothing is asked."""
    unknown = sorted(str(name) for name in values if name not in NAMES)
    if unknown:
        raise UserError("constraints %s" % ", ".join(NAMES), ", ".join(unknown), "correct or remove it")
    given = {str(name): value for name, value in values.items() if value is not None and value != "" and value != []}
    platform = given.get("platform", PLATFORM)
    if platform != PLATFORM:
        raise UserError(
            "platform %s, the only one that there is data about" % PLATFORM,
            str(platform),
            "declare the packages of that env yourself (torch_env_packages, torch_env_pip)",
        )
    return Constraints(
        gpus=_gpus(given.get("gpus"), tables),
        driver=_oldest(given, "driver", "550.54.15"),
        cuda=_release(given, "cuda", "12.6"),
        python=_release(given, "python", "3.11"),
        source=_source(given),
        torch=_pin(given),
    )


def _gpus(value: t.Any, tables: Tables) -> tuple[tuple[str, str], ...]:
    if value is None:
        return ()
    by_capability: dict[str, set[str]] = {}
    for name in value:
        by_capability.setdefault(capability(name, tables), set()).add(str(name))
    # The order that they were given in decides nothing, not even a message.
    pairs = ((", ".join(sorted(names - {number} or names)), number) for number, names in by_capability.items())
    return tuple(sorted(pairs, key=lambda gpu: key(gpu[1])))


def _version(given: t.Mapping[str, t.Any], name: str, example: str) -> str | None:
    value = given.get(name)
    if value is None:
        return None
    if not is_version(value):
        remedy = "put quotes around it, or 3.10 becomes 3.1" if isinstance(value, (int, float)) else "correct it"
        raise UserError('%s as text such as "%s"' % (name, example), repr(value), remedy)
    return str(value)


def _oldest(given: t.Mapping[str, t.Any], name: str, example: str) -> str | None:
    """Of several nodes' versions the lowest."""
    values = given.get(name)
    if not isinstance(values, (list, tuple)):
        return _version(given, name, example)
    versions = (_version({name: value}, name, example) for value in values)
    return min((version for version in versions if version), key=key, default=None)


def _release(given: t.Mapping[str, t.Any], name: str, example: str) -> str | None:
    """A version of which major.minor counts."""
    value = _version(given, name, example)
    if value is not None and "." not in value:
        raise UserError('%s with its minor version such as "%s"' % (name, example), value, "add the minor version")
    return major_minor(value) if value is not None else None


def _source(given: t.Mapping[str, t.Any]) -> str | None:
    value = given.get("source")
    if value is not None and value not in SOURCES:
        raise UserError("source %s" % " or ".join(SOURCES), repr(value), "correct or remove it")
    return str(value) if value is not None else None


def _pin(given: t.Mapping[str, t.Any]) -> str | None:
    value = given.get("torch")
    if value is None:
        return None
    match = re.fullmatch(r"(?:==?)?(\d+(?:\.\d+){0,3}?)(?:\.\*)?", value, re.ASCII) if isinstance(value, str) else None
    if not match:
        remedy = "put quotes around it" if isinstance(value, (int, float)) else "name one version or one series"
        raise UserError('torch as text such as "2.13.0", "2.13" or "2.13.*"', repr(value), remedy)
    return match.group(1)
