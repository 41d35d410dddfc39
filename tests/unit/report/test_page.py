# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page as text: what came in from outside is text in it, and nothing is fetched."""

from __future__ import annotations

import base64
import hashlib
import html
import html.parser
import re

import pytest
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.html import make_page

from .generate import KINDS, TRACEBACK, XID, make_cluster, make_result

ATTACKS = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" x="',
    "' onfocus='alert(1)' autofocus='",
    "--><svg onload=alert(1)>",
    "<!--",
    "</title><base href=//evil>",
    "&lt;script&gt; &amp; {{ 7 * 7 }} {% raw %}",
    "javascript:alert(1)",
    "\x00\x1b]0;title\x07\u202e\u2028",
)


class Page(html.parser.HTMLParser):
    """Elements with their attributes, and the text between them."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.texts = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)

    def of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def attacked(make, attack):
    """Every text that can come from outside is the attack."""
    result = make_result("failed", KINDS[0], 1)
    result["summary"] = attack
    result["reasons"] = [dict.fromkeys(("code", "message", "remedy"), attack)] * 2
    result["torch"] = dict.fromkeys(("version", "cuda", "hip"), attack)
    result["python"] = {"version": attack, "prefix": attack}
    result["driver"] = attack
    device = {
        "index": 0,
        "name": attack,
        "compute_capability": attack,
        "memory": 1,
        "passed": False,
        "error": attack,
        "seconds": 1.0,
    }
    result["devices"] = [device]
    result["output"] = "\n".join([attack] * 3)
    result["node"] = {"kernel_log": [attack] * 3}
    before = make({attack: {"groups": [attack], "torch_check_result": make_result("ok", KINDS[0], 1)}})
    hosts = {attack: {"groups": [attack], "torch_check_result": result, "hpc_gpu_type": attack, "hpc_gpu_count": 1}}
    report = make(hosts, before, "2026-11-25T08:00:00Z")
    report["inventory"] = report["generator"] = report["nodes"][0]["name"]
    return report


def shape(text):
    """Elements and the names of their attributes."""
    return [(tag, sorted(attributes)) for tag, attributes in Page(text).elements]


@pytest.mark.parametrize("attack", ATTACKS)
def test_text_from_a_node_stays_text(make, attack):
    text = make_page(attacked(make, attack))
    # The same elements and attributes as for a harmless word: nothing broke out.
    assert shape(text) == shape(make_page(attacked(make, "harmless")))
    message = attacked(make, attack)["nodes"][0]["reasons"][0]["message"]
    assert sum(message in piece for piece in "".join(Page(text).texts).split("\n")) >= 3
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2028\u2029]", text)


def test_the_page_may_run_its_own_script_and_load_nothing(make, cluster):
    page = Page(make_page(make(cluster)))
    (policy,) = [item["content"] for item in page.of("meta") if item.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy
    text = make_page(make(cluster))
    for tag in ("style", "script"):
        (content,) = re.findall(r"<%s>(.*?)</%s>" % (tag, tag), text, re.DOTALL)
        assert base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() in policy
    for _tag, attributes in page.elements:
        assert not {"src", "style", "srcset", "action"} & set(attributes)
        # The JSON next to the page, and places in the page.
        assert attributes.get("href", "#").startswith("#") or attributes["href"] == "report.json"
        assert not [name for name in attributes if name.startswith("on")]
    assert not re.search(r"url\(|@import|https?://", text)


def test_every_node_is_in_it_the_failed_ones_first(make):
    hosts = make_cluster(700)
    report = make(hosts)
    text = make_page(report)
    for node in report["nodes"]:
        assert '<th scope="row">%s</th>' % node["name"] in text
    verdicts = re.findall(r'<tbody data-verdict="(\w+)">', text.partition("<h3>titan</h3>")[2].partition("</table>")[0])
    assert len(verdicts) == 175 and verdicts == sorted(
        verdicts, key=["failed", "unreachable", "not_checked", "cpu_only", "ok"].index
    )


def test_a_large_page_is_small_and_folded_up(make):
    text = make_page(make(make_cluster(2000)))
    assert len(text.encode()) < 2_000_000
    assert '<details class="partition" open' not in text
    assert '<details class="partition" open' in make_page(make(make_cluster(40)))


def test_changes_and_earlier_times_are_said(make, cluster):
    first = make(cluster)
    cluster["titan-0001"]["torch_check_result"] = make_result("failed", KINDS[0], 1, 1)
    text = make_page(make(cluster, first, "2026-11-25T08:00:00Z", limit=["titan-0001"]))
    # One more was not checked at all.
    assert "58 nodes as found by earlier runs" in text
    assert "Since 2026-11-24 08:00:00 UTC:" in text
    assert "<b>verdict ok → failed</b>" in text
    assert text.count("on 2026-11-24 08:00:00 UTC</small>") == 58


def test_it_says_when_it_was_checked_and_since_when_a_trouble_is_there(make):
    hosts = make_cluster(40)
    first = make(hosts, None, "2026-11-20T08:00:00Z")
    hosts["h100-0037"]["torch_check_result"] = make_result("failed", KINDS[3], 1, 15)
    second = make(hosts, first, "2026-11-23T07:30:00Z")
    second["interval"] = 86400
    text = make_page(second)
    assert 'Last checked <time datetime="2026-11-23T07:30:00Z">2026-11-23 07:30:00 UTC</time>' in text
    assert "A check is due every 24 hours, the next one by " in text and "2026-11-24 07:30:00 UTC" in text
    troubles = re.findall(r'<li id="trouble-(\w+)">(.*?)</li>', text, re.DOTALL)
    assert len({key for key, _text in troubles}) == len(troubles) >= 3
    for _key, trouble in troubles:
        is_new = "h100-0037" in trouble
        assert ('<strong class="new">new</strong>' in trouble) is is_new
        assert ("Failing for 2 days, since" in trouble) is not is_new
    # The same trouble keeps its key, so that an address that was sent still names it.
    assert {key for key, _text in re.findall(r'<li id="trouble-(\w+)">(.*?)</li>', make_page(first), re.DOTALL)} == {
        key for key, trouble in troubles if "h100-0037" not in trouble
    }


def test_every_link_has_its_place_in_the_page(make):
    hosts = make_cluster(300)
    hosts["odd name (1) & \u00fc"] = hosts["titan-0001"] | {"torch_check_result": make_result("failed", KINDS[0], 1, 2)}
    page = Page(make_page(make(hosts)))
    ids = [attributes["id"] for _tag, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids)) and all(not re.search(r"\s", name) for name in ids)
    links = [attributes["href"] for attributes in page.of("a")]
    assert [link for link in links if link.startswith("#") and link[1:] not in ids] == []
    assert "#node-odd%20name%20%281%29%20%26%20%C3%BC" in links


def test_every_code_that_a_detector_has_is_explained(make):
    report = make(make_cluster(700))
    text = make_page(report)
    for code in report["totals"]["codes"]:
        assert '<dt id="cause-%s">' % code in text and '<a href="#cause-%s">' % code in text
    assert "There is no kernel module, or no <code>libcuda.so.1</code>." in text
    # Only those that the report has.
    assert "cause-nccl_failed" not in text


def test_the_last_lines_are_those_of_failed_nodes(make):
    text = make_page(make(make_cluster(40)))
    shown = re.findall(r"<pre>(.*?)</pre>", text, re.DOTALL)
    assert len(shown) == 4 and html.unescape(shown[0]) == TRACEBACK and html.unescape(shown[1]) == XID + "\n"
