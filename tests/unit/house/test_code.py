# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for code that no linter knows: what the target may import, rooms, commands. Layers: test_layers.py."""

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

# What code on the target may import of Ansible, next to the modules' own module_utils.
OF_ANSIBLE = {"ansible.module_utils.%s" % part for part in ("basic", "common.arg_spec", "common.respawn", "urls")}
# There only in the engine's venv or in the env that is checked, so imported inside functions.
OF_AN_ENGINE = {
    "backports",
    "compression",
    "ipykernel",
    "packaging",
    "rattler",
    "torch",
    "yaml",
    "zmq",
}

COLLECTION = "ansible_collections.hpc.pytorch.plugins."
# Next to __init__.py.
MOST_FILES = 12


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


# Ansible looks for all modules in one folder, and for all actions and all filters.
ONE_FOLDER = {pathlib.Path("modules"), pathlib.Path("action"), pathlib.Path("filter")}


@pytest.mark.parametrize("folder", sorted({path.parent for path in FILES} - ONE_FOLDER), ids=str)
def test_a_room_is_small(folder: pathlib.Path) -> None:
    files = [path for path in FILES if path.parent == folder and path.name != "__init__.py"]
    assert len(files) <= MOST_FILES


def test_commands_are_argument_lists() -> None:
    weak = re.compile(r"shell=True|os\.system\(|os\.popen\(|use_unsafe_shell")
    assert [str(path) for path in FILES if weak.search((PLUGINS / path).read_text(encoding="utf-8"))] == []


def test_commands_are_started_in_one_place() -> None:
    """``_common/process.py``, with the one exemption from a test of ansible-test, which asks for run_command."""
    other = re.compile(r"\bos\.(?:exec|spawn|posix_spawn|popen|system)|create_subprocess|disable=ansible-bad-function")
    found = {
        path.as_posix()
        for path in FILES
        if any(name.partition(".")[0] in ("subprocess", "_posixsubprocess", "pty") for name in imports(path))
        or other.search((PLUGINS / path).read_text(encoding="utf-8"))
    }
    # The child in run.py becomes the Python that it checks; that of backend.py becomes srun, tied to its parent.
    children = {"module_utils/_torch/run.py", "module_utils/_jupyter/launcher/backend.py"}
    assert found == {"module_utils/_common/process.py", *children}


@pytest.mark.parametrize("path", ON_THE_TARGET, ids=str)
def test_code_on_the_target_neither_prints_nor_calls_sys_exit(path: pathlib.Path) -> None:
    """ansible-test takes both for a module that does not end by exit_json. A program writes, and raises SystemExit."""
    tree = ast.parse((PLUGINS / path).read_text(encoding="utf-8"))
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not called & {"print", "sys.exit", "exit", "quit"}


def test_a_module_ends_in_one_place() -> None:
    """Only ``_common/exit.py`` turns a UserError into ``fail_json``."""
    ends = [path for path in ON_THE_TARGET if "fail_json(**" in (PLUGINS / path).read_text(encoding="utf-8")]
    assert [str(path) for path in ends] == ["module_utils/_common/exit.py"]


# lines.py names it in a comment; pip_line.py reads what pip will read, and pip cuts so.
CUT_OTHERWISE = ("lines.py", "pip_line.py")


@pytest.mark.parametrize("path", [path for path in FILES if path.name not in CUT_OTHERWISE], ids=str)
def test_lines_are_cut_at_a_line_feed_alone(path: pathlib.Path) -> None:
    # str.splitlines cuts at U+2028 and seven others too, which a value of another user's may contain: see lines.py.
    assert ".splitlines(" not in (PLUGINS / path).read_text(encoding="utf-8")
