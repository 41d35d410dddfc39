# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the page report.html from its template in the folder page, no other I/O. Private to hpc.pytorch.

The template engine escapes everything. The page also names its own script by hash, so that a browser would not run a
script that came in with the name or an error of a node.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import pathlib

import jinja2
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.hostlist import fold
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.node_result import VERDICTS

from .build import count_earlier
from .compare import describe_change, fold_changes
from .history import describe_span, later, mostly_checked
from .page.causes import meanings
from .page.rows import COLUMNS, filter_of, make_sections
from .page.troubles import show_troubles
from .schema import Report
from .styles import STYLES, css_rules

FOLDER = pathlib.Path(__file__).parent / "page"
# A page of more nodes opens with its partitions folded.
OPEN_UP_TO = 60


def make_page(report: Report) -> str:
    """Make the text of the page."""
    style, script, template = _assets()
    troubles = show_troubles(report)
    checked, interval = mostly_checked(report), report["interval"]
    return template.render(
        report=report,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        styles=STYLES,
        verdicts=VERDICTS,
        filter_of=filter_of,
        present=[verdict for verdict in VERDICTS if report["totals"]["verdicts"][verdict]],
        columns=COLUMNS,
        troubles=troubles,
        meanings=meanings(
            [shown.trouble.reason["code"] for shown in troubles]
            + [reason["code"] for node in report["nodes"] for reason in node["reasons"]]
        ),
        changes=[(describe_change(group), fold(group.nodes)) for group in fold_changes(report["changes"])],
        sections=make_sections(report, {name: shown.key for shown in troubles for name in shown.trouble.nodes}),
        open_all=report["totals"]["nodes"] <= OPEN_UP_TO,
        new=sum(shown.new for shown in troubles),
        earlier=count_earlier(report),
        checked=checked,
        every=describe_span(interval) if interval else None,
        due=later(checked, interval) if interval else None,
    )


def _hash(text: str) -> str:
    return "sha256-%s" % base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


@functools.lru_cache(maxsize=None)
def _assets() -> tuple[str, str, jinja2.Template]:
    style, script = ((FOLDER / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return style + css_rules(), script, environment.from_string((FOLDER / "page.html.j2").read_text(encoding="utf-8"))
