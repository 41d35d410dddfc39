# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write how pip reaches a package index, environment included, to a file: ``pip_settings.py DEST CACHE``.

For programs that run pip without the environment and with another home. CACHE is pip's cache there. The file may hold
an index's credentials, so nobody else can read it.
"""

from __future__ import annotations

import ast
import os
import pathlib
import subprocess
import sys
import typing as t

# Where packages come from. What pip does with them (target, constraint, quiet, ...) is the program's own business.
HANDED_ON = {
    *("index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "keyring-provider"),
    *("cert", "client-cert", "proxy", "timeout", "retries", "use-feature", "use-deprecated"),
}
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
        if not equals or not dot or option not in HANDED_ON:
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


def present() -> dict[str, dict[str, str]]:
    """What pip's files and the environment say now, also to a caller who has silenced pip."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PIP_PYTHON", "PIP_LOG")}
    pip = [sys.executable, "-I", "-m", "pip", "--disable-pip-version-check", "--no-cache-dir", "config", "list"]
    done = subprocess.run(pip, env={**environment, "PIP_QUIET": "0"}, check=True, capture_output=True, text=True)
    return parse(done.stdout)


def write(path: pathlib.Path, sections: dict[str, dict[str, str]]) -> None:
    """Write the file, readable by its owner alone."""
    staged = path.with_name("%s.%d" % (path.name, os.getpid()))
    with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
        stream.write(render(sections))
    os.replace(staged, path)


def main(dest: str, cache: str) -> None:
    """Write the file for ansible-test."""
    sections = complete(present(), os.environ)
    # Errors only: what is downloaded and from where is of no interest in a checker's report.
    sections["global"].update({"cache-dir": cache, "quiet": "2"})
    write(pathlib.Path(dest), sections)


if __name__ == "__main__":
    main(*sys.argv[1:])
