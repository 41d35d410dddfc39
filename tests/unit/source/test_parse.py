# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one parser of where something comes from. Which of it root refuses is in tests/site/attack/test_sources.py."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._source.lock import ChannelNames
from ansible_collections.hpc.pytorch.plugins.module_utils._source.parse import local_path, parse
from ansible_collections.hpc.pytorch.plugins.module_utils._source.pip_line import logical_lines, named_in


@pytest.mark.parametrize(
    "text, kind, path",
    [
        ("conda-forge", "name", None),
        ("conda-forge/label/x", "name", None),
        ("a/../b", "unknown", None),
        ("https://host/c", "web", None),
        ("HTTP://host", "web", None),
        ("https:host/c", "unknown", None),
        ("https://", "unknown", None),
        ("mailto:alice", "unknown", None),
        ("C:/x", "unknown", None),
        ("/srv/c", "path", "/srv/c"),
        ("/srv/c/", "path", "/srv/c"),
        ("//srv//c", "path", "/srv//c"),
        ("/srv/a/../c", "path", "/srv/c"),
        ("/srv/a?b", "path", "/srv/a?b"),
        ("file:///srv/my%20channel", "path", "/srv/my channel"),
        ("FILE:/srv/c", "path", "/srv/c"),
        ("file://LocalHost/srv/c?x#y", "path", "/srv/c"),
        ("file://host/srv/c", "unknown", None),
        ("file:c", "unknown", None),
        ("git+file:///srv/r", "path", "/srv/r"),
        ("./c", "unknown", None),
        ("$HOME/c", "unknown", None),
        ("/srv/\0", "unknown", None),
        ("file:///srv/%00", "unknown", None),
        (" /srv", "unknown", None),
        ("\\\\host\\c", "unknown", None),
        ("", "unknown", None),
    ],
)
def test_what_a_text_names(text, kind, path):
    source = parse(text)
    assert (source.kind, source.path) == (kind, path) and bool(source.why) == (kind == "unknown")


def test_a_path_has_every_reading_of_it():
    assert parse("/srv/l/../c").paths == ("/srv/c", "/srv/l/../c")
    assert parse("file:///srv/%252e").paths == ("/srv/%2e", "/srv/.", "/srv/%252e")
    assert "/etc" in parse("file:///srv/%2e%2e/etc").paths


def test_a_relative_path_starts_from_a_named_folder_and_never_from_the_current_one(monkeypatch):
    monkeypatch.setenv("HOME", "/home/alice")
    assert parse("x.txt", "/srv", named=False).path == "/srv/x.txt"
    assert parse("x.txt", named=False).kind == "unknown"
    assert parse("~/c").path == "/home/alice/c"


@pytest.mark.parametrize(
    "url, path", [("file:///a%20b", "/a b"), ("FILE:/a", "/a"), ("https://h/a", None), ("/a", None), ("", None)]
)
def test_the_path_in_an_address_of_a_file(url, path):
    assert local_path(url) == path


def test_lines_are_joined_and_comments_left_out_as_pip_does():
    assert logical_lines("a \\\nb\n# c \\\nd # e\nf#g\n\n\u2028h\\") == ["a b", "d", "f#g", "h"]


@pytest.mark.parametrize(
    "line, found",
    [
        ("torch>=2 --hash=sha256:00", []),
        ("-r a.txt -c b.txt", [("file", "a.txt"), ("file", "b.txt")]),
        ("--find-l='/a b' --pre", [("folder", "/a b")]),
        ("-ihttps://h/s", [("index", "https://h/s")]),
        ("-e /a[x]", [("requirement", "/a[x]")]),
        ("x @ file:///a ; y", [("requirement", "file:///a")]),
        ("--e /a", [("other", "/a")]),
        ("x --config-settings=a=/b", [("other", "/b")]),
    ],
)
def test_what_a_line_names(line, found):
    assert [(each.role, each.texts[0]) for each in named_in(line)] == found


def test_what_a_condarc_makes_of_a_name():
    names = ChannelNames("https://alias/", {"lab": ["https://host/lab"], "defaults": ["main", "https://host/r"]})
    assert names.of("lab") == ["https://host/lab"] and names.of("x") == ["https://alias/x"]
    assert names.of("defaults") == ["https://alias/main", "https://host/r"]
    assert ChannelNames().of("conda-forge") == ["https://conda.anaconda.org/conda-forge"]
    assert "https://repo.anaconda.com/pkgs/main" in ChannelNames().of("defaults")
