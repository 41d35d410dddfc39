# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A browser, and pages opened in it."""

from __future__ import annotations

import pathlib
import shutil
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report.html import make_page
from playwright.sync_api import Page, sync_playwright

from ..conftest import Make
from ..generate import KINDS, make_cluster, make_result

# Root needs --no-sandbox; the rest keeps the browser from asking for what a test machine does not reach.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# Not of a package: playwright has an event loop while the browser runs, and tests of other files start their own.
@pytest.fixture(scope="module")
def browser() -> t.Iterator[t.Any]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert path, "no chromium; remedy: apt-get install chromium"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


class Opened(t.NamedTuple):
    """A page and what it complained of or asked for."""

    page: Page
    complaints: list[str]
    requests: list[str]


@pytest.fixture
def show(browser: t.Any, tmp_path: pathlib.Path) -> t.Iterator[t.Callable[..., Opened]]:
    """Opens a page as a file, as a person would."""
    contexts = []

    def show_page(
        text: str,
        width: int = 1400,
        scheme: str = "light",
        javascript: bool = True,
        fragment: str = "",
        now: str | None = None,
        name: str = "report.html",
    ) -> Opened:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=javascript
        )
        contexts.append(context)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        opened = Opened(context.new_page(), [], [])
        opened.page.on("console", lambda message: opened.complaints.append(message.text))
        opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        opened.page.on("dialog", lambda dialog: (opened.complaints.append("dialog"), dialog.dismiss()))
        opened.page.on("request", lambda request: opened.requests.append(request.url))
        if now is not None:
            opened.page.clock.install(time=now)
        opened.page.goto(path.as_uri() + fragment)
        return opened

    yield show_page
    for context in contexts:
        context.close()


@pytest.fixture
def page_of(make: Make) -> t.Callable[[int], str]:
    """A page with changes."""

    def page(count: int) -> str:
        hosts = make_cluster(count)
        first = make(hosts)
        last = list(hosts)[-1]
        hosts[last]["torch_check_result"] = make_result("failed", KINDS[3], 1, 20)
        return make_page(make(hosts, first, "2026-11-25T08:00:00Z"))

    return page
