# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a verdict is shown, in the page and on the terminal. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t


class Style(t.NamedTuple):
    """How one verdict is shown.

    :arg sign: is in front of it in the page, so that colour alone never carries a verdict.
    :arg colour: in the page; page.css gives this variable a value for light, dark and paper.
    :arg terminal: a setting of Ansible's, or None for no colour.
    """

    sign: str
    colour: str
    terminal: str | None


STYLES = {
    "failed": Style("✗", "--bad", "COLOR_ERROR"),
    "unreachable": Style("!", "--warn", "COLOR_UNREACHABLE"),
    "not_checked": Style("–", "--none", "COLOR_SKIP"),
    "cpu_only": Style("○", "--cpu", None),
    "ok": Style("✓", "--good", None),
}


def css_rules() -> str:
    """The rules that give each verdict its colour: ``.failed { color: var(--bad); }``."""
    return "".join(".%s { color: var(%s); }\n" % (verdict, style.colour) for verdict, style in STYLES.items())
