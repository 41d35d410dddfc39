# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may lie in the folder of a check instead of a node's answer."""

from __future__ import annotations

import json
import os

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.fleet.answer import end_of_output, read_answer
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.fleet.outcome import NoAnswer

GOOD = {"verdict": "ok", "summary": "ok: torch 2.9.0", "reasons": [], "devices": [{"index": 0}], "node": "n1"}


def _sparse(path):
    with open(path, "wb") as stream:
        stream.truncate(2**31)


ODD = {
    "nothing": b"",
    "no JSON": b"{",
    "binary": bytes(range(256)),
    "a list": b"[]",
    "a text": b'"ok"',
    "deep": b"[" * 10**6,
    "a number without an end": b'{"verdict": %s}' % (b"9" * 10**6),
    "too large": b'{"a": "%s"}' % (b"x" * 5 * 10**6),
    "another verdict": json.dumps(dict(GOOD, verdict="fine")).encode(),
    "a verdict that is a list": json.dumps(dict(GOOD, verdict=["ok"])).encode(),
    "no summary": json.dumps(dict(GOOD, summary=None)).encode(),
    "reasons of texts": json.dumps(dict(GOOD, reasons=["x"])).encode(),
    "devices that are a number": json.dumps(dict(GOOD, devices=10**9)).encode(),
    "a refusal that is a text": b'{"refused": "x", "node": "n1"}',
    "a refusal of numbers": b'{"refused": {"expected": 1, "found": 2, "remedy": 3}, "node": "n1"}',
}


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_an_answer_that_is_none(tmp_path, content):
    (tmp_path / "0.json").write_bytes(content)
    outcome = read_answer(str(tmp_path / "0.json"), "n1")
    assert outcome.answer is None and outcome.reason is NoAnswer.ENDED and "not understood" in outcome.detail


PLANTED = {
    "pipe": os.mkfifo,
    "sparse": _sparse,
    "folder": os.mkdir,
}


@pytest.mark.parametrize("plant", PLANTED.values(), ids=PLANTED)
def test_what_is_no_file_of_an_answer(tmp_path, plant):
    plant(tmp_path / "0.json")
    assert read_answer(str(tmp_path / "0.json"), "n1").answer is None
    assert end_of_output(str(tmp_path / "0.json")).replace("\\x00", "") == ""


@pytest.mark.parametrize("target", ["/dev/zero", "/etc/passwd", "none"])
def test_a_link_is_not_followed(tmp_path, target):
    (tmp_path / "0.json").symlink_to(target)
    assert read_answer(str(tmp_path / "0.json"), "n1").answer is None
    assert end_of_output(str(tmp_path / "0.json")) == ""


@pytest.mark.parametrize("name", ["n2", "\x1b[2J", 7, None, ["n1"], "n" * 10**5])
def test_another_node(tmp_path, name):
    (tmp_path / "0.json").write_text(json.dumps(dict(GOOD, node=name)))
    outcome = read_answer(str(tmp_path / "0.json"), "n1")
    assert outcome.reason is NoAnswer.OTHER_NODE and outcome.detail.isprintable() and len(outcome.detail) < 300


def test_a_good_answer(tmp_path):
    (tmp_path / "0.json").write_text(json.dumps(GOOD))
    found = read_answer(str(tmp_path / "0.json"), "n1")
    assert found.answer == {key: value for key, value in GOOD.items() if key != "node"}


@pytest.mark.parametrize("text", ["a\u2028b\n\x1b[2Jc\n", "x" * 10**6, "\r\r\x85\n", "\x00" * 9000])
def test_the_end_of_an_output_is_one_line(tmp_path, text):
    (tmp_path / "7_0.out").write_text(text, encoding="utf-8")
    assert end_of_output(str(tmp_path / "7_0.out")).isprintable()
    assert len(end_of_output(str(tmp_path / "7_0.out"))) < 2500
