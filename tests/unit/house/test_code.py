# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules for code in CONTRIBUTING.md that no linter knows: imports, layers, circles, rooms, commands."""

from __future__ import annotations

import ast
import pathlib
import re
import sys
import typing as t

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
PLUGINS = CHECKOUT / "plugins"
FILES = sorted(path.relative_to(PLUGINS) for path in PLUGINS.rglob("*.py"))
ON_THE_TARGET = [path for path in FILES if path.parts[0] in ("modules", "module_utils")]

# A package may import those of lower floors, and itself.
FLOORS = {"_common": 0, "_gpu": 1, "_cuda": 1, "_shell": 1, "_slurm": 2, "_torch": 3, "_conda": 3, "_channel": 4}

# What code on the target may import of Ansible, next to the modules' own module_utils.
OF_ANSIBLE = {"ansible.module_utils.basic", "ansible.module_utils.common.respawn", "ansible.module_utils.urls"}
# There only in the engine's venv or in the env that is checked, so imported inside functions.
OF_AN_ENGINE = {"backports", "compression", "conda_package_streaming", "packaging", "rattler", "torch", "yaml"}

COLLECTION = "ansible_collections.hpc.pytorch.plugins."
# Next to __init__.py; _common holds small helpers that do not know each other.
MOST_FILES = 12
MOST_HELPERS = 15


def imports(path: pathlib.Path) -> t.Iterator[str]:
    """The dotted names that a plugin imports, its own as ``module_utils._common.errors``, with what ``from`` names."""
    for node in ast.walk(ast.parse((PLUGINS / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.replace(COLLECTION, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = (node.module or "").replace(COLLECTION, "")
            if node.level:
                base = ".".join([*path.parts[: len(path.parts) - node.level], *filter(None, [base])])
            yield from ("%s.%s" % (base, alias.name) for alias in node.names)


def target(name: str) -> pathlib.Path | None:
    """Our file that holds a dotted name: ``_common/errors.py`` for ``_common.errors.UserError``."""
    parts = name.split(".")
    for length in (len(parts), len(parts) - 1):
        path = "/".join(parts[:length])
        for candidate in map(pathlib.Path, (path + ".py", path + "/__init__.py")):
            if candidate in FILES:
                return candidate
    return None


@pytest.mark.parametrize("path", ON_THE_TARGET, ids=str)
def test_the_target_needs_the_standard_library_and_few_parts_of_ansible(path: pathlib.Path) -> None:
    foreign: set[str] = set()
    for name in imports(path):
        top = name.partition(".")[0]
        if top == "ansible":
            foreign.update({name} if not any(name.startswith(part + ".") for part in OF_ANSIBLE) else ())
        elif top not in {*sys.stdlib_module_names, "module_utils", "__future__"} | OF_AN_ENGINE:
            foreign.add(name)
    assert foreign == set()


@pytest.mark.parametrize("path", [path for path in FILES if path.parts[0] == "module_utils"], ids=str)
def test_a_package_imports_only_lower_floors(path: pathlib.Path) -> None:
    mine = path.parts[1]
    others = {name.split(".")[1] for name in imports(path) if name.startswith("module_utils.")} - {mine}
    assert {other for other in others if FLOORS[other] >= FLOORS[mine]} == set()


def test_every_package_has_a_floor() -> None:
    assert {path.parts[1] for path in FILES if path.parts[0] == "module_utils"} <= set(FLOORS)


def test_imports_have_no_circle() -> None:
    arrows = {path: {found for found in map(target, imports(path)) if found and found != path} for path in FILES}
    while True:
        ends = {path for path, led in arrows.items() if not led}
        if not ends:
            break
        arrows = {path: led - ends for path, led in arrows.items() if path not in ends}
    # What is left leads into a circle; without those that nobody in it imports, it is the circle.
    while True:
        inner = {path: led for path, led in arrows.items() if any(path in other for other in arrows.values())}
        if len(inner) == len(arrows):
            break
        arrows = inner
    assert sorted(map(str, arrows)) == []


# Ansible looks for all modules in one folder.
@pytest.mark.parametrize("folder", sorted({path.parent for path in FILES} - {pathlib.Path("modules")}), ids=str)
def test_a_room_is_small(folder: pathlib.Path) -> None:
    files = [path for path in FILES if path.parent == folder and path.name != "__init__.py"]
    assert len(files) <= (MOST_HELPERS if folder.name == "_common" else MOST_FILES)


def test_commands_are_argument_lists() -> None:
    weak = re.compile(r"shell=True|os\.system\(|os\.popen\(|use_unsafe_shell")
    assert [str(path) for path in FILES if weak.search((PLUGINS / path).read_text(encoding="utf-8"))] == []


def test_a_module_ends_in_one_place() -> None:
    """Only ``_common/exit.py`` turns a UserError into ``fail_json``."""
    ends = [path for path in ON_THE_TARGET if "fail_json(**" in (PLUGINS / path).read_text(encoding="utf-8")]
    assert [str(path) for path in ends] == ["module_utils/_common/exit.py"]
