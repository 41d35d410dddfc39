# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reason codes in torch_info's documentation, docs/causes.md and its list in docs/guide/troubleshooting.md.

All from the docstrings of the detectors. The page causes.md lists the codes of the role and of the report too.
"""

from __future__ import annotations

import inspect
import re
import textwrap
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._torch.diagnose.stages import STAGES, Detector, Stage
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.page.causes import OTHERS

MODULE = "plugins/modules/torch_info.py"
PAGE = "docs/causes.md"
LIST = "docs/guide/troubleshooting.md"
WIDTH = 120
_MARKUP = re.compile(r"`([^`]+)`")


def outputs(current: t.Callable[[str], str], block: t.Callable[[str, str, str], str]) -> dict[str, str]:
    """The three texts."""
    parts = list(_parts())
    lines = [_option_line(detect) for dummy, detectors in parts for detect in detectors]
    sections = [text for stage, detectors in parts for text in _sections(stage, detectors)]
    rows = [_row(detect) for _stage, detectors in parts for detect in detectors]
    sections += ["## The check itself", *(_filled("- `%s`: %s" % item) for item in OTHERS.items())]
    return {
        LIST: block(current(LIST), "reason codes", "\n".join(["| code | |", "|---|---|", *rows])),
        MODULE: block(current(MODULE), "reason codes", "\n".join(lines)),
        PAGE: block(current(PAGE), "reason codes", "\n" + "\n\n".join(sections) + "\n\n"),
    }


def _parts() -> t.Iterator[tuple[Stage, list[Detector]]]:
    """Each stage with the detectors that are not in an earlier one."""
    seen: set[str] = set()
    for stage in STAGES:
        yield stage, [detect for detect in stage.detectors if detect.__name__ not in seen]
        seen.update(detect.__name__ for detect in stage.detectors)


def _option_line(detect: Detector) -> str:
    summary = _MARKUP.sub(_for_ansible, inspect.cleandoc(detect.__doc__ or "").split("\n", 1)[0])
    first = summary.split(maxsplit=1)[0]
    if first == "A" or (first[1:].isalpha() and first[1:].islower()):
        summary = summary[:1].lower() + summary[1:]
    text = "- V(%s), %s" % (detect.__name__, summary)
    return textwrap.fill(
        text, WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 10, break_long_words=False, break_on_hyphens=False
    )


def _row(detect: Detector) -> str:
    summary = inspect.cleandoc(detect.__doc__ or "").split("\n", 1)[0].replace("|", "\\|")
    return "| [`{0}`](../causes.md#{0}) | {1} |".format(detect.__name__, summary)


def _for_ansible(match: re.Match[str]) -> str:
    """Ansible's markup for a word in backquotes: of a variable of the environment, an option, or code."""
    word = match.group(1)
    return "%s(%s)" % ("E" if word.isupper() else "O" if word.startswith("expect_") else "C", word)


def _sections(stage: Stage, detectors: t.Iterable[Detector]) -> t.Iterator[str]:
    if stage.title:
        yield "## %s" % stage.title
    if stage.intro:
        yield _filled(stage.intro)
    for detect in detectors:
        summary, separator, body = inspect.cleandoc(detect.__doc__ or "").partition("\n\n")
        if not separator:
            raise ValueError("expected more than one line in the docstring of %s, for docs/causes.md" % detect.__name__)
        yield "### %s\n%s" % (detect.__name__, _filled(summary + " " + body))


def _filled(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), WIDTH, break_long_words=False, break_on_hyphens=False)
