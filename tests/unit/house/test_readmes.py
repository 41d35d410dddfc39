"""The tables of variables in the roles' READMEs say what argument_specs and defaults say."""

from __future__ import annotations

import importlib.util
import pathlib
import re

import pytest
import yaml

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
ROLES = sorted(path.name for path in (CHECKOUT / "roles").iterdir())


def load(role, path):
    return yaml.safe_load((CHECKOUT / "roles" / role / path).read_text(encoding="utf-8")) or {}


def generator():
    spec = importlib.util.spec_from_file_location("role_readmes", CHECKOUT / "tools/generators/role_readmes.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows(role):
    """Variable to the column of defaults (if there is one), for every row that begins with names of variables."""
    found = {}
    for line in (CHECKOUT / "roles" / role / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) > 1 and re.fullmatch(r"`\w+`(, `\w+`)*", cells[0]):
            found.update(dict.fromkeys(re.findall(r"`(\w+)`", cells[0]), cells[1] if len(cells) > 2 else ""))
    return found


def options(role):
    found = {}
    for entry in load(role, "meta/argument_specs.yml")["argument_specs"].values():
        found.update(entry.get("options", {}))
    return found


@pytest.mark.parametrize("role", ROLES)
def test_each_variable_has_a_row(role):
    assert sorted(set(options(role)) - set(rows(role))) == []


@pytest.mark.parametrize("role", ROLES)
def test_a_default_in_a_row_is_the_roles_default(role):
    shown, table = generator().shown, rows(role)
    differing = {}
    for name, value in load(role, "defaults/main.yml").items():
        written = table.get(name)
        if written is None or "{{" in str(value):
            continue
        # Words instead of a value are for a person to compare.
        if written != shown(value) and (re.fullmatch("`[^`]*`", written) or written in ("empty", "unset")):
            differing[name] = (written, shown(value))
    assert differing == {}


def test_a_row_of_a_computed_default_takes_it_from_the_description():
    made = generator().table(
        {
            "prune": {
                "options": {"a": {"description": "No."}, "c": {"description": "Whether to C(x | y).", "type": "bool"}}
            },
            "main": {
                "options": {
                    "a": {"description": "Folder. By default C(envs) below O(b). More."},
                    "b": {"description": ["See P(d.e#filter).", "Not shown."], "default": []},
                }
            },
        },
        {"a": "{{ b }}/envs", "c": False},
    )
    assert made.splitlines()[2:] == [
        "| `a` | `envs` below `b` | Folder. More. |",
        "| `b` | `[]` | See `d.e`. |",
        "| `c` | `false` | Entry point `prune`: whether to `x \\| y`. |",
    ]
