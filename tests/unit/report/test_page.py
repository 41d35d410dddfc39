# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page as text: what came in from outside is text in it, and nothing is fetched."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import re

import pytest
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.html import make_page

from .generate import KINDS, make_cluster, make_result

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
        assert attributes.get("href", "#").startswith("#")
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
