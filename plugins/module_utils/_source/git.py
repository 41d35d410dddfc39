# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials for git in lines for pip: in git's environment, not on its command line. No I/O. Private to hpc.pytorch.

pip runs ``git clone ADDRESS``, and every user of a machine can read command lines. git takes settings from variables
since its version 2.31 ("GIT_CONFIG_COUNT" in its documentation).
"""

from __future__ import annotations

import base64
import re
import typing as t
import urllib.parse

from .._common.redact import Secret
from .pip_line import with_variables

# User and password reach up to the last @ before the path. The rest is the address, perhaps with @REVISION.
_ADDRESS = re.compile(r"(git\+)(https?://)([^/\s?#]*)@([^/\s@?#]+)([^\s@?#]*)", re.IGNORECASE)


def without_git_credentials(
    lines: t.Iterable[str], environment: t.Mapping[str, str]
) -> tuple[list[str], dict[str, Secret]]:
    """*lines* with addresses that git can show, and the variables with which git sends the credentials.

    :arg environment: the variables that pip would fill in, and that may hold settings for git already.
    """
    headers: dict[str, str] = {}

    def cleaned(match: t.Match[str]) -> str:
        prefix, scheme, userinfo, server, path = match.groups()
        user, unused, password = with_variables(userinfo, environment).partition(":")
        pair = "%s:%s" % (urllib.parse.unquote(user), urllib.parse.unquote(password))
        header = "Authorization: Basic " + base64.b64encode(pair.encode()).decode("ascii")
        # For this repository alone: another one on the same server may need other credentials.
        headers["http.%s%s%s.extraHeader" % (scheme.lower(), server, path)] = header
        return prefix + scheme + server + path

    clean = [_ADDRESS.sub(cleaned, line) for line in lines]
    first = environment.get("GIT_CONFIG_COUNT", "")
    start = int(first) if headers and first.isdigit() else 0
    settings: dict[str, Secret] = {}
    for number, (key, header) in enumerate(headers.items(), start):
        settings["GIT_CONFIG_KEY_%d" % number] = Secret(key)
        settings["GIT_CONFIG_VALUE_%d" % number] = Secret(header)
    if headers:
        settings["GIT_CONFIG_COUNT"] = Secret(str(start + len(headers)))
    return clean, settings
