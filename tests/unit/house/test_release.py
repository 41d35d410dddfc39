# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is published: addresses, versions, changelog fragments, and what an image for Ansible has to hold."""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
import sys
import typing as t

import pytest
import yaml

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
CHANGELOGS = CHECKOUT / "changelogs"
# A release moves the fragments into changelog.yaml.
FRAGMENTS = sorted([*(CHANGELOGS / "fragments").glob("*.yml"), *CHANGELOGS.glob("changelog.yaml")])
# How documentation of plugins marks code and options. A changelog is reStructuredText: it would show the marks.
PLUGIN_MARKUP = re.compile(r"\b(?:[BCEILMOPRUV]|RV|HORIZONTALLINE)\(")


def load(path: str) -> t.Any:
    return yaml.safe_load((CHECKOUT / path).read_text(encoding="utf-8"))


def lines_with_plugin_markup(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if PLUGIN_MARKUP.search(re.sub("``.*?``", "", line))]


@pytest.mark.parametrize("path", FRAGMENTS, ids=lambda path: path.name)
def test_a_fragment_is_written_as_a_changelog_is(path: pathlib.Path) -> None:
    """Code stands between two backticks: ``conda``."""
    assert lines_with_plugin_markup(path.read_text(encoding="utf-8")) == []


def test_what_is_plugin_markup() -> None:
    assert lines_with_plugin_markup("- role conda - C(x) is new\n") == ["- role conda - C(x) is new"]
    assert lines_with_plugin_markup("- filter - ``C(x)`` and size (GB) and f(x)\n") == []


def test_the_addresses_are_those_of_one_repository() -> None:
    galaxy = load("galaxy.yml")
    assert galaxy["homepage"] == galaxy["repository"]
    assert galaxy["issues"] == galaxy["repository"] + "/issues"
    assert galaxy["documentation"].startswith(galaxy["repository"] + "/tree/main/")
    assert (CHECKOUT / galaxy["documentation"].partition("/tree/main/")[2]).is_dir()


def test_everything_was_added_in_a_version_that_is_or_will_be_published() -> None:
    """The changelog lists as new what was added in the version that is being published."""
    published = {*load("changelogs/changelog.yaml")["releases"], load("galaxy.yml")["version"]}
    added = {
        (str(path.relative_to(CHECKOUT)), version)
        for folder in ("plugins", "roles")
        for path in (CHECKOUT / folder).rglob("*")
        if path.suffix in (".py", ".yml")
        for version in re.findall(
            r"^ *version_added: *['\"]?([\w.+-]+)", path.read_text(encoding="utf-8"), re.MULTILINE
        )
    }
    assert added
    assert [entry for entry in sorted(added) if entry[1] not in published] == []


def test_an_image_for_ansible_gets_what_the_controller_needs(tmp_path: pathlib.Path) -> None:
    """ansible-builder finds the packages of requirements/controller.txt and the client of ssh."""
    collection = tmp_path / "ansible_collections" / "hpc" / "pytorch"
    shutil.copytree(CHECKOUT / "meta", collection / "meta")
    shutil.copy(CHECKOUT / "galaxy.yml", collection)
    shown = subprocess.run(
        [sys.executable, "-m", "ansible_builder", "introspect", str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found = yaml.safe_load(shown)
    controller = re.findall(r"^([\w-]+)==", (CHECKOUT / "requirements/controller.txt").read_text("utf-8"), re.MULTILINE)
    python = {re.split(r"[^\w-]", line)[0] for line in found["python"]}
    assert python == set(controller) - {"ansible-core"} != set()
    assert {line.split(" ")[0] for line in found["system"]} == {"openssh-client", "openssh-clients"}
