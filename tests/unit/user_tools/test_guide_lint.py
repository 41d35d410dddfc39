# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""guide-lint at a shell: folders, formats, what it prints, and its exit status."""

from __future__ import annotations

import json
import pathlib

import pytest

OLD = "# GPUs\n\n```\nconda install pytorch -c pytorch\npip install torch==2.4.2\n```\n"
FIRST = (
    "docs/gpu.md:4: warning: the channel pytorch ended at torch 2.5.1, of October 2024: that is what the line installs"
    " [channel-ended]; write: conda install pytorch -c conda-forge"
)
SECOND = "docs/gpu.md:5: error: torch 2.4.2 was never released [no-such-release]; write: pip install torch==2.4.1"


@pytest.fixture
def docs(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "docs"
    (folder / ".git").mkdir(parents=True)
    (folder / "gpu.md").write_text(OLD)
    (folder / ".git" / "old.md").write_text(OLD)
    (folder / "logo.png").write_bytes(b"\0")
    return folder


def test_a_folder_stands_for_its_pages(tool, docs) -> None:
    done = tool("guide-lint", "docs")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.split("\n") == [FIRST, SECOND, ""]


def test_an_archive_is_no_guide_wherever_the_guide_is(tool, docs, tmp_path) -> None:
    for folder, status in (("docs/archive", 0), ("archive/docs", 1), ("old", 1)):
        page = tmp_path / folder / "a.md"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(OLD)
        assert tool("guide-lint", str(page)).returncode == status
    assert tool("guide-lint", "docs/archive/a.md").returncode == 0


def test_a_good_page_has_no_output(tool, docs) -> None:
    (docs / "gpu.md").write_text("Install torch: `pip install torch`.\n")
    done = tool("guide-lint", "docs")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_severity_that_counts_and_codes_left_out(tool, docs) -> None:
    assert tool("guide-lint", "--fail-on", "error", "--ignore", "no-such-release", "docs").returncode == 0
    assert tool("guide-lint", "--ignore", "channel-ended, no-such-release", "docs").stdout == ""
    done = tool("guide-lint", "--ignore", "no-such-code", "docs")
    assert done.returncode == 2 and "expected ignore to hold codes of findings" in done.stderr


def test_it_reads_its_input_in_any_format(tool) -> None:
    page = b"<p>x</p><pre>conda install pytorch -c pytorch</pre>"
    for arguments in ((), ("--format", "html")):
        assert tool("guide-lint", *arguments, "-", stdin=page).stdout.startswith("<stdin>:1: warning: the channel")


def test_json_and_sarif(tool, docs) -> None:
    first, second = json.loads(tool("guide-lint", "--json", "docs").stdout)
    assert (first["file"], first["line"], second["code"]) == ("docs/gpu.md", 4, "no-such-release")
    run = json.loads(tool("guide-lint", "--sarif", "docs").stdout)["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"] == "guide-lint"
    assert [rules[each["ruleIndex"]]["id"] for each in run["results"]] == ["channel-ended", "no-such-release"]
    codes = [code["name"] for code in json.loads(tool("guide-lint", "--list", "--json").stdout)]
    assert {"channel-ended", "misspelt-option"} <= set(codes) and len(codes) == len(set(codes))


def test_warnings_about_job_scripts(tool, docs) -> None:
    (docs / "gpu.md").write_text("```\n#!/bin/bash\n#SBATCH --gres=gpu:1\npython t.py\n```\n")
    assert tool("guide-lint", "docs").stdout == ""
    assert "docs/gpu.md:2: warning: no memory is requested" in tool("guide-lint", "--all-warnings", "docs").stdout


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((), "expected at least one PAGE, or - for the standard input"),
        (("empty",), "expected a folder with pages at empty; found none that ends in .md, .rst or .html"),
        (("missing.md",), "expected a page at missing.md"),
        (("--json", "--sarif", "docs"), "expected one of --json and --sarif"),
    ],
)
def test_what_it_cannot_read(tool, docs, tmp_path, arguments: tuple[str, ...], message: str) -> None:
    (tmp_path / "empty").mkdir()
    done = tool("guide-lint", *arguments)
    assert done.returncode == 2 and message in done.stderr, done.stderr
