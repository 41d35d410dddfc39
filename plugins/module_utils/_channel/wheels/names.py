# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Translates a wheel's metadata for conda: names, versions, dependencies, commands. No I/O. Private to hpc.pytorch.

``packaging`` is in the engine's venv, so it is imported in the functions.
"""

from __future__ import annotations

import configparser
import re
import typing as t

from ..._common.errors import UserError

# Projects with another name on conda-forge than on the package index, so that an environment's specs fit both channels.
# Source: conda-forge's own recipes, https://github.com/conda-forge/NAME-feedstock for each name on the right.
CONDA_NAMES = {
    "build": "python-build",
    "docker": "docker-py",
    "duckdb": "python-duckdb",
    "flatbuffers": "python-flatbuffers",
    "graphviz": "python-graphviz",
    "msgpack": "msgpack-python",
    "tables": "pytables",
    "torch": "pytorch",
    "typing-extensions": "typing_extensions",
    "tzdata": "python-tzdata",
    "xxhash": "python-xxhash",
}

_LEGACY_MANYLINUX = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_MANYLINUX = re.compile(r"^manylinux_(\d+)_(\d+)_")
_SHEBANG_SAFE = re.compile(r"^[A-Za-z0-9_.+-]+$")


def normal_name(name: str) -> str:
    """The index's normal form of a project name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def conda_name(name: str, names: t.Mapping[str, str] | None = None) -> str:
    """The name of the project's package: ``conda_name("torch")`` is ``"pytorch"``.

    :arg names: exceptions of the caller, which take precedence over :data:`CONDA_NAMES`.
    """
    normal = normal_name(name)
    return dict(CONDA_NAMES, **{normal_name(key): value for key, value in (names or {}).items()}).get(normal, normal)


def conda_version(version: str) -> str:
    """The normalised PEP 440 version, with its local part. conda orders these the same way."""
    from packaging.version import Version

    return str(Version(version))


def conda_constraint(specifiers: str, chosen: str | None = None) -> str:
    """PEP 440 specifiers as a conda version constraint: ``"~=1.4"`` gives ``">=1.4,1.*"``. Empty means any version.

    :arg chosen: the version that pip chose for this dependency. A specifier without a local part ignores that of the
        version (PEP 440), conda's does not: ``==2.13.0`` must go on accepting ``2.13.0+cpu``.
    """
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    parsed = SpecifierSet(specifiers)
    clauses: list[str] = []
    for clause in sorted(parsed, key=str):
        operator, version = clause.operator, clause.version
        if operator in ("==", "===") and version.endswith(".*"):
            clauses.append(version)
        elif operator == "===":
            clauses.append("==" + version)
        elif operator == "~=":
            release = Version(version).release
            clauses += [">=" + version, ".".join(str(part) for part in release[:-1]) + ".*"]
        else:
            clauses.append(operator + version)
    constraint = ",".join(clauses)
    if constraint and chosen:
        exact = Version(chosen)
        if exact.local and parsed.contains(exact, prereleases=True) and "+" not in constraint:
            if any(clause.operator in ("==", "===", "<=") for clause in parsed):
                constraint += "|==" + str(exact)
    return constraint


class Wheel(t.NamedTuple):
    """One wheel that pip chose."""

    name: str
    version: str
    file_name: str
    url: str
    sha256: str | None
    requires_dist: tuple[str, ...]
    extras: tuple[str, ...]


