# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write pip's present settings, those from the environment included, to a file: ``pip_settings.py DEST``.

For programs that run pip without the environment and with another home. The file may hold an index's credentials, so
nobody else can read it.
"""

from __future__ import annotations

import ast
import os
import pathlib
import subprocess
import sys
import typing as t

# Where pip would install to is the program's own business.
NOT_HANDED_ON = {"user", "target", "prefix", "root", "require-virtualenv", "python"}
# Variables that pip does not call settings, in the order in which they win.
CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
PROXIES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "http_proxy", "HTTP_PROXY")


def parse(listing: str) -> dict[str, dict[str, str]]:
    """Take the output of ``pip config list`` apart: section to option to value; the environment comes last and wins."""
    sections: dict[str, dict[str, str]] = {}
    from_environment: dict[str, str] = {}
    for line in listing.splitlines():
        key, equals, value = line.partition("=")
        section, dot, option = key.rpartition(".")
        if not equals or not dot or option in NOT_HANDED_ON:
            continue
        target = from_environment if section == ":env:" else sections.setdefault(section, {})
        target[option] = ast.literal_eval(value)
    sections.setdefault("global", {}).update(from_environment)
    return sections


def complete(sections: dict[str, dict[str, str]], environment: t.Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Add what pip would have taken from the general variables, where no setting of its own says otherwise."""
    everywhere = dict(sections.get("global", {}))
    for option, names in (("cert", CERTIFICATES), ("proxy", PROXIES)):
        value = next((environment[name] for name in names if environment.get(name)), None)
        if value:
            everywhere.setdefault(option, value)
    return {**sections, "global": everywhere}


def render(sections: dict[str, dict[str, str]]) -> str:
    """The text of a pip.conf; a value of several lines is indented."""
    lines = []
    for section, options in sorted(sections.items()):
        lines.append("[%s]" % section)
        for option, value in sorted(options.items()):
            lines.append("%s = %s" % (option, value.replace("\n", "\n    ")))
    return "\n".join(lines) + "\n"


def main(dest: str) -> None:
    """Write the file, with the cache folder pip uses now, so that nothing is downloaded twice."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    listing = subprocess.run([*pip, "config", "list"], check=True, capture_output=True, text=True).stdout
    sections = complete(parse(listing), os.environ)
    if "no-cache-dir" not in sections["global"]:
        cache = subprocess.run([*pip, "cache", "dir"], check=False, capture_output=True, text=True)
        if cache.returncode == 0:
            sections["global"].setdefault("cache-dir", cache.stdout.strip())
    # Errors only: what is downloaded and from where is of no interest in a checker's report.
    sections["global"]["quiet"] = "2"
    path = pathlib.Path(dest)
    staged = path.with_name("%s.%d" % (path.name, os.getpid()))
    with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
        stream.write(render(sections))
    os.replace(staged, path)


if __name__ == "__main__":
    main(sys.argv[1])
