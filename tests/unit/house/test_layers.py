# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rooms of plugins/: which side and which package may import which, no circles, and names that tell modules apart."""

from __future__ import annotations

import ast
import collections
import pathlib
import typing as t

import pytest

PLUGINS = pathlib.Path(__file__).resolve().parents[3] / "plugins"
PACKAGE = "ansible_collections.hpc.pytorch.plugins"
# What runs on the target, what runs on the controller, and the entry points; each may import those before it.
SIDES = (
    ("module_utils",),
    ("plugin_utils",),
    ("modules", "action", "callback", "connection", "doc_fragments", "filter", "inventory", "test"),
)
# A package of module_utils may import those of lower floors, and itself.
FLOORS = {
    "_common": 0,
    "_files": 1,
    "_source": 2,
    "_gpu": 2,
    "_cuda": 2,
    "_host": 2,
    "_shell": 2,
    "_users": 2,
    "_node": 3,
    "_slurm": 3,
    "_guide": 4,
    "_page_run": 4,
    "_torch": 4,
    "_conda": 4,
    "_channel": 5,
    "_user_tools": 5,
    "_site": 6,
    "_jupyter": 6,
}
# Names that modules of one package share, with the reason.
SAME_NAME = {
    ("_conda", "declare"): "the work of a module: for an environment, an installer and old versions",
    ("_conda", "engine"): "the engine of each kind",
    ("_conda", "find"): "finds the engine of each kind",
    ("_conda", "request"): "what a module is asked for: an environment, an installer",
    ("_conda", "store"): "the versions on disk: of the installer, and of environments to prune",
    ("_slurm", "declare"): "the work of a module: a job, a job script",
    ("_torch", "kernels"): "the probe runs the kernels, the diagnosis judges them",
}


def modules() -> dict[str, pathlib.Path]:
    """Every module in plugins/ by its name, such as ``module_utils._slurm.client``."""
    paths = sorted(PLUGINS.rglob("*.py"))
    return {".".join(path.relative_to(PLUGINS).with_suffix("").parts): path for path in paths}


MODULES = modules()


def imported(name: str, tree: ast.AST) -> set[str]:
    """Our own modules that module *name* imports, also within functions."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = (PACKAGE + "." + name).split(".")[: -node.level]
                base = ".".join(parts + ([node.module] if node.module else []))
            found |= {base} | {base + "." + alias.name for alias in node.names}
    ours = {text[len(PACKAGE) + 1 :] for text in found if text.startswith(PACKAGE + ".")}
    return {module for module in ours if module in MODULES}


IMPORTS = {name: imported(name, ast.parse(path.read_text(encoding="utf-8"))) for name, path in MODULES.items()}


def side(name: str) -> int:
    """The number of a module's side in SIDES."""
    return next(number for number, folders in enumerate(SIDES) if name.split(".")[0] in folders)


def room(name: str) -> str:
    """The folder of a module within its package; a module that is directly in the package is a room of its own."""
    parts = name.split(".")
    return ".".join(parts[:3]) if len(parts) > 3 else name


def circle(arrows: t.Mapping[str, t.Collection[str]]) -> list[str]:
    """The first circle in a graph, empty if there is none: ``{"a": {"b"}, "b": {"a"}}`` gives ``["a", "b", "a"]``."""
    done: set[str] = set()

    def search(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name not in done:
            for other in sorted(arrows.get(name, ())):
                found = search(other, [*path, name])
                if found:
                    return found
            done.add(name)
        return []

    return next((found for found in (search(name, []) for name in sorted(arrows)) if found), [])


def same_names() -> dict[tuple[str, str], list[str]]:
    """Names that two or more modules of one package share, with those modules."""
    found: dict[tuple[str, str], list[str]] = collections.defaultdict(list)
    for name in MODULES:
        parts = name.split(".")
        if len(parts) > 2 and parts[0] in ("module_utils", "plugin_utils"):
            found[parts[1], parts[-1]].append(name)
    return {key: names for key, names in found.items() if len(names) > 1}


def test_imports_are_read() -> None:
    tree = ast.parse("from ..model import hostlist\nfrom ..poll import Stop\ndef f():\n    from . import record\n")
    assert imported("module_utils._slurm.job.wait", tree) == {
        "module_utils._slurm.model.hostlist",
        "module_utils._slurm.poll",
        "module_utils._slurm.job.record",
    }


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_its_own_side_and_those_before(name: str) -> None:
    assert [other for other in IMPORTS[name] if side(other) > side(name)] == []


@pytest.mark.parametrize("name", MODULES)
def test_an_entry_point_is_imported_by_nothing_but_the_action_of_its_module(name: str) -> None:
    entry_points = {other for other in IMPORTS[name] if side(other) == len(SIDES) - 1}
    # An action reads the argument spec of its module.
    assert entry_points <= {name.replace("action.", "modules.")} - {name}


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("module_utils.")])
def test_a_package_imports_only_lower_floors(name: str) -> None:
    mine = name.split(".")[1]
    others = {other.split(".")[1] for other in IMPORTS[name]} - {mine}
    assert {other for other in others if FLOORS[other] >= FLOORS[mine]} == set()


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle(IMPORTS) == []


def test_no_rooms_import_each_other_in_a_circle() -> None:
    arrows: dict[str, set[str]] = collections.defaultdict(set)
    for name, others in IMPORTS.items():
        arrows[room(name)] |= {room(other) for other in others} - {room(name)}
    assert circle(arrows) == []


def test_modules_of_a_package_share_a_name_only_with_a_reason() -> None:
    assert {key: names for key, names in same_names().items() if key not in SAME_NAME} == {}


def test_no_reason_outlives_the_names_that_it_explains() -> None:
    assert set(SAME_NAME) <= set(same_names())
