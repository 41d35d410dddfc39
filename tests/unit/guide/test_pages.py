# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages in the shapes of public guides: every dead line is found, no other is, and each remedy works."""

from __future__ import annotations

import pathlib

import pytest
import yaml
from ansible_collections.hpc.pytorch.plugins.module_utils._guide.finding import Finding
from ansible_collections.hpc.pytorch.plugins.module_utils._guide.page import format_of, lint_page

FOLDER = pathlib.Path(__file__).parent
EXPECTED = yaml.safe_load((FOLDER / "expected.yml").read_text(encoding="utf-8"))
PAGES = sorted(path.name for path in (FOLDER / "pages").iterdir())
WRITE = "write: "


def text_of(name: str) -> str:
    return (FOLDER / "pages" / name).read_text(encoding="utf-8")


def found_on(name: str) -> list[Finding]:
    return lint_page(text_of(name), format_of(name, text_of(name)))


def test_each_page_is_in_the_table() -> None:
    assert sorted(EXPECTED) == PAGES
    assert len(PAGES) >= 30


@pytest.mark.parametrize("name", PAGES)
def test_the_findings_of_a_page(name: str) -> None:
    assert [[each.line, each.code] for each in found_on(name)] == EXPECTED[name]


@pytest.mark.parametrize("name", PAGES)
def test_the_line_of_a_remedy_has_no_finding(name: str) -> None:
    for each in found_on(name):
        if each.remedy.startswith(WRITE):
            line = each.remedy[len(WRITE) :]
            assert lint_page("```\n%s\n```\n" % line) == [], (each, line)


@pytest.mark.parametrize("name", [name for name in PAGES if name.startswith(("driver", "zh-script"))])
def test_a_remedy_runs_with_the_driver_of_the_page(name: str) -> None:
    for each in found_on(name):
        if each.code == "driver-too-old":
            if name == "zh-script.md":
                assert each.remedy.startswith("install driver 525.60.13 or newer on these nodes")
                continue
            page = "driver 470.82.01\n\n```\n%s\n```\n" % each.remedy[len(WRITE) :]
            assert lint_page(page) == [], each


@pytest.mark.parametrize("name", PAGES)
def test_the_format_is_known_without_a_name(name: str) -> None:
    assert lint_page(text_of(name), format_of("", text_of(name))) == found_on(name)


def test_a_comment_leaves_a_code_out() -> None:
    line = "```\nsource activate a\nconda install pytorch\nmodule load x\npip install torch==2.4.2\n```\n"
    assert [each.code for each in lint_page(line)] == ["source-activate", "no-such-release"]
    for comment in (
        "<!-- guide-lint: ignore=source-activate -->\n",
        "# Page\n\n  <!--guide-lint:ignore=channel-ended,source-activate-->\n",
    ):
        assert [each.code for each in lint_page(comment + line)] == ["no-such-release"]
    rst = ".. guide-lint: ignore=no-such-release\n\nInstall::\n\n   source activate a\n   pip install torch==2.4.2\n"
    assert [each.code for each in lint_page(rst, "rst")] == ["source-activate"]
    assert [each.code for each in lint_page("text guide-lint: ignore=source-activate\n" + line)][0] == "source-activate"
