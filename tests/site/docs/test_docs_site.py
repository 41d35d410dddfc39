# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The docs site is built without a network, and its pages load nothing from one."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
# What a browser would fetch by itself. Links that a reader may follow are not meant.
LOADED = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\bsrc=["'](?:https?:)?//|<link\b[^>]*\bhref=["'](?:https?:)?//"""
)
STYLE = re.compile(r"""(?:@import|url\()\s*["']?(?:https?:)?//""")


def copy_sources(folder: pathlib.Path) -> None:
    """As tools/sources.sh does."""
    collection = folder / "ansible_collections/hpc/pytorch"
    listing = subprocess.run(
        ["git", "-c", "safe.directory=%s" % CHECKOUT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in listing.split("\0"):
        if name and not name.startswith(".collections/") and (CHECKOUT / name).is_file():
            (collection / name).parent.mkdir(parents=True, exist_ok=True)
            (collection / name).write_bytes((CHECKOUT / name).read_bytes())


def test_the_site_is_built_without_a_network(tmp_path: pathlib.Path) -> None:
    copy_sources(tmp_path)
    site = tmp_path / "site"
    proxy = "http://127.0.0.1:9"
    done = subprocess.run(
        [sys.executable, CHECKOUT / "tools/docs/build.py", tmp_path, site],
        env={
            **os.environ,
            "PATH": "%s:%s" % (pathlib.Path(sys.executable).parent, os.environ["PATH"]),
            **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), proxy),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    pages = {path.relative_to(site).as_posix(): path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    assert {"index.html", "docs/causes.html", "docs/guide/tutorial.html", "reference/torch_info_module.html"} <= set(
        pages
    )
    # A role's documentation that antsibull-docs cannot read becomes a page that says so.
    assert [name for name, text in pages.items() if "malformed" in text and name.startswith("reference/")] == []
    assert [name for name, text in pages.items() if LOADED.search(text)] == []
    styles = [path for path in site.rglob("*.css") if STYLE.search(path.read_text(encoding="utf-8"))]
    assert styles == []
    # A code of a verdict can be linked to: the report does.
    assert 'id="driver_too_old"' in pages["docs/causes.html"]
    # Links within the site.
    for name, text in pages.items():
        for address in re.findall(r'<a\b[^>]*\bhref="([^"#:]+\.html)(?:#[^"]*)?"', text):
            assert (site / name).parent.joinpath(address).resolve().exists(), (name, address)


def test_what_is_loaded() -> None:
    assert LOADED.search('<script src="https://e.org/x.js">') and LOADED.search('<link rel="x" href="//e.org/x.css">')
    assert not LOADED.search('<a href="https://e.org">') and not LOADED.search('<img src="../a.png">')
    assert STYLE.search("@import url(https://e.org/f.css)") and not STYLE.search("url(data:x)")
