# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Channels that are folders of this machine."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.channels import channel_folder, missing_channel


@pytest.mark.parametrize(
    "channel, folder",
    [
        ("file:///srv/my%20channel", "/srv/my channel"),
        ("/srv/channel", "/srv/channel"),
        ("https://example.org/channel", None),
        ("conda-forge", None),
    ],
)
def test_the_folder_of_a_channel(channel, folder):
    assert channel_folder(channel) == folder


def test_a_folder_in_the_home_directory(home):
    assert channel_folder("~/channel") == "%s/channel" % home


def test_a_channel_without_an_index_is_missing(tmp_path):
    index = tmp_path / "with blank/noarch/repodata.json"
    address = "file://%s/with%%20blank" % tmp_path
    assert missing_channel(["conda-forge", address]) == address
    index.parent.mkdir(parents=True)
    index.write_text("{}")
    assert missing_channel(["conda-forge", address]) is None
