# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/guide/variables.md has every variable that a playbook reads, and none that nothing reads.

A playbook with a page of its own, such as docs/me.md, has its options there.
"""

from __future__ import annotations

import functools
import pathlib
import re
import typing as t

import jinja2
import jinja2.meta
import yaml

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
PAGE = "docs/guide/variables.md"
# Ansible's own.
MAGIC = {
    *("groups", "hostvars", "inventory_hostname", "omit", "lookup", "q", "query", "undef", "now", "inventory_dir"),
    *("item", "playbook_dir", "role_path", "group_names", "play_hosts", "inventory_file", "environment"),
}
NAME = re.compile(r"[a-z]\w*")


def files() -> list[pathlib.Path]:
    folder = CHECKOUT / "playbooks"
    skipped = {"inventories"}
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix in (".yml", ".j2") and not skipped & set(path.relative_to(folder).parts)
    )


@functools.lru_cache(maxsize=None)
def role_options() -> frozenset[str]:
    """The options of roles that are named after their role: each role's README has them."""
    found = set()
    for path in (CHECKOUT / "roles").glob("*/meta/argument_specs.yml"):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"].values():
            found.update(name for name in entry.get("options", {}) if not name.startswith("hpc_"))
    return frozenset(found)


class Found:
    """The variables that templates in some YAML read, and those that it sets itself."""

    def __init__(self) -> None:
        # Ansible's filters and tests are unknown here, and any will do.
        self.environment = jinja2.Environment(autoescape=False)
        self.read: set[str] = set()
        self.made: set[str] = set()

    def template(self, text: str) -> None:
        # A backslash in a pattern is a warning where Python reads the text.
        text = text.replace("\\", "/")
        text = re.sub(r"\|\s*[\w.]+", "", re.sub(r"\bis (not )?[\w.]+", "", text))
        self.read |= jinja2.meta.find_undeclared_variables(self.environment.parse(text))

    def value(self, value: t.Any, bare: bool = False) -> None:
        """:param bare: whether a text is an expression, as in ``when``."""
        if isinstance(value, str):
            if bare and "{{" not in value:
                self.template("{{ %s }}" % value)
            elif "{{" in value or "{%" in value:
                self.template(value)
        elif isinstance(value, list):
            for part in value:
                self.value(part, bare)
        elif isinstance(value, dict):
            for key, part in value.items():
                if key in ("vars", "ansible.builtin.set_fact") and isinstance(part, dict):
                    self.made |= set(part)
                elif key in ("register", "loop_var", "index_var") and isinstance(part, str):
                    self.made.add(part)
                # What depends on a variable being defined reads it: "x is defined" leaves x.
                self.value(part, key in ("when", "that", "until", "failed_when", "changed_when"))


def own_variables() -> set[str]:
    found = Found()
    for path in files():
        text = path.read_text(encoding="utf-8")
        found.template(text) if path.suffix == ".j2" else found.value(yaml.safe_load(text))
    made = found.made | MAGIC
    return {
        name for name in found.read - made - role_options() if NAME.fullmatch(name) and not name.startswith("ansible_")
    }


def rows() -> set[str]:
    found: set[str] = set()
    for line in (CHECKOUT / PAGE).read_text(encoding="utf-8").splitlines():
        if line.startswith("| `"):
            found.update(re.findall(r"`(\w+)`", line.split("|")[1]))
    return found


def options_on_pages() -> set[str]:
    """What stands as ``-e NAME=...`` on the page of a playbook."""
    found: set[str] = set()
    for path in (CHECKOUT / "playbooks").glob("*.yml"):
        page = CHECKOUT / "docs" / (path.stem + ".md")
        if page.exists():
            found.update(re.findall(r"-e ['\"]?(\w+)=", page.read_text(encoding="utf-8")))
    return found


def test_every_variable_that_a_playbook_reads_has_a_row() -> None:
    assert {"site_become", "site_runs_job", "hpc_users", "node_root", "lint_ignore"} <= own_variables()
    assert sorted(own_variables() - rows() - options_on_pages() - set(facts_of_roles())) == []


def facts_of_roles() -> t.Iterator[str]:
    """What roles leave for the playbooks that include them."""
    for path in (CHECKOUT / "roles").glob("*/tasks/*.yml"):
        found = Found()
        found.value(yaml.safe_load(path.read_text(encoding="utf-8")))
        yield from found.made
    for path in (CHECKOUT / "roles").glob("*/vars/**/*.yml"):
        yield from yaml.safe_load(path.read_text(encoding="utf-8")) or {}


def test_every_row_is_about_a_variable_that_something_reads_or_sets() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in files())
    text += "".join(path.read_text(encoding="utf-8") for path in (CHECKOUT / "roles").rglob("*.yml"))
    assert len(rows()) > 20
    assert [name for name in sorted(rows()) if not re.search(r"\b%s\b" % name, text)] == []


def test_a_variable_is_found_wherever_it_is_read() -> None:
    found = Found()
    found.value(
        yaml.safe_load(
            """
- hosts: "{{ a | default('x') }}"
  vars: {own: "{{ b.c }}"}
  tasks:
    - when: d is defined and own
      loop: "{{ e }}"
      ansible.builtin.set_fact: {f: "{{ g is hpc.pytorch.one_image(h) }}"}
    - ansible.builtin.debug: {msg: "{% if i %}{{ f }}{% endif %}"}
      register: j
"""
        )
    )
    assert found.read - found.made == set("abdeghi")
    assert found.made == {"own", "f", "j"}
