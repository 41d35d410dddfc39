# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts that repeat options of sbatch_script: its documentation, and the role job_script.

The options of sbatch come from ``_slurm/sbatch/table.py``, the others from the module's DOCUMENTATION, the role's
defaults from ``defaults/main.yml``. role_readmes.py writes the role's README from its argument specs.
"""

from __future__ import annotations

import ast
import re
import textwrap
import typing as t

import yaml

MODULE = "plugins/modules/sbatch_script.py"
ROLE = "roles/job_script/"
PREFIX = "job_script_"
WIDTH = 120
# Options whose line in the role's task is written by hand: the role adds its example to the files.
BY_HAND = ("files",)

Doc = t.Dict[str, t.Any]


def outputs(current: t.Callable[[str], str], block: t.Callable[[str, str, str], str]) -> dict[str, str]:
    """The module, and the files of the role."""
    from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch import table

    module = block(current(MODULE), "options of sbatch", entries({one.name: row(one) for one in table.OPTIONS}, 2))
    options = documentation(module)["options"]
    defaults = yaml.safe_load(current(ROLE + "defaults/main.yml"))
    specs = block(
        current(ROLE + "meta/argument_specs.yml"),
        "options of sbatch_script",
        entries({PREFIX + name: of_role(name, option, defaults) for name, option in options.items()}, 6),
    )
    tasks = block(
        current(ROLE + "tasks/write.yml"),
        "options of sbatch_script",
        "\n".join(
            '    %s: "{{ %s%s | default(omit) }}"' % (name, PREFIX, name) for name in options if name not in BY_HAND
        ),
    )
    return {
        MODULE: module,
        ROLE + "meta/argument_specs.yml": specs,
        ROLE + "tasks/write.yml": tasks,
    }


def row(option: t.Any) -> Doc:
    """A row of the table as the documentation of an option."""
    found: Doc = {"description": [option.description], "type": option.type}
    if option.choices:
        found["choices"] = list(option.choices)
    return found


def documentation(module: str) -> Doc:
    """The DOCUMENTATION of a module, from its text."""
    for node in ast.parse(module).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "DOCUMENTATION":
            return t.cast(Doc, yaml.safe_load(ast.literal_eval(node.value)))
    raise ValueError("expected DOCUMENTATION in the module")


def of_role(name: str, option: Doc, defaults: Doc) -> Doc:
    """An option of the module as a variable of the role."""
    found = dict(option, description=[_with_prefix(text) for text in option["description"]])
    if PREFIX + name in defaults:
        found["default"] = defaults[PREFIX + name]
        found.pop("required", None)
    if "suboptions" in found:
        inner = found.pop("suboptions")
        found["options"] = {
            key: dict(one, description=[_with_prefix(text) for text in one["description"]])
            for key, one in inner.items()
        }
    return found


def _with_prefix(text: str) -> str:
    """``O(kind=array)`` is ``C(job_script_kind: array)``: a role's documentation knows no options of a module."""
    return re.sub(
        r"O\((\w+)(?:=([^)]*))?\)",
        lambda match: "C(%s%s%s)" % (PREFIX, match[1], ": " + match[2] if match[2] else ""),
        text,
    )


def entries(options: t.Mapping[str, Doc], indent: int) -> str:
    """Options as YAML, as it is written by hand."""
    lines = list(_mapping(options, indent))
    assert yaml.safe_load("\n".join(lines)) == options, "the text does not read as what it was written from"
    return "\n".join(lines)


def _mapping(given: t.Mapping[str, t.Any], indent: int) -> t.Iterator[str]:
    for key, value in given.items():
        if isinstance(value, dict):
            yield "%s%s:" % (" " * indent, key)
            yield from _mapping(value, indent + 2)
        elif isinstance(value, list):
            yield "%s%s:" % (" " * indent, key)
            for item in value:
                yield from _scalar("%s- " % (" " * (indent + 2)), item)
        else:
            yield from _scalar("%s%s: " % (" " * indent, key), value)


def _scalar(start: str, value: t.Any) -> list[str]:
    """A value after *start*, over several lines where it is long."""
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif not isinstance(value, str):
        text = str(value)
    else:
        text = value
        if ": " in value or " #" in value or value[:1] in "'\"[]{}#&*!|>%@`-?:," or yaml.safe_load(value) != value:
            text = "'%s'" % value.replace("'", "''") if " " in value else '"%s"' % value
    more = " " * (len(start) - len(start.lstrip()) + 2)
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=start,
        subsequent_indent=more,
        break_long_words=False,
        break_on_hyphens=False,
    )
