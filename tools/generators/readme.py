# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write README.md's tables of modules and of other plugins from each one's ``short_description``."""

from __future__ import annotations

import pathlib
import re
import typing as t

PLUGINS = pathlib.Path(__file__).resolve().parents[2] / "plugins"
# Kinds that a person names in a play, an inventory, a template or ansible.cfg.
KINDS = ("filter", "test", "inventory", "connection", "callback")


def names(kind: str) -> list[str]:
    """The plugins of a kind: ``["sbatch_lint", "torch_build"]`` for ``filter``."""
    return sorted(path.stem for path in (PLUGINS / kind).glob("[a-z]*.py"))


def summary(text: str) -> str:
    """The short description in a plugin's documentation, with code marked as Markdown does."""
    (line,) = re.findall(r"^short_description: (.+)$", text, re.MULTILINE)
    return re.sub(r"C\(([^)]*)\)", r"`\1`", line.strip("'\""))


def table(rows: t.Iterable[tuple[str, str]]) -> str:
    """Rows of a Markdown table of two columns."""
    return "\n".join("| %s | %s |" % row for row in rows)


def outputs(current: t.Callable[[str], str], block: t.Callable[[str, str, str], str]) -> dict[str, str]:
    """The new README.md."""
    modules = [("`%s`" % name, summary(current("plugins/modules/%s.py" % name))) for name in names("modules")]
    others = [
        ("%s `%s`" % (kind, name), summary(current("plugins/%s/%s.py" % (kind, name))))
        for kind in KINDS
        for name in names(kind)
    ]
    text = block(current("README.md"), "modules", "\n".join(["| module | |", "|---|---|", table(modules)]))
    return {"README.md": block(text, "plugins", "\n".join(["| plugin | |", "|---|---|", table(others)]))}
