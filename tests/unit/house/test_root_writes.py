# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles and playbooks write and read files through hpc.pytorch.host_files, which follows nothing of another user's."""

from __future__ import annotations

import pathlib
import re

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
# They follow symlinks that another user has planted, or wait for a fifo.
UNSAFE = "assemble|blockinfile|copy|file|get_url|ini_file|lineinfile|replace|slurp|tempfile|template|unarchive"
# Whole names: ansible-lint refuses short ones, which options may have, too.
TASK = re.compile(r"^\s*(?:- )?ansible\.(?:builtin|legacy)\.(%s):" % UNSAFE, re.MULTILINE)
# Files that may use one of them, with the reason.
EXCEPTIONS: dict[str, str] = {}


def uses() -> dict[str, list[str]]:
    """The unsafe modules in each file of tasks."""
    paths = [*CHECKOUT.glob("roles/*/tasks/**/*.yml"), *CHECKOUT.glob("roles/*/handlers/*.yml")]
    paths += CHECKOUT.glob("playbooks/**/*.yml")
    found = {str(path.relative_to(CHECKOUT)): TASK.findall(path.read_text(encoding="utf-8")) for path in paths}
    assert len(found) > 20
    return {name: modules for name, modules in found.items() if modules}


def test_the_pattern_finds_a_task() -> None:
    text = (
        "- name: A\n  ansible.builtin.copy:\n    file: b\n- ansible.legacy.template: c\n  ansible.builtin.slurped: d\n"
    )
    assert TASK.findall(text) == ["copy", "template"]


def test_no_role_writes_or_reads_with_a_module_that_follows_links() -> None:
    assert {name: modules for name, modules in uses().items() if name not in EXCEPTIONS} == {}


def test_no_exception_outlives_its_file() -> None:
    assert set(EXCEPTIONS) <= set(uses())
