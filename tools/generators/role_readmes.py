# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of variables in a role's README, from its argument_specs and defaults.

A README takes part if it has the marks of the block ``variables``. A row has the first paragraph of the description.
For a computed default, the sentence of the description that begins with "By default" is the column of defaults.
"""

from __future__ import annotations

import pathlib
import re
import typing as t

import yaml

ROLES = pathlib.Path(__file__).resolve().parents[2] / "roles"
HEAD = "| variable | default | description |\n|---|---|---|\n"

_MARKUP = re.compile(r"\b(?:[CVOBI]|RV|M)\((?:ignore:)?([^)]*)\)|\bP\(([^)#]*)#[^)]*\)")
_BY_DEFAULT = re.compile(r"(?:^| )By default,? ([^\n]+?)\.(?= [A-Z`]|$)")


def outputs(current: t.Callable[[str], str], block: t.Callable[[str, str, str], str]) -> dict[str, str]:
    """The README of each role that has the marks."""
    written = {}
    for folder in sorted(ROLES.iterdir()):
        path = "roles/%s/README.md" % folder.name
        if ">>> generated: variables" not in current(path):
            continue
        specs = yaml.safe_load(current("roles/%s/meta/argument_specs.yml" % folder.name))["argument_specs"]
        defaults = yaml.safe_load(current("roles/%s/defaults/main.yml" % folder.name)) or {}
        written[path] = block(current(path), "variables", table(specs, defaults))
    return written


def table(specs: t.Mapping[str, t.Any], defaults: t.Mapping[str, t.Any]) -> str:
    """One row for each variable: those of main, then those that only another entry point has."""
    rows: dict[str, str] = {}
    for entry, spec in sorted(specs.items(), key=lambda item: item[0] != "main"):
        for name, option in spec.get("options", {}).items():
            rows.setdefault(name, row(name, option, defaults, "" if entry == "main" else "Entry point `%s`: " % entry))
    return HEAD + "".join(rows.values())


def row(name: str, option: t.Mapping[str, t.Any], defaults: t.Mapping[str, t.Any], prefix: str) -> str:
    """``| `name` | `default` | description |``"""
    described = option["description"]
    text = plain(described if isinstance(described, str) else described[0])
    value = defaults.get(name, option.get("default"))
    computed = _BY_DEFAULT.search(text)
    if computed and (value is None or "{{" in str(value)):
        text = (text[: computed.start()] + text[computed.end() :]).strip()
        default = computed.group(1)
    else:
        default = shown(value)
    if prefix:
        text = prefix + text[:1].lower() + text[1:]
    return "| `%s` | %s | %s |\n" % (name, default, text.replace("|", "\\|"))


def plain(text: str) -> str:
    """Ansible's markup as Markdown: ``plain("C(a), O(b=c) and P(d.e#filter)")`` is "`a`, `b=c` and `d.e`"."""
    folded = " ".join(text.split())
    return _MARKUP.sub(lambda match: "`%s`" % (match.group(1) or match.group(2)), folded)


def shown(value: t.Any) -> str:
    """A default as the table shows it: ``shown(["a", "b"])`` is "`[a, b]`", and an empty text is "empty"."""
    if value is None:
        return "unset"
    if value == "":
        return "empty"
    if isinstance(value, bool):
        return "`%s`" % str(value).lower()
    if isinstance(value, list):
        return "`[%s]`" % ", ".join(map(str, value))
    return "`%s`" % value
