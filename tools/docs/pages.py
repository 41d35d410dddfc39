# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The docs site's pages are the Markdown files of the checkout, as a forge shows them: only their links are changed.

A link to a file that is a page of the site leads to that page, a link to a role's folder to its README, and a link to
any other file to the repository. A link to a file that does not exist is an error.
"""

from __future__ import annotations

import pathlib
import posixpath
import re
import typing as t

# Files that become pages, by patterns relative to the checkout. docs/README.md becomes the first page.
PATTERNS = ("docs/**/*.md", "roles/*/README.md", "inventories/*/README.md", "playbooks/**/README.md", "*.md")
NO_PAGES = ("README.md", "README.zh-CN.md", "CODE_OF_CONDUCT.md")
FIRST = "docs/README.md"

# [text](address) and ![text](address), but no code: a fence or a span between backticks.
CODE = re.compile(r"^(?P<fence>```+|~~~+).*?^(?P=fence)[`~]*$|(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)", re.M | re.S)
LINK = re.compile(r"(?<!\\)(!?\[(?:[^\[\]]|\[[^\[\]]*\])*\]\()([^()\s]+)(\))")
EXTERNAL = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


class DeadLink(ValueError):
    """A link to a file or a heading that does not exist."""


def pages(checkout: pathlib.Path) -> dict[str, str]:
    """Each page's file in the checkout, and its file in the site's sources."""
    found = {
        path.relative_to(checkout).as_posix()
        for pattern in PATTERNS
        for path in checkout.glob(pattern)
        if path.is_file() and path.relative_to(checkout).as_posix() not in NO_PAGES
    }
    return {name: "index.md" if name == FIRST else name for name in sorted(found)}


def links(text: str) -> list[str]:
    """The addresses in a page: ``["causes.md#no_gpu", "https://..."]``. Code has none."""
    return [match.group(2) for match in LINK.finditer(CODE.sub("", text))]


def headings(text: str) -> set[str]:
    """The anchors of a page's headings, as a forge makes them: ``## What's in it?`` is ``whats-in-it``."""
    found: set[str] = set()
    for line in re.sub(r"^(```+|~~~+).*?^\1[`~]*$", "", text, flags=re.M | re.S).splitlines():
        match = re.match(r"#{1,6} +(.+?) *#*$", line)
        if match:
            plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match.group(1)).replace("`", "").lower()
            slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
            number, once = 0, slug
            while slug in found:
                number += 1
                slug = "%s-%d" % (once, number)
            found.add(slug)
    return found


def target(checkout: pathlib.Path, page: str, address: str) -> tuple[str, str]:
    """The file or folder in the checkout that a relative *address* in *page* leads to, and the anchor.

    :raises DeadLink: there is no such file, folder or heading.
    """
    path, _hash, anchor = address.partition("#")
    name = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
    if name.startswith("../") or not (checkout / name).exists():
        raise DeadLink("%s: %s: no such file" % (page, address))
    if anchor and name.endswith(".md") and anchor not in headings((checkout / name).read_text(encoding="utf-8")):
        raise DeadLink("%s: %s: no such heading" % (page, address))
    return name, anchor


def converted(checkout: pathlib.Path, page: str, made: t.Mapping[str, str], repository: str) -> str:
    """The text of a page of the site.

    :param made: each page's file in the checkout and in the site's sources, see :func:`pages`.
    :param repository: the address of the repository, for files that are no pages.
    :raises DeadLink: see :func:`target`.
    """
    text = (checkout / page).read_text(encoding="utf-8")
    folder = posixpath.dirname(made[page])

    def changed(match: re.Match[str]) -> str:
        begin, address, end = match.groups()
        if EXTERNAL.match(address) or address.startswith("#"):
            return match.group()
        name, anchor = target(checkout, page, address)
        readme = posixpath.join(name, "README.md")
        name = readme if readme in made else name
        if name in made:
            new = posixpath.relpath(made[name], folder or ".")
        elif begin.startswith("!"):
            new = posixpath.relpath(name, folder or ".")
        else:
            new = "%s/%s/main/%s" % (repository, "tree" if (checkout / name).is_dir() else "blob", name)
        return begin + new + ("#" + anchor if anchor else "") + end

    parts, last = [], 0
    for code in CODE.finditer(text):
        parts += [LINK.sub(changed, text[last : code.start()]), code.group()]
        last = code.end()
    return "".join([*parts, LINK.sub(changed, text[last:])])
