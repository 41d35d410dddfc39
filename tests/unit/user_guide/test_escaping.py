# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No value of the inventory becomes markup: read back with a parser, the page has the value and the same blocks."""

from __future__ import annotations

import html.parser
import re
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_guide.inline import parse
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_guide.markdown import fence
from markdown_it import MarkdownIt

from .sites import Inventory, campus, slurm

HOSTILE = [
    "a|b",
    "<script>alert(1)</script>",
    "`x` ``y``",
    "*bold* _it_",
    "--> <!-- run evil on=login -->",
    "[a](https://evil.example)",
    "&amp; &lt;",
    "back\\slash",
    "\"quoted\" 'x'",
    "{name} {{ x }} {% raw %}",
    "# heading",
    "!!! tip",
    "$(rm -rf x) ${HOME}",
    "\u4e2d\u6587",
]


def hostile(value: str) -> Inventory:
    """A site whose folders, partitions, CUDA and GPU types have such names."""
    nodes = {value: ["n1"], "plain": ["n2", "n3"]}
    variables = {**campus().variables, "job_script_partition": "plain", "torch_env_source": "", "torch_env_cuda": ""}
    variables["conda_prefix"] = "/opt/%s/conda" % value
    variables["cuda_version"] = value
    return Inventory(variables, {"login": ["login01"], **nodes}, jupyter="/opt/" + value, slurm=slurm(nodes))


class Reader(html.parser.HTMLParser):
    """Collects the tags and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.update(name for name, _value in attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def tokens(page: str) -> list[t.Any]:
    """The blocks of a Markdown page, as CommonMark with tables has them."""
    return MarkdownIt("commonmark").enable("table").parse(page)


def prose(page: str) -> list[str]:
    """What a reader of the Markdown page sees outside fences. Partitions are sorted by name, so this is, too."""
    found = []
    for token in tokens(page):
        found.append("".join(child.content for child in token.children or () if child.type in ("text", "code_inline")))
    return sorted(found)


@pytest.mark.parametrize("value", HOSTILE)
def test_markdown_shows_the_value_and_has_the_same_blocks(value):
    good, bad = (hostile(each).pages(languages=["en"], formats=["markdown"])["pytorch.md"] for each in ("abc", value))
    assert [(each.type, each.tag) for each in tokens(bad)] == [(each.type, each.tag) for each in tokens(good)]
    assert prose(bad) == sorted(text.replace("abc", value) for text in prose(good))
    # Nothing but our own comments and <code> is HTML.
    raw = [child.content for token in tokens(bad) for child in token.children or () if child.type == "html_inline"]
    assert set(raw) <= {"<code>", "</code>"}
    markers = re.findall(r"^<!-- .*", bad, re.MULTILINE)
    assert markers == re.findall(r"^<!-- .*", good, re.MULTILINE)


@pytest.mark.parametrize("value", HOSTILE)
def test_html_shows_the_value_and_has_the_same_tags(value):
    good, bad = (
        Reader(hostile(each).pages(languages=["zh"], formats=["html"])["pytorch.zh.html"]) for each in ("abc", value)
    )
    assert bad.tags == good.tags and "script" not in bad.tags and bad.attributes == good.attributes
    assert value in bad.text


@pytest.mark.parametrize("value", ["a\nb", "a\x1b[31mb", "a\rb", "a\u202eb", "a\x00b"])
def test_a_character_that_acts_on_an_editor_is_none_on_the_page(value):
    for page in hostile(value).pages().values():
        assert not [char for char in page if not char.isprintable() and char not in "\n\t"]
        assert "<!-- run b" not in page


def test_a_fence_is_longer_than_those_in_its_content():
    content = "```\n<!-- run x on=login -->\n````\n~~~"
    assert fence(content, "text") == "`````text\n%s\n`````" % content
    [token] = tokens(fence(content, "text"))
    assert token.type == "fence" and token.content == content + "\n"


def test_an_output_cannot_end_its_fence():
    outputs = {"torch-version": "```\n# no heading\n<script>\x1b[2J"}
    pages = campus().pages(outputs=outputs, languages=["en"])
    plain = campus().pages(outputs={"torch-version": "1"}, languages=["en"])
    assert [each.type for each in tokens(pages["pytorch.md"])] == [each.type for each in tokens(plain["pytorch.md"])]
    assert Reader(pages["pytorch.html"]).tags == Reader(plain["pytorch.html"]).tags
    assert all("\x1b" not in page for page in pages.values())


def test_a_value_in_a_text_is_a_piece_of_its_own():
    found = parse("**{a}** and `x {a}` ${a} [l](https://x.example) {a:plain}", {"a": "`*"})
    assert [piece.kind for piece in found] == ["bold", "plain", "code", "plain", "link", "plain", "plain"]
    assert found[0].parts[0].text == "`*" and found[2].text == "x `*" and found[-1].is_value


def test_slurm_that_knows_other_partitions_is_no_mistake():
    page = campus()._replace(slurm=slurm({"gpu": ["n1"]})).pages(languages=["en"], formats=["markdown"])["pytorch.md"]
    assert "| `titan` | `2` |" in page
