# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages of the guide: its structure, in each language and format. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError, shown

from .blocks import Note, Paragraph, Section, Text
from .html import render_html
from .markdown import render_markdown
from .sections.alone import programs
from .sections.install import install
from .sections.submit import jobs
from .sections.troubles import notebooks, troubles
from .site import Site
from .texts import LANGUAGES, OtherPage, texts_of

RENDERERS = {"markdown": (".md", render_markdown), "html": (".html", render_html)}
NAME = "pytorch"


class Page(t.NamedTuple):
    """A file of the guide."""

    name: str
    content: str


class Extra(t.NamedTuple):
    """A section of the site's own, after the section *after* or at the end.

    :arg texts: title and paragraphs by language.
    """

    id: str
    after: str
    texts: t.Mapping[str, tuple[str, tuple[str, ...]]]


def structure(site: Site, extra: t.Sequence[Extra] = ()) -> tuple[Section, ...]:
    """The sections of the page, the same in every language and format.

    :raises UserError: the inventory's values contradict each other, or a section of the site has no place.
    """
    first = Section(
        "pytorch",
        1,
        Text("title"),
        (
            Paragraph(Text("pytorch")),
            Note("tip", Text("tip_title"), Text("tip" if site.conda.has_command else "tip_activate")),
        ),
    )
    work = programs(site, site.machine.gpus or 0) if site.machine else jobs(site)
    sections = [first, *install(site), *work, *notebooks(site), *troubles(site)]
    for mine in extra:
        ids = [each.id for each in sections]
        if mine.id in ids or mine.after and mine.after not in ids:
            raise UserError(
                "a section of user_guide_extra with an id of its own, after one of %s" % ", ".join(ids),
                "id %s, after %s" % (shown(mine.id), shown(mine.after)),
                "correct id and after",
            )
        count = len(next(iter(mine.texts.values()))[1])
        blocks = tuple(Paragraph(Text("%s %d" % (mine.id, number))) for number in range(count))
        place = ids.index(mine.after) + 1 if mine.after else len(sections)
        sections.insert(place, Section(mine.id, 2, Text(mine.id + " title"), blocks))
    return tuple(sections)


def make_pages(
    site: Site,
    languages: t.Sequence[str],
    formats: t.Sequence[str],
    texts: t.Mapping[str, t.Any],
    extra: t.Sequence[Extra],
    outputs: t.Mapping[str, str],
) -> list[Page]:
    """The files of the guide.

    :arg texts: the role's variable ``user_guide_texts``.
    :arg outputs: what the commands of the page printed, by their ids.
    :raises UserError: a value that makes no sense.
    """
    sections = structure(site, extra)
    pages = []
    for language in languages:
        added = {}
        for mine in extra:
            title, paragraphs = mine.texts[language]
            added[mine.id + " title"] = title
            added.update({"%s %d" % (mine.id, number): text for number, text in enumerate(paragraphs)})
        words = texts_of(language, texts, added, site.machine is not None)
        for name in formats:
            ending, render = RENDERERS[name]
            others = [OtherPage(each, LANGUAGES[each], _file(each, ending)) for each in languages if each != language]
            pages.append(Page(_file(language, ending), render(sections, words, outputs, others)))
    return pages


def extra_of(given: t.Any, languages: t.Sequence[str]) -> tuple[Extra, ...]:
    """The site's own sections from the role's variable ``user_guide_extra``.

    :raises UserError: one of them has no title or text in one of the languages.
    """
    return tuple(_extra(each, languages) for each in given)


def _extra(given: t.Any, languages: t.Sequence[str]) -> Extra:
    expected = "a section of user_guide_extra with id (a-z, 0-9, -), title and text, these by language, and after"
    if not isinstance(given, t.Mapping) or set(given) - {"id", "title", "text", "after"}:
        raise UserError(expected, shown(given), "correct user_guide_extra")
    if not isinstance(given.get("id"), str) or not re.fullmatch(r"[a-z0-9][a-z0-9-]*", given["id"]):
        raise UserError(expected, "id %s" % shown(given.get("id")), "correct id")
    texts = {}
    for language in languages:
        found = [
            given[key].get(language) if isinstance(given.get(key), t.Mapping) else None for key in ("title", "text")
        ]
        if not all(isinstance(text, str) and text.strip() for text in found):
            raise UserError(expected, "no title or text in %s in %s" % (language, given["id"]), "add it")
        paragraphs = tuple(" ".join(text.split()) for text in re.split(r"\n\s*\n", str(found[1]).strip()))
        texts[language] = (" ".join(str(found[0]).split()), paragraphs)
    if len({len(paragraphs) for _title, paragraphs in texts.values()}) > 1:
        raise UserError(expected, "%s has more paragraphs in one language" % given["id"], "translate all of them")
    return Extra(given["id"], str(given.get("after") or ""), texts)


def _file(language: str, ending: str) -> str:
    return "%s%s%s" % (NAME, "" if language == "en" else "." + language, ending)
