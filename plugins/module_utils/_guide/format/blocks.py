# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A page as its code and the prose around it, whatever its format. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

PROSE, HEADING, CODE, INLINE = "prose", "heading", "code", "inline"


class Line(t.NamedTuple):
    """A line of the page, without what its format puts around it, and its number."""

    number: int
    text: str


class Segment(t.NamedTuple):
    """A paragraph, a heading, a block of code, or code within a paragraph.

    :arg note: the head of the box that it is in, such as danger.
    """

    kind: str
    lines: tuple[Line, ...]
    note: str = ""

    @property
    def text(self) -> str:
        """Its lines as one."""
        return " ".join(line.text.strip() for line in self.lines)


class Block(t.NamedTuple):
    """Code, and what the page says about it.

    :arg inline: it is part of a sentence.
    :arg around: the heading above, the box, and the sentence that introduces it.
    :arg around: the prose that introduces it, with the heading above.
    """

    lines: tuple[Line, ...]
    inline: bool
    around: tuple[str, ...]
    after: str


# What makes a reader not type what a page shows. After a verb, 以前 means "before you do so".
_AGAINST = re.compile(
    r"\b(do\s+not(?!\s+forget)|don['\u2019]?t(?!\s+forget)|never|avoid\s+(?:using|the|this|running|these)|(?:must|should)\s+not"
    r"|(?:shouldn|mustn|won|doesn)['\u2019]t|no\s+longer|not\s+(?:work|recommended|supported|possible)|deprecated|obsolete"
    r"|outdated|out\s+of\s+date|wrong|incorrect|broken|discouraged|fails?|used\s+to\s+(?:work|be)|formerly"
    r"|(?:old|older|legacy)\s+(?:way|instructions?|commands?|methods?|syntax|lines?)|bad(?:\s+examples?)?|anti-?pattern"
    r"|(?:is|was|been)\s+(?:replaced|superseded)|(?:has|have)\s+ended|in\s+the\s+past|historical(?:ly)?"
    r"|(?:common|frequent|typical)\s+mistakes?|(?:was|were)\s+[\w ]{1,40}\buntil\s+20\d\d"
    r"|previously(?=\s+(?:we|you|it|this|the|users?|recommended|suggested|documented|used|worked)\b))\b"
    r"|\A\W*old\W*\Z|\b(?:instead\s+of|rather\s+than|replace)\W*\Z|❌"
    r"|(?:\A|[我们。，；、\n])\W*以前|不要|请勿|切勿|不应|不再|废弃|弃用|过时|已停|停用|失效|不推荐|不建议|旧的?(?:方法|写法|命令|方式)|错误的?(?:写法|示例|做法|命令|用法)",
    re.IGNORECASE,
)
# A case in which the line is for the reader: if the module does not work, install.
_CASE = re.compile(r"\b(?:if|when|in\s+case|unless)\b|如果|若|假如", re.IGNORECASE)
# Before code in a sentence that names what to do in its place.
_INSTEAD = re.compile(
    r"(?:\b(?:instead\s+of|rather\s+than|not|than|over|replaces?|unlike|stop(?:ped)?\s+using"
    r"|(?:moved?|migrat(?:ed?|ing))\s+(?:away\s+)?from)|而不是|代替|替代)\s*[\W_]*\Z",
    re.IGNORECASE,
)
# Characters of a paragraph around code in it that say what it is for.
_NEAR = 300
_INSTALLS = re.compile(r"\b(?:conda|mamba|micromamba|pip|uv)\b|pip\d|\bactivate\b")
_ABOVE = re.compile(
    r"\b(above|previous|preceding|this\s+(?:command|line|no\s+longer))\b|上面|以上|上述|该命令|此命令", re.IGNORECASE
)
_THIS = re.compile(r"(?:this|that|it|which|these|they)\b|这|它", re.IGNORECASE)
_AGAINST_AFTER = re.compile(
    r"\b(no\s+longer|do\s+not\s+use|don['\u2019]?t\s+use|deprecated|obsolete|outdated|does\s+not\s+work|doesn['\u2019]t\s+work|fails)\b"
    r"|不再|不要|已废弃|过时|失效|错误|无法",
    re.IGNORECASE,
)
_ARCHIVED = re.compile(
    r"\b(archived?|this\s+(?:page|guide|document(?:ation)?)\s+(?:is|has\s+been)\s+(?:now\s+)?(?:an?\s+archive|archived|obsolete|deprecated|outdated|retired|"
    r"out\s+of\s+date|no\s+longer|superseded)|decommissioned|retired\s+(?:system|cluster)|change\s?log|release\s+notes)\b"
    r"|存档|归档|已归档|本(?:页|文|文档)(?:已|不再)|已退役|更新日志",
    re.IGNORECASE,
)


def against(text: str) -> bool:
    """Whether a text tells its reader not to do it: ``do not run``, ``no longer works``."""
    return bool(_AGAINST.search(text)) and not _CASE.search(text)


def advised_against(block: Block) -> bool:
    """Whether the page itself says that this code is not to be used."""
    after = block.after
    return any(against(text) for text in block.around) or bool(
        _AGAINST_AFTER.search(after) and (_ABOVE.search(after) or (_THIS.match(after) and not _CASE.search(after)))
    )


def is_archive(segments: t.Sequence[Segment]) -> bool:
    """Whether the top of a page says that nobody is to follow it any more."""
    top = [each.text for each in segments if each.kind in (PROSE, HEADING)][:3]
    return any(_ARCHIVED.search(text[:400]) for text in top)


def blocks_of(segments: t.Sequence[Segment]) -> list[Block]:
    """The code of a page, each with what is said about it."""
    found: list[Block] = []
    heading, prose, box = "", "", ""
    for at, each in enumerate(segments):
        if each.note != box:
            # What is said in a box ends with it.
            box, prose = each.note, ""
        if each.kind == HEADING:
            heading, prose = each.text, ""
        elif each.kind == PROSE:
            prose = each.text
        else:
            rest = segments[at + 1 : at + 2]
            after = rest[0].text[:200] if rest and rest[0].kind == PROSE else ""
            said = _last_sentence(prose[-4 * _NEAR :])
            if each.kind == INLINE:
                at_code = max(0, prose.find(each.text))
                near = prose[max(0, at_code - _NEAR) : at_code + len(each.text) + _NEAR]
                sentences = _sentences(near)
                place = next((place for place, one in enumerate(sentences) if each.text in one), -1)
                said = near if place < 0 else sentences[place]
                after = "".join(sentences[place + 1 : place + 2]) or after if place >= 0 else after
            found.append(Block(each.lines, each.kind == INLINE, (heading, each.note, said), after))
    return found


def _sentences(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=[.!?;])\s+|(?<=[。！？；])", text) if part]


def _last_sentence(text: str) -> str:
    """What a paragraph ends with: the sentence that introduces the code."""
    parts = _sentences(text)
    return parts[-1] if parts else ""


def with_inline(paragraph: t.Sequence[Line], pattern: t.Pattern[str], note: str = "") -> list[Segment]:
    """A paragraph and, after it, the code within it.

    :arg pattern: finds code within a line, as group code.
    """
    found = [Segment(PROSE, tuple(paragraph), note)]
    for line in paragraph:
        for match in pattern.finditer(line.text):
            # The rest names files, options and the like.
            if _INSTALLS.search(match["code"]) and not _INSTEAD.search(line.text[: match.start()][-40:]):
                found.append(Segment(INLINE, (Line(line.number, match["code"].strip()),), note))
    return found
