# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths, versions, tags of owners and values in messages: the helpers that every room shares."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common import versions
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError, printable, shown, some
from ansible_collections.hpc.pytorch.plugins.module_utils._files import paths


@pytest.mark.parametrize("value", ["envs/torch", "", "~/x", "/a\nb", "/a\0b", "/a\u202eb"])
def test_a_path_that_is_not_absolute_or_not_printable_is_refused(value: str) -> None:
    with pytest.raises(UserError, match="expected prefix to be an absolute path; found .*; remedy: (give|take) "):
        paths.require_absolute("prefix", value)


def test_a_long_token_in_an_address_is_not_shown_when_the_address_is_cut() -> None:
    with pytest.raises(UserError) as caught:
        paths.require_absolute("upstream", "s3://bob:%s@example.org/channel" % ("eyJ0" * 25))
    assert "eyJ0" not in str(caught.value)


@pytest.mark.parametrize("value", [None, "/", "/opt/app env/ü"])
def test_an_absolute_path_is_accepted(value: str | None) -> None:
    paths.require_absolute("prefix", value)


def test_the_nearest_part_that_exists(tmp_path: pathlib.Path) -> None:
    (tmp_path / "dangling").symlink_to("nowhere")
    assert paths.nearest_existing(str(tmp_path / "a/b/c")) == str(tmp_path)
    assert paths.nearest_existing(str(tmp_path / "dangling")) == str(tmp_path / "dangling")
    assert paths.nearest_existing("/no/such/folder") == "/"


def test_versions_compare_by_number() -> None:
    assert versions.numbers("450.80.02") == (450, 80, 2)
    assert versions.key("2.13") == versions.key("2.13.0") < versions.key("2.13.1") < versions.key("2.100")
    assert versions.starts_with("2.13.0", "2.13") and not versions.starts_with("1.10.0", "1.1")
    assert (versions.major_minor("3.8.18"), versions.previous_minor("3.10")) == ("3.8", "3.9")
    assert versions.is_version("12.9") and not versions.is_version(3.1) and not versions.is_version("1.x")


def test_values_in_messages() -> None:
    assert printable("a ü") and not printable("") and not printable("a\n")
    assert shown("x" * 200) == "'" + "x" * 76 + "..." and shown(3) == "3"
    assert some(["a", "b"], 2) == "a, b" and some(["a", "b", "c"], 2) == "a, b and 1 more"
