# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What site_look's action plugin sends to the host in place of long contents."""

from __future__ import annotations

import base64
import hashlib

import pytest
from ansible_collections.hpc.pytorch.plugins.plugin_utils._node.digests import with_digests

LONG = "caf\u00e9 \udcff\n" * 200
BYTES = LONG.encode("utf-8", "surrogateescape")
ENCODED = base64.b64encode(BYTES).decode("ascii")


def sent(*files):
    (part,) = with_digests({"parts": [{"name": "tools", "host_files": [{"files": list(files), "only_root": ["/x"]}]}]})[
        "parts"
    ]
    (step,) = part["host_files"]
    assert part["name"] == "tools" and step["only_root"] == ["/x"]
    return step["files"]


def test_a_long_content_becomes_its_digest_and_all_else_stays():
    digest = hashlib.sha256(BYTES).hexdigest()
    file = {"path": "/x/tool", "mode": "0755"}
    expected = dict(file, sha256=digest)
    assert sent(dict(file, content=LONG), dict(file, content_base64=ENCODED)) == [expected, expected]


@pytest.mark.parametrize(
    "file",
    [
        {"path": "/x", "content": "short"},
        {"path": "/x", "state": "absent"},
        {"path": "/x", "state": "link", "target": "y"},
        # These are for the module to refuse.
        {"path": "/x", "content": LONG, "content_base64": ENCODED},
        {"path": "/x", "content_base64": "!" * 2000},
        {"path": "/x", "content": ["no text"]},
        "no file",
    ],
)
def test_what_is_short_or_wrong_is_sent_as_it_is(file):
    assert sent(file) == [file]


@pytest.mark.parametrize("arguments", [{}, {"parts": "x"}, {"parts": [1]}, {"parts": [{"host_files": {}}]}])
def test_what_has_no_files_is_sent_as_it_is(arguments):
    assert with_digests(arguments) == arguments
