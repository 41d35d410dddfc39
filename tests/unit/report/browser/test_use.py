# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person does with the page: follow a link, send an address, copy, sort, and see how old the check is."""

from __future__ import annotations

import re

import pytest
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.html import make_page
from playwright.sync_api import expect

from ..generate import KINDS, make_cluster, make_result

CHECKED = "2026-11-25T08:00:00Z"
DAY = 86400


def names(page):
    return page.locator("table.nodes tbody:visible th[scope=row]").all_inner_texts()


def shown(page):
    return page.locator("#shown").inner_text()


def wait_for(page, text):
    """Wait until so many nodes are shown: a browser follows a new address only after the click."""
    expect(page.locator("#shown")).to_have_text(text)


@pytest.mark.slow
def test_a_trouble_leads_to_its_nodes_and_the_address_can_be_sent(show, page_of):
    text = page_of(700)
    opened = show(text)
    trouble = opened.page.locator(".troubles > li").first
    count = int(re.search(r"on (\d+) node", trouble.inner_text())[1])
    assert count > 1
    trouble.get_by_role("link", name="Show these nodes").click()
    wait_for(opened.page, "%d of 700 nodes" % count)
    found = names(opened.page)
    assert len(found) == count
    assert opened.page.locator("#nodes").evaluate("heading => document.activeElement === heading")
    address = opened.page.url
    assert "#trouble=" in address
    other = show(text, fragment=address[address.index("#") :])
    assert names(other.page) == found and other.complaints == []
    other.page.get_by_role("button", name="Show all").click()
    assert shown(other.page) == "700 nodes" and "#" not in other.page.url


@pytest.mark.slow
def test_counts_lead_to_what_they_count(show, page_of):
    opened = show(page_of(700))
    page = opened.page
    for link in page.locator(".totals a").all():
        count = int(link.inner_text().split()[0])
        link.click()
        wait_for(page, "700 nodes" if count == 700 else "%d of 700 nodes" % count)
        assert page.locator("table.nodes tbody:not([hidden])").count() == count
    row = page.locator(".counts tbody tr").first
    partition, number = row.locator("th").inner_text(), int(row.locator("td a").first.inner_text())
    before = shown(page)
    row.locator("td a").first.click()
    wait_for(page, "%d of 700 nodes" % number)
    assert "partition=%s" % partition in page.url and len(names(page)) == number
    assert all(name.startswith(partition) for name in names(page))
    # Back to the filter before.
    page.go_back()
    wait_for(page, before)
    assert "partition" not in page.url
    assert opened.complaints == []


@pytest.mark.slow
def test_a_filter_by_hand_is_in_the_address_and_a_trouble_that_was_fixed_shows_no_node(show, page_of):
    page = show(page_of(100)).page
    page.get_by_label("Words in a node's row").fill("xid 79")
    page.get_by_label("Verdict", exact=True).select_option("what to fix")
    assert page.url.endswith("#words=xid+79&verdict=failed+unreachable") and 0 < len(names(page)) < 10
    for fragment in ("#trouble=0123456789", "#partition=sold"):
        page = show(page_of(100), fragment=fragment).page
        assert names(page) == [] and shown(page) == "No such %s in this report" % fragment[1:].partition("=")[0]
    page.get_by_label("Verdict", exact=True).select_option("ok")
    assert len(names(page)) > 50


@pytest.mark.slow
def test_a_node_has_an_address_also_if_the_filter_hides_it(show, page_of):
    page = show(page_of(100), fragment="#node-titan-0001").page
    row = page.locator("#node-titan-0001")
    assert row.is_visible() and row.evaluate("row => row.matches(':target')")
    page.get_by_label("Verdict", exact=True).select_option("failed")
    assert not row.is_visible()
    page.evaluate("location.hash = '#node-titan-0002'")
    page.locator("#node-titan-0002").wait_for()
    wait_for(page, "100 nodes")
    page.locator(".troubles code").first.click()
    page.locator("dt:target").wait_for()


@pytest.mark.slow
@pytest.mark.parametrize("has_clipboard", [True, False])
def test_the_nodes_and_the_remedy_are_copied(show, page_of, has_clipboard):
    page = show(page_of(40)).page
    if not has_clipboard:
        # As on a page from a server without TLS.
        page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    trouble = page.locator(".troubles > li").filter(has_text="no_driver")
    for button, text in (
        ("Copy for --limit", "--limit a100-0028"),
        ("Copy for scontrol", "scontrol update NodeName=a100-0028 "),
        ("Copy remedy", "install the NVIDIA driver"),
    ):
        trouble.get_by_role("button", name=button).click()
        page.get_by_text("Copied: %s" % text.strip()).wait_for(state="attached")
        words = page.get_by_label("Words in a node's row")
        words.fill("")
        words.press("Control+v")
        assert words.input_value() == text
    assert page.locator("textarea").count() == 0


