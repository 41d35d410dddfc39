# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Links of the Markdown files are alive, on a forge and on the docs site, and the site's menu names every guide."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
import tarfile
import typing as t

import pytest
import yaml


def test_links_are_alive(pages: t.Any, checkout: pathlib.Path, markdown_file: str) -> None:
    text = (checkout / markdown_file).read_text(encoding="utf-8")
    dead = []
    for address in pages.links(text):
        if not pages.EXTERNAL.match(address):
            try:
                pages.target(checkout, markdown_file, address)
            except pages.DeadLink as error:
                dead.append(str(error))
    assert dead == []


def test_a_link_to_the_repository_names_a_file_that_exists(checkout: pathlib.Path) -> None:
    """In docs/docsite, whose pages are shown elsewhere."""
    repository = yaml.safe_load((checkout / "galaxy.yml").read_text(encoding="utf-8"))["repository"]
    text = "".join(
        file.read_text(encoding="utf-8") for file in (checkout / "docs/docsite").rglob("*") if file.is_file()
    )
    found = re.findall(re.escape(repository) + r"/(?:blob|tree)/main/([^\s>]+)", text)
    assert len(found) > 10
    assert [name for name in found if not (checkout / name).exists()] == []


def test_the_menu_and_the_first_page_name_every_page_of_docs(pages: t.Any, checkout: pathlib.Path) -> None:
    menu = yaml.safe_load((checkout / "tools/docs/menu.yml").read_text(encoding="utf-8"))
    named = [name for names in menu.values() for name in names if name.endswith(".md")]
    made = pages.pages(checkout)
    assert sorted(name for name in made if name.startswith("docs/") and name != pages.FIRST) == sorted(
        name for name in named if name.startswith("docs/")
    )
    assert [name for name in named if name not in made] == []
    first = (checkout / pages.FIRST).read_text(encoding="utf-8")
    linked = {pages.target(checkout, pages.FIRST, link)[0] for link in pages.links(first)}
    assert sorted(set(named) - linked) == []


def test_both_languages_say_the_same(checkout: pathlib.Path) -> None:
    """Word for word that is for people. By program: the same sections, code blocks and links, in the same order."""
    shapes = []
    for name in ("README.md", "README.zh.md"):
        text = (checkout / "docs/researchers" / name).read_text(encoding="utf-8")
        links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if not link.startswith("README")]
        shapes.append(
            [
                re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL),
                [line.split(" ")[0] for line in text.splitlines() if line.startswith("#")],
                [line.count("|") for line in text.splitlines() if line.startswith("|")],
                links,
            ]
        )
    assert shapes[0] == shapes[1]


def test_the_chinese_readme_shows_blocks_of_the_english_one_in_their_order(checkout: pathlib.Path) -> None:
    english, chinese = (
        re.findall(r"^```.*?^```", (checkout / name).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        for name in ("README.md", "README.zh-CN.md")
    )
    assert len(chinese) > 3 and chinese == english[: len(chinese)]


@pytest.fixture(name="small")
def fixture_small(tmp_path: pathlib.Path) -> pathlib.Path:
    for name, text in {
        "docs/README.md": "# Start\n[a](a.md#one-two), [r](../roles/conda), ![p](p.svg)\n",
        "docs/a.md": "# A\n## One two\n[r](../roles/conda/README.md#x-1) [f](../site.yml) [d](../roles) [w](https://e.org)\n"
        "`[no](none.md)`\n```text\n[no](none.md)\n```\n[top](README.md)\n",
        "docs/p.svg": "",
        "roles/conda/README.md": "# X\n## X\n",
        "site.yml": "",
        "README.md": "[a](docs/a.md)\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_a_page_of_the_site_has_the_links_of_the_file(pages: t.Any, small: pathlib.Path) -> None:
    made = pages.pages(small)
    assert made == {
        "docs/README.md": "index.md",
        "docs/a.md": "docs/a.md",
        "roles/conda/README.md": "roles/conda/README.md",
    }
    first = pages.converted(small, "docs/README.md", made, "https://r")
    assert first == "# Start\n[a](docs/a.md#one-two), [r](roles/conda/README.md), ![p](docs/p.svg)\n"
    text = pages.converted(small, "docs/a.md", made, "https://r")
    assert "[r](../roles/conda/README.md#x-1) [f](https://r/blob/main/site.yml) [d](https://r/tree/main/roles)" in text
    assert "[w](https://e.org)\n`[no](none.md)`\n```text\n[no](none.md)\n```\n[top](../index.md)\n" in text


@pytest.mark.parametrize("address", ["none.md", "a.md#none", "../../outside.md", "#none", "../roles/none"])
def test_a_dead_link_is_an_error(pages: t.Any, small: pathlib.Path, address: str) -> None:
    (small / "docs/b.md").write_text("# B\n[x](%s)\n" % address, encoding="utf-8")
    with pytest.raises(pages.DeadLink):
        pages.target(small, "docs/b.md", address)
    assert pages.links("[x](%s) `[y](z)`" % address) == [address]


def test_headings_are_named_as_a_forge_names_them(pages: t.Any) -> None:
    text = "# What's `in` it?\n## Two, [linked](x.md)\n## Two\n### Two\n## 1. 集群 上\n## a_b-c ##\n```\n# no\n```\n"
    assert pages.headings(text) == {"whats-in-it", "two-linked", "two", "two-1", "1-集群-上", "a_b-c"}


def test_links_are_alive_where_the_collection_is_installed(
    pages: t.Any, checkout: pathlib.Path, sources: list[str], tmp_path: pathlib.Path
) -> None:
    """In the tarball, which leaves out tests and tools."""
    copy = tmp_path / "copy"
    for name in sources:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes((checkout / name).read_bytes())
    command = [sys.executable, "-m", "ansible", "galaxy", "collection", "build", str(copy)]
    subprocess.run([*command, "--output-path", str(tmp_path)], check=True, capture_output=True)
    (built,) = tmp_path.glob("*.tar.gz")
    installed = tmp_path / "installed"
    with tarfile.open(built) as archive:
        # The filter of newer Pythons is not needed for an archive that was built here.
        archive.extractall(installed)
    found = [path.relative_to(installed).as_posix() for path in installed.rglob("*.md")]
    assert {"README.md", "docs/guide/tutorial.md", "roles/conda/README.md"} <= set(found)
    dead = []
    for name in found:
        for address in pages.links((installed / name).read_text(encoding="utf-8")):
            if not pages.EXTERNAL.match(address):
                try:
                    pages.target(installed, name, address)
                except pages.DeadLink as error:
                    dead.append(str(error))
    assert dead == []
