# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The linter of pages: its table of torch releases, from the data, and the codes in docs/guide-lint.md."""

from __future__ import annotations

import pathlib
import re
import typing as t

import yaml

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
RELEASES = CHECKOUT / "plugins/plugin_utils/_torch_build/data/releases.yml"
PAGES = CHECKOUT / "plugins/plugin_utils/_guide/data/pages.yml"
TABLE = "plugins/module_utils/_guide/release_table.py"
PAGE = "docs/guide-lint.md"
HEAD = '''\
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The releases of torch. Generated from releases.yml and pages.yml in plugin_utils: change those files, and run
``make generate``. Private to hpc.pytorch.
"""

from __future__ import annotations

'''


def outputs(current: t.Callable[[str], str], block: t.Callable[[str, str, str], str]) -> dict[str, str]:
    """The table and the page."""
    from ansible_collections.hpc.pytorch.plugins.module_utils._guide.finding import CODES

    rows = ["| code | | what is wrong | what to do |", "|---|---|---|---|"]
    rows += ["| `%s` | %s | %s | %s |" % code for code in CODES]
    return {TABLE: table(), PAGE: block(current(PAGE), "codes", "\n".join(rows))}


def table() -> str:
    """The text of release_table.py."""
    releases = yaml.safe_load(RELEASES.read_text(encoding="utf-8"))["releases"]
    pages = yaml.safe_load(PAGES.read_text(encoding="utf-8"))
    lines = ["# Channels of conda that get no torch any more, with the last one; empty where it has no release."]
    lines += ["ENDED: dict[str, str] = {"]
    lines += ['    "%s": "%s",' % (row["channel"], row["last"] or "") for row in pages["ended"]]
    lines += ["}", "# Builds that no official page lists: torch, CUDA."]
    extra = ", ".join('("%s", "%s")' % (row["torch"], row["cuda"]) for row in pages["extra"])
    lines += ["EXTRA = {%s}" % extra]
    lines += [
        "# By torch: torchvision, torchaudio, the oldest and the newest Python, and the CUDAs of the builds in channel"
    ]
    lines += ["# pytorch, as wheels in conda-forge, in the package index. Several stand in one text, the usual first."]
    lines += ["ROWS: dict[str, tuple[str, str, str, str, str, str, str]] = {"]
    for row in releases:
        values = (
            _partners(row, "torchvision"),
            _partners(row, "torchaudio"),
            "%s %s" % (row["python"]["min"], row["python"]["max"]),
            *(_cudas(row, source) for source in ("pytorch", "wheels", "conda-forge")),
            _package_index(row),
        )
        lines.append('    "%s": (%s),' % (row["torch"], ", ".join('"%s"' % value for value in values)))
    return HEAD + "\n".join(lines) + "\n}\n"


def _partners(row: t.Mapping[str, t.Any], name: str) -> str:
    found = [row[name]]
    for build in row["builds"]:
        found += [build.get(name), build.get("on_page", {}).get(name)]
    return " ".join(dict.fromkeys(version for version in found if version))


def _package_index(row: t.Mapping[str, t.Any]) -> str:
    """The CUDA of the release's file in the package index: a build, or a note where no build's address leads to it."""
    built = [build["cuda"] for build in row["builds"] if build.get("index") == "pypi"]
    noted = re.findall(r"package index's own file is for CUDA (\d+\.\d+)", " ".join(row.get("notes", ())))
    return (built + noted + [""])[0]


def _cudas(row: t.Mapping[str, t.Any], source: str) -> str:
    found = {build["cuda"] for build in row["builds"] if build["source"] == source and not build.get("known_bad")}
    return " ".join(sorted(found, key=lambda cuda: [int(part) for part in cuda.split(".")]))