@pytest.mark.slow
def test_columns_are_sorted(show, make):
    hosts = make_cluster(40)
    for number, host in enumerate(sorted(hosts)):
        hosts[host]["torch_check_result"]["seconds"] = float(number * 37 % 40)
    page = show(make_page(make(hosts))).page
    table = page.locator("table.nodes").first
    first = table.locator("th[scope=row]").all_inner_texts()
    table.get_by_role("button", name="Time").click()
    times = [float(text.split()[0]) for text in table.locator("tr > td:nth-child(7)").all_inner_texts()]
    assert times == sorted(times) and len(times) == 10
    assert table.locator("th[aria-sort=ascending]").inner_text().startswith("Time")
    table.get_by_role("button", name="Time").click()
    assert [float(text.split()[0]) for text in table.locator("tr > td:nth-child(7)").all_inner_texts()] == times[::-1]
    assert page.url.endswith("#sort=-time") and ", by time, reversed" in table.locator("caption").inner_text()
    # As numbers, not as text; what has no value is last in both directions.
    page.get_by_label("Order").select_option("node")
    assert table.locator("th[scope=row]").all_inner_texts() == sorted(first)
    for key in ("torch", "-torch"):
        page.get_by_label("Order").select_option(key)
        cells = page.locator("table.nodes").nth(1).locator("tr > td:nth-child(4)").all_inner_texts()
        assert "–" in cells and cells == sorted(cells, key=lambda cell: cell == "–")
    page.get_by_label("Order").select_option("")
    assert table.locator("th[scope=row]").all_inner_texts() == first
    assert "failed ones first" in table.locator("caption").inner_text() and "#" not in page.url


@pytest.mark.slow
def test_a_narrow_window_sorts_by_the_list(show, page_of):
    page = show(page_of(40), width=500, fragment="#sort=-node").page
    assert page.get_by_role("button", name="Time").count() == 0
    found = names(page)[:10]
    assert found == sorted(found, reverse=True)


AGES = [
    # How long after the check, the interval, whether the check is late, what is in the words.
    ("2026-11-25T08:00:30Z", DAY, False, "less than a minute ago"),
    ("2026-11-26T07:59:00Z", DAY, False, "23 hours ago"),
    # The check itself takes time: no accusation before a tenth of the interval has passed.
    ("2026-11-26T10:00:00Z", DAY, False, "26 hours ago"),
    ("2026-11-26T10:30:00Z", DAY, True, "26 hours ago, and one is due every 24 hours"),
    ("2026-11-25T09:10:00Z", 3600, False, "70 minutes ago"),
    ("2026-11-25T09:20:00Z", 3600, True, "80 minutes ago, and one is due every 60 minutes"),
    ("2026-11-29T08:00:00Z", 7 * DAY, False, "4 days ago"),
    ("2026-11-26T07:00:00Z", None, False, "23 hours ago"),
    ("2026-11-26T09:00:00Z", None, True, "more than a day ago"),
    # The clock of the person is behind.
    ("2026-11-25T07:00:00Z", DAY, False, "2026-11-25 08:00:00 UTC."),
]


@pytest.mark.slow
@pytest.mark.parametrize(("now", "interval", "late", "words"), AGES)
def test_an_old_check_is_said_to_be_old_in_words(show, make, now, interval, late, words):
    report = make(make_cluster(4), None, CHECKED)
    report["interval"] = interval
    page = show(make_page(report), now=now).page
    assert page.locator("#late").is_visible() is late
    assert words in page.locator("header").inner_text()


@pytest.mark.slow
def test_a_page_that_stays_open_gets_old(show, make):
    report = make(make_cluster(4), None, CHECKED)
    report["interval"] = 3600
    page = show(make_page(report), now="2026-11-25T08:01:00Z").page
    assert not page.locator("#late").is_visible()
    page.clock.run_for(2 * 3600 * 1000)
    assert page.locator("#late").is_visible()


@pytest.mark.slow
def test_a_check_of_one_node_does_not_hide_that_the_others_are_old(show, make):
    hosts = make_cluster(40)
    report = make(hosts, make(hosts, None, "2026-11-20T08:00:00Z"), CHECKED, limit=["titan-0001"])
    page = show(make_page(report), now="2026-11-25T08:10:00Z").page
    assert "10 minutes ago" in page.locator("#checked").inner_text()
    assert "Most nodes were last checked more than a day ago" in page.locator("#late").inner_text()


@pytest.mark.slow
def test_an_earlier_report_accuses_no_timer_and_leads_to_its_own_json(show, make):
    text = make_page(make(make_cluster(4), None, CHECKED))
    page = show(text, now="2027-01-01T00:00:00Z", name="report-20261125T080000Z.html").page
    assert page.locator("#late").inner_text() == "This is an earlier report, kept when the state changed."
    assert page.locator("#json").get_attribute("href") == "report-20261125T080000Z.json"
    assert show(text).page.locator("#json").get_attribute("href") == "report.json"


@pytest.mark.slow
def test_what_is_new_is_counted_and_shown(show, make):
    hosts = make_cluster(100)
    first = make(hosts, None, "2026-11-24T08:00:00Z")
    for name in ("h100-0097", "h100-0098"):
        hosts[name]["torch_check_result"] = make_result("failed", KINDS[3], name, 15)
    page = show(make_page(make(hosts, first, CHECKED))).page
    page.locator(".totals").get_by_role("link", name="2 new").click()
    wait_for(page, "2 of 100 nodes")
    assert names(page) == ["h100-0097", "h100-0098"] and page.url.endswith("#verdict=new")
    assert page.locator(".troubles .new").all_inner_texts() == ["new"]
    assert show(make_page(first)).page.locator(".new").count() == 0
