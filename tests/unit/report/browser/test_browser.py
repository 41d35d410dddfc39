# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page in a real browser: axe, widths, filter, keyboard, print; it fetches nothing and runs no script of a node.

What a person does with it (links, copying, sorting, the age of the check) is in test_use.py.
"""

from __future__ import annotations

import importlib.resources
import re
import subprocess

import pytest
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.html import make_page
from playwright.sync_api import Page

from ..generate import KINDS, make_cluster, make_result
from ..test_page import ATTACKS, attacked

AXE = importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
WIDTHS = (360, 500, 1400)


def violations(page: Page) -> list[str]:
    # The page's policy is for scripts in the page; the debugger's may run.
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document)")
    assert "color-contrast" in [item["id"] for item in found["passes"]]
    return [
        "%s: %s: %s" % (item["id"], item["help"], node["html"][:200])
        for item in found["violations"]
        for node in item["nodes"]
    ]


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", (360, 1400))
@pytest.mark.parametrize("count", [2, 40])
def test_axe_finds_nothing_wrong(show, page_of, count, width, scheme):
    opened = show(page_of(count), width, scheme, now="2027-01-01T00:00:00Z", fragment="#sort=-since")
    opened.page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
    opened.page.get_by_role("button", name="Copy remedy").first.click()
    assert opened.page.locator("#late").is_visible() and opened.page.locator("pre").first.is_visible()
    assert violations(opened.page) == []
    assert opened.complaints == [] and len(opened.requests) == 1


@pytest.mark.slow
def test_axe_would_find_a_weak_contrast_and_a_missing_label(show, page_of):
    opened = show(page_of(2))
    opened.page.evaluate("document.querySelector('label[for=words]').remove()")
    opened.page.evaluate(
        "document.querySelector('main').animate([{color: '#bbb'}], {duration: 1, fill: 'forwards'}).finish()"
    )
    found = "\n".join(violations(opened.page))
    assert "color-contrast" in found and "label: " in found


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_window(show, make, page_of, width):
    long = "verylongname" * 30
    hosts = make_cluster(40)
    hosts[long] = {
        "groups": [long],
        "torch_check_result": dict(make_result("failed", KINDS[0], 1, 1), driver=long, summary=long),
    }
    hosts[long]["torch_check_result"]["torch"]["version"] = long
    hosts[long]["torch_check_result"]["reasons"][0].update(message=long, code=long)
    for text in (page_of(2), page_of(40), make_page(make(hosts))):
        opened = show(text, width)
        # The table of partitions neither.
        assert opened.page.locator(".scroll").evaluate("part => part.scrollWidth <= part.clientWidth")
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
def test_two_thousand_nodes_are_filtered_and_folded(show, page_of, width):
    opened = show(page_of(2000), width)
    page = opened.page
    details, body = page.locator("details.partition"), page.locator("tbody:visible")
    assert details.evaluate_all("all => all.every(one => !one.open)")
    page.get_by_label("Words in a node's row").fill("H100-19 fail")
    assert re.fullmatch(r"\d of 2000 nodes", page.locator("#shown").inner_text())
    names = page.locator("table.nodes tbody:visible th").all_inner_texts()
    assert len(names) == int(page.locator("#shown").inner_text().split()[0]) and all(
        name.startswith("h100-19") for name in names
    )
    page.get_by_label("Words in a node's row").fill("")
    assert details.evaluate_all("all => all.every(one => !one.open && !one.hidden)")
    page.get_by_label("Verdict", exact=True).select_option("unreachable")
    assert page.locator("#shown").inner_text() == "27 of 2000 nodes"
    # The headings count what is shown.
    tallies = page.locator("details.partition:visible .tally").all_inner_texts()
    assert all("unreachable" in tally and "ok" not in tally for tally in tallies)
    assert sum(int(tally.split()[0]) for tally in tallies) == 27
    page.get_by_label("Verdict", exact=True).select_option("what to fix")
    assert (
        int(page.locator("#shown").inner_text().split()[0])
        == body.locator(".verdict").filter(has_text=re.compile("failed|unreachable")).count()
    )
    page.get_by_label("Verdict", exact=True).select_option("all")
    page.get_by_role("button", name="Unfold all").click()
    assert details.evaluate_all("all => all.every(one => one.open)")
    page.get_by_role("button", name="Fold all").click()
    assert details.evaluate_all("all => all.every(one => !one.open)")
    assert opened.complaints == []


@pytest.mark.slow
def test_it_is_used_by_keyboard_alone(show, page_of):
    page = show(page_of(2000)).page
    seen = []
    for _unused in range(300):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
        if seen[-1] == "SUMMARY" and page.evaluate("document.activeElement.parentElement.className") == "partition":
            break
    controls = ["words", "verdict", "partition", "trouble", "sort", "unfold", "all"]
    assert [name for name in seen if name in controls] == controls
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentElement.open") is True


@pytest.mark.slow
def test_it_reads_without_javascript(show, page_of):
    page = show(page_of(40), javascript=False).page
    assert page.get_by_role("search").count() == 0
    assert page.get_by_role("row").filter(has_text="titan-0001").is_visible()
    assert page.get_by_text("Compare this time with the clock").is_visible()
    assert page.get_by_role("button").count() == 0
    # The link of a trouble leads to its first node, which the browser unfolds.
    page.get_by_role("link", name="Show this node").first.click()
    page.locator("tr:target").wait_for()
    page = show(page_of(2000), javascript=False).page
    page.locator("summary").filter(has_text="titan").last.click()
    assert page.get_by_role("row").filter(has_text="titan-0001").first.is_visible()


@pytest.mark.slow
@pytest.mark.parametrize("javascript", [True, False])
def test_on_paper_is_every_node_also_of_what_is_folded_up(show, page_of, tmp_path, javascript):
    page = show(page_of(100), scheme="dark", javascript=javascript).page
    assert page.locator("details.partition[open]").count() == 0
    paper = tmp_path / "report.pdf"
    page.pdf(path=str(paper), format="A4")
    text = subprocess.run(
        ["pdftotext", "-layout", str(paper), "-"], check=True, capture_output=True, encoding="utf-8"
    ).stdout
    for name in make_cluster(100):
        assert name in text
    assert "Words in a node's row" not in text
    # Black on white, whatever the screen has.
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert (
        page.evaluate("getComputedStyle(document.querySelector('table.nodes thead')).display") == "table-header-group"
    )


@pytest.mark.slow
def test_nothing_of_a_nodes_words_runs_or_is_fetched(show, make):
    for attack in ATTACKS:
        opened = show(make_page(attacked(make, attack)))
        opened.page.mouse.move(200, 300)
        opened.page.get_by_label("Words in a node's row").fill("fail")
        assert opened.complaints == [] and len(opened.requests) == 1, attack
        assert opened.page.locator("#shown").inner_text() == "1 of 1 nodes"


@pytest.mark.slow
def test_should_something_get_through_the_policy_still_stops_it(show, page_of):
    broken = page_of(2).replace(
        "</main>", "<script>alert(1)</script><img src=x onerror=alert(2)><p style='color: red'></p></main>"
    )
    opened = show(broken)
    assert "dialog" not in opened.complaints
    assert sum("Content Security Policy" in text for text in opened.complaints) >= 3, opened.complaints
