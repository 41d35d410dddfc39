# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The docs site's code, and the Markdown files of the checkout."""

from __future__ import annotations

import importlib.util
import pathlib
import subprocess
import typing as t

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]


def load(path: str) -> t.Any:
    """A file of the checkout as a module."""
    spec = importlib.util.spec_from_file_location("docs_" + pathlib.Path(path).stem, CHECKOUT / path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sources() -> list[str]:
    """What git knows or would add."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=%s" % CHECKOUT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    names = {name for name in listing.split("\0") if name and not name.startswith(".collections/")}
    return sorted(name for name in names if (CHECKOUT / name).is_file())


def markdown() -> list[str]:
    """Every Markdown file but those of tests."""
    return [name for name in sources() if name.endswith(".md") and not name.startswith("tests/unit/")]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes ``markdown_file`` runs for each Markdown file."""
    if "markdown_file" in metafunc.fixturenames:
        metafunc.parametrize("markdown_file", markdown())


@pytest.fixture(name="checkout")
def fixture_checkout() -> pathlib.Path:
    return CHECKOUT


@pytest.fixture(name="pages")
def fixture_pages() -> t.Any:
    return load("tools/docs/pages.py")


@pytest.fixture(name="sources")
def fixture_sources() -> list[str]:
    return sources()
