# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the docs site from a copy of the sources: ``build.py COLLECTIONS SITE``.

COLLECTIONS is a folder that holds ``ansible_collections/hpc/pytorch``. SITE, which must not exist yet, gets the HTML.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import pages
import yaml

HERE = pathlib.Path(__file__).parent
PICTURES = (".svg", ".png")

# Titles, and the pages below each.
MENU: dict[str, list[str]] = yaml.safe_load((HERE / "menu.yml").read_text(encoding="utf-8"))


def menu(made: dict[str, str]) -> str:
    """The first page's hidden lists, from which Sphinx makes the menu."""
    text = ""
    for title, names in MENU.items():
        listed = [made[name].rpartition(".")[0] if name in made else name for name in names]
        text += "\n```{toctree}\n:hidden:\n:caption: %s\n\n%s\n```\n" % (title, "\n".join(listed))
    return text


def write_sources(collection: pathlib.Path, sources: pathlib.Path, repository: str) -> None:
    """Write the site's Markdown pages and pictures."""
    made = pages.pages(collection)
    for page, name in made.items():
        file = sources / name
        file.parent.mkdir(parents=True, exist_ok=True)
        text = pages.converted(collection, page, made, repository)
        # What no list names is still reached by links.
        if page == pages.FIRST:
            text += menu(made)
        elif not any(page in names for names in MENU.values()):
            text = "---\norphan: true\n---\n" + text
        file.write_text(text, encoding="utf-8")
    for file in (collection / "docs").rglob("*"):
        if file.suffix in PICTURES:
            copy = sources / file.relative_to(collection)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)


def write_reference(collections: str, sources: pathlib.Path) -> None:
    """Write the pages of modules, plugins and roles."""
    reference = sources / "reference"
    reference.mkdir(mode=0o755)
    command = ["antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--fail-on-error"]
    subprocess.run(
        [*command, "--dest-dir", str(reference), "hpc.pytorch"],
        check=True,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": collections},
    )
    # The theme has a list of its own of what is on a page, and shows an error where there is a second one.
    for page in reference.glob("*.rst"):
        text = page.read_text(encoding="utf-8")
        page.write_text(re.sub(r"^\.\. contents::\n(?:   .*\n)*", "", text, flags=re.M), encoding="utf-8")


def main() -> int:
    """Exit status 1 for a dead link or a warning of Sphinx's."""
    collections, site = sys.argv[1:]
    collection = pathlib.Path(collections) / "ansible_collections" / "hpc" / "pytorch"
    galaxy = yaml.safe_load((collection / "galaxy.yml").read_text(encoding="utf-8"))
    # For Ansible's own docs site. Here the guides are pages themselves.
    shutil.rmtree(collection / "docs" / "docsite" / "rst")
    (collection / "docs" / "docsite" / "extra-docs.yml").unlink()
    with tempfile.TemporaryDirectory() as folder:
        sources = pathlib.Path(folder)
        try:
            write_sources(collection, sources, galaxy["repository"])
        except pages.DeadLink as error:
            print("expected links to files that exist; found %s; remedy: correct the link" % error, file=sys.stderr)
            return 1
        write_reference(collections, sources)
        shutil.copy(HERE / "conf.py", sources)
        command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "-d", folder + "/doctrees"]
        return subprocess.run(
            [*command, folder, site], check=False, env={**os.environ, "DOCS_VERSION": str(galaxy["version"])}
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
