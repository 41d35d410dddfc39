# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a version can be released: ``release_version.py CHECKOUT VERSION [TAG...]``. Exit status 1 with the reason.

With ``--write`` it also puts the version into galaxy.yml of CHECKOUT.
"""

from __future__ import annotations

import pathlib
import re
import sys
import typing as t

import semantic_version
import yaml

LINE = re.compile(r"^version: .*$", re.MULTILINE)


def refusal(version: str, current: str, published: t.Iterable[str]) -> str | None:
    """Why *version* cannot be released, or None.

    :param current: the version in galaxy.yml, the one that is worked on: it may be released, an earlier one may not.
    :param published: the versions in the changelog and the names of tags. Names that are no versions do not count.
    """
    if not semantic_version.validate(version):
        return "expected a semantic version such as 1.2.0; found %r; remedy: VERSION=1.2.0" % version
    wanted = semantic_version.Version(version)
    if wanted.build:
        return "expected a version without build metadata; found %s; remedy: leave %s out" % (
            version,
            "+" + ".".join(wanted.build),
        )
    if wanted < semantic_version.Version(current):
        return "expected a version from %s on, which galaxy.yml has; found %s; remedy: choose a newer one" % (
            current,
            version,
        )
    known = [semantic_version.Version(name) for name in published if semantic_version.validate(name)]
    # A version counts as newer by its numbers: 1.0.0-rc.1 comes before 1.0.0.
    if known and wanted <= max(known):
        return "expected a version newer than %s; found %s; remedy: choose a newer one" % (max(known), version)
    return None


def main(arguments: list[str]) -> int:
    """Exit status 1 where the version is refused."""
    write = "--write" in arguments
    checkout, version, *tags = [argument for argument in arguments if argument != "--write"]
    galaxy = pathlib.Path(checkout) / "galaxy.yml"
    changelog = pathlib.Path(checkout) / "changelogs" / "changelog.yaml"
    text = galaxy.read_text(encoding="utf-8")
    current = str(yaml.safe_load(text)["version"])
    released = yaml.safe_load(changelog.read_text(encoding="utf-8")).get("releases") or {}
    why = refusal(version, current, [*released, *tags])
    if why:
        print("release: " + why, file=sys.stderr)
        return 1
    if write:
        galaxy.write_text(LINE.sub("version: " + version, text, count=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
