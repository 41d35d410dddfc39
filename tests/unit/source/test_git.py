# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials of git in lines for pip: in variables, not in an address."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._source.git import without_git_credentials

# "alice:pa55/word", "TOKEN:" in base64.
ALICE, TOKEN = "YWxpY2U6cGE1NS93b3Jk", "VE9LRU46"


@pytest.mark.parametrize(
    "line, clean, key, header",
    [
        ("git+https://TOKEN@host/o/r@v1#egg=x", "git+https://host/o/r@v1#egg=x", "https://host/o/r", TOKEN),
        ("x @ git+https://alice:pa55%2Fword@host:8443/r", "x @ git+https://host:8443/r", "https://host:8443/r", ALICE),
        ("-e git+HTTP://${T}@host/r.git", "-e git+HTTP://host/r.git", "http://host/r.git", TOKEN),
    ],
)
def test_they_are_given_by_variables(line, clean, key, header):
    lines, settings = without_git_credentials(["torch", line], {"T": "TOKEN", "GIT_CONFIG_COUNT": "2"})
    assert lines == ["torch", clean] and "TOKEN" not in repr(settings)
    assert {name: secret.reveal() for name, secret in settings.items()} == {
        "GIT_CONFIG_COUNT": "3",
        "GIT_CONFIG_KEY_2": "http.%s.extraHeader" % key,
        "GIT_CONFIG_VALUE_2": "Authorization: Basic " + header,
    }


@pytest.mark.parametrize(
    "line",
    [
        "torch",
        "git+https://host/o/r@v1",
        "git+ssh://git@host/o/r@v1",
        "git+file:///srv/r@v1",
        "x @ https://T@host/x.whl",
    ],
)
def test_other_lines_stay_as_they_are(line):
    assert without_git_credentials([line], {}) == ([line], {})