def conda_depends(
    wheel: Wheel,
    markers: t.Mapping[str, str],
    chosen: t.Mapping[str, Wheel],
    names: t.Mapping[str, str] | None = None,
) -> list[str]:
    """The wheel's run dependencies as sorted match specs, including python and glibc.

    conda has no extras: the packages of a dependency's extra become dependencies of the package that asks for it.

    :arg markers: the marker environment of the channel's interpreter.
    :arg chosen: every wheel of this resolution by its normal name.
    """
    constraints: dict[str, set[str]] = {}
    seen: set[tuple[str, tuple[str, ...]]] = set()
    pending: list[tuple[Wheel, tuple[str, ...], bool]] = [(wheel, wheel.extras, True)]
    while pending:
        current, extras, own = pending.pop()
        for requirement in wanted_requirements(current.requires_dist, extras, markers, own):
            target = normal_name(requirement.name)
            found = chosen.get(target)
            if target != normal_name(wheel.name):
                constraint = conda_constraint(str(requirement.specifier), found.version if found else None)
                constraints.setdefault(conda_name(target, names), set()).add(constraint)
            key = (target, tuple(sorted(requirement.extras)))
            if found and requirement.extras and key not in seen:
                seen.add(key)
                pending.append((found, key[1], target == normal_name(wheel.name)))
    major, minor = (int(part) for part in markers["python_version"].split("."))
    depends = ["python >=%d.%d,<%d.%d.0a0" % (major, minor, major, minor + 1)]
    for name, versions in constraints.items():
        stated = sorted(version for version in versions if version)
        # A comma binds tighter than a bar, so each spec with alternatives is a dependency of its own.
        plain = [version for version in stated if "|" not in version]
        depends += [" ".join((name, version)) for version in stated if "|" in version]
        if plain or not stated:
            depends.append(" ".join([name] + ([",".join(plain)] if plain else [])))
    glibc = glibc_of_tags(wheel.file_name)
    if glibc is not None:
        depends.append("__glibc >={0}.{1}".format(*glibc))
    return sorted(depends)


def wanted_requirements(
    requires_dist: t.Iterable[str], extras: t.Sequence[str], markers: t.Mapping[str, str], own: bool = True
) -> list[t.Any]:
    """The requirements whose marker is true, for the project itself (*own*) or only those that its *extras* add."""
    from packaging.requirements import Requirement

    environment = dict(markers)
    wanted = []
    for text in requires_dist:
        requirement = Requirement(text)
        plain = requirement.marker is None or requirement.marker.evaluate(dict(environment, extra=""))
        by_extra = requirement.marker is not None and any(
            requirement.marker.evaluate(dict(environment, extra=extra)) for extra in extras
        )
        if (plain and own) or (by_extra and not plain):
            wanted.append(requirement)
    return wanted


def glibc_of_tags(file_name: str) -> tuple[int, int] | None:
    """The oldest glibc in the wheel's platform tags: ``(2, 17)`` for ``manylinux_2_17_x86_64``, None for ``any``."""
    versions = []
    for tag in platform_tags(file_name):
        match = _MANYLINUX.match(tag)
        if match:
            versions.append((int(match.group(1)), int(match.group(2))))
        versions += [glibc for prefix, glibc in _LEGACY_MANYLINUX.items() if tag.startswith(prefix + "_")]
    return min(versions) if versions else None


def platform_tags(file_name: str) -> list[str]:
    """The platform tags in a wheel's file name."""
    return file_name[: -len(".whl")].split("-")[-1].split(".")


def entry_point_scripts(text: str) -> dict[str, tuple[str, str]]:
    """Command name to (module, attribute) from ``entry_points.txt``.

    :raises UserError: a name is not a file name, or a target is not a Python name.
    """
    parser = configparser.RawConfigParser(delimiters=("=",), strict=False)
    parser.optionxform = str  # type: ignore[method-assign,assignment]
    parser.read_string(text)
    scripts = {}
    for section in ("console_scripts", "gui_scripts"):
        if not parser.has_section(section):
            continue
        for name, value in parser.items(section):
            target = value.split("[")[0].strip()
            module, _colon, attribute = target.partition(":")
            parts = module.strip().split(".") + attribute.strip().split(".")
            if not _SHEBANG_SAFE.match(name) or name in (".", "..") or not all(part.isidentifier() for part in parts):
                raise UserError(
                    "entry_points.txt to hold entry points such as 'name = module:function'",
                    "'%s = %s'" % (name, value),
                    "report it to the wheel's authors, or leave the wheel out",
                )
            scripts[name] = (module.strip(), attribute.strip())
    return scripts


def entry_point_script(shebang: str, module: str, attribute: str) -> str:
    """The text of a command that calls ``module:attribute``."""
    return (
        "#!{shebang}\n"
        "import sys\n\n"
        "from {module} import {first}\n\n"
        'if __name__ == "__main__":\n'
        "    sys.exit({attribute}())\n"
    ).format(shebang=shebang, module=module, first=attribute.split(".")[0], attribute=attribute)
