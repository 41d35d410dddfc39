# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where root takes the parts of an env from; only the question "am I root" is faked (see also tests/site/attack)."""

from __future__ import annotations

import os

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.apply.sources import require_trusted_sources
from ansible_collections.hpc.pytorch.plugins.module_utils._source.trusted import require_trusted_channels


@pytest.fixture
def open_folder(tmp_path, monkeypatch):
    """A folder that every user can write, used by root."""
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return folder


@pytest.mark.parametrize(
    "line",
    [
        "-r {}/requirements.txt",
        "-r{}/requirements.txt",
        "--find-links={}",
        "--find-links {}",
        "-e {}/src",
        "{}/tool.whl",
        "tool @ file://{}/tool.whl",
        "--find-links file://{}",
    ],
)
def test_a_path_in_a_line_for_pip_is_found(open_folder, line):
    with pytest.raises(UserError, match="a file for pip"):
        require_trusted_sources(None, [line.format(open_folder)], [])


@pytest.mark.parametrize(
    "line",
    ["--index-url https://index.example.org/simple", "torch==2.13.0+cu126", "tool @ https://example.org/a/b.whl"],
)
def test_an_address_or_a_requirement_is_no_path(open_folder, line):
    require_trusted_sources(None, [line], [])


@pytest.mark.parametrize("channel", ["file://{}/channel", "{}/channel", "file://{}/with%20blank"])
def test_a_channel_on_disk_counts_and_one_on_the_network_does_not(open_folder, channel):
    with pytest.raises(UserError, match="a channel at"):
        require_trusted_channels(["conda-forge", channel.format(open_folder)])
    require_trusted_channels(["conda-forge", "https://example.org/channel"])


def test_an_ordinary_user_takes_what_is_wanted(open_folder, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    require_trusted_channels([str(open_folder)])
