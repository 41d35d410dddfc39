# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTML page in a real browser: axe, widths, links, print; it fetches nothing and runs no script."""

from __future__ import annotations

import importlib.resources
import pathlib
import re
import shutil
import typing as t

import pytest
from playwright.sync_api import Page, sync_playwright

from .sites import SITES, campus

AXE = importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]
OUTPUTS = {"torch-version": "1.8.1 10.1", "output": "long " * 200}


@pytest.fixture(scope="module")
def browser() -> t.Iterator[t.Any]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert path, "no chromium; remedy: apt-get install chromium"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def show(browser: t.Any, tmp_path: pathlib.Path) -> t.Iterator[t.Callable[..., Page]]:
    """Opens a page of a site as a file, next to the others."""
    contexts = []

    def show_page(site: str, name: str, width: int = 1400, scheme: t.Any = "light") -> Page:
        for file, text in SITES[site]().pages(outputs=OUTPUTS).items():
            (tmp_path / file).write_text(text, encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.requested = []
        page.complaints = []
        page.on("request", lambda request: page.requested.append(request.url))
        page.on("console", lambda message: page.complaints.append(message.text))
        page.goto((tmp_path / name).as_uri())
        return page

    yield show_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 400])
@pytest.mark.parametrize("name", ["pytorch.html", "pytorch.zh.html"])
def test_axe_finds_nothing_wrong(show, name, width, scheme):
    page = show("campus", name, width, scheme)
    for closed in page.locator("details").all():
        closed.evaluate("each => each.open = true")
    # The page allows no script but the test's.
    found = page.evaluate("%s; axe.run(document)" % AXE)
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found["violations"]] == []
    assert len(found["passes"]) > 15


@pytest.mark.parametrize("width", [1400, 360])
@pytest.mark.parametrize("site", SITES)
def test_nothing_scrolls_sideways_but_code_and_tables(show, site, width):
    page = show(site, "pytorch.zh.html", width)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_it_asks_for_nothing_and_complains_of_nothing(show):
    page = show("campus", "pytorch.html")
    assert page.requested == [page.url] and page.complaints == []
    assert page.locator("script").count() == 0


@pytest.mark.parametrize("name", ["pytorch.html", "pytorch.zh.html"])
def test_every_link_leads_somewhere(show, tmp_path, name):
    page = show("campus", name)
    links = [each.get_attribute("href") for each in page.locator("a").all()]
    assert len(links) > 10
    for link in links:
        if link.startswith("#"):
            assert page.locator('[id="%s"]' % link[1:]).count() == 1, link
        elif not link.startswith("https://"):
            assert (tmp_path / link).is_file(), link
    page.locator("header a").first.click()
    assert page.url.endswith("pytorch.zh.html" if name == "pytorch.html" else "pytorch.html")
    assert page.locator("html").get_attribute("lang") == ("zh-CN" if name == "pytorch.html" else "en")


def test_commands_outputs_and_files_are_those_of_the_markdown_page(show):
    pages = campus().pages(outputs=OUTPUTS)
    page = show("campus", "pytorch.html")
    for kind, marker in (
        ("run", r"<!-- (?:not )?run ([a-z0-9-]+)"),
        ("output", "<!-- output ([a-z0-9-]+)"),
        ("file", "<!-- file ([a-z0-9-]+)"),
    ):
        ids = [each.get_attribute("data-" + kind) for each in page.locator("pre[data-%s]" % kind).all()]
        assert ids == re.findall(marker, pages["pytorch.md"]) and ids
    assert page.locator('pre[data-run="submit"]').inner_text() == "sbatch test.sh"
    assert page.locator('pre[data-output="torch-version"]').inner_text() == "1.8.1 10.1"
    assert page.locator('pre[data-run="conda-install"]').get_attribute("data-not-run").startswith("it downloads")


def test_the_printed_page_has_every_script(show):
    page = show("campus", "pytorch.html", 800)
    page.emulate_media(media="print")
    assert page.locator("nav").is_hidden()
    assert page.locator("details pre").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.pdf()[:4] == b"%PDF"
