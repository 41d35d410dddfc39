# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do when pip finds no file of a requirement for this machine. Private to hpc.pytorch.

An index may have no wheel of a version for this Python, processor or C library; pip does not say which is missing.
"""

from __future__ import annotations

import os
import platform
import re
import typing as t

from ..._common.errors import UserError
from ..._common.redact import without_credentials

_NO_MATCH = re.compile(r"No matching distribution found for|Could not find a version that satisfies")
_VERSIONS = re.compile(
    r"Could not find a version that satisfies the requirement (?P<asked>\S+).*\(from versions: (?P<versions>[^)]+)\)"
)
_BROKEN = re.compile(r"(?:Retrying .* after connection broken by|Could not fetch URL .* connection error:) (.{1,300})")
# The first glibc of wheels that are tagged manylinux_2_28: EL 8. Source: PEP 600.
_NEWER = (2, 28)


def is_one(line: str) -> bool:
    """Whether a line of pip's says that it found no file that fits."""
    return _NO_MATCH.search(line) is not None


def remedy(errors: t.Iterable[str], python: str | None, machine: str, glibc: str | None) -> str | None:
    """The remedy if *errors* say that pip found no file that fits; None for any other error.

    :arg errors: pip's lines.
    :arg python: the environment's Python, such as ``3.11``.
    :arg machine: the processor, such as ``x86_64``.
    :arg glibc: the version of the C library, such as ``2.17``; None if there is another one.
    """
    if not any(map(is_one, errors)):
        return None
    here = "%s on %s with %s" % (
        "Python %s" % python if python else "this Python",
        machine,
        "glibc %s" % glibc if glibc else "a C library that is not glibc",
    )
    old = glibc is not None and tuple(int(part) for part in glibc.split(".")) < _NEWER
    return "ask for a version that the index has for %s%s, or correct the name or the index in pip" % (
        here,
        " (wheels tagged manylinux_2_28, such as those of torch from 2.7 on, need glibc 2.28)" if old else "",
    )


def found(errors: t.Iterable[str], most: int = 6) -> str | None:
    """What there is instead, in our words: the newest versions that the index has; None if pip names none.

    pip prints ``Could not find a version that satisfies the requirement torch==9 (from versions: 2.12.0, 2.13.0)``.
    """
    for line in errors:
        match = _VERSIONS.search(line)
        if match and match.group("versions") != "none":
            newest = match.group("versions").split(", ")[-most:]
            return "no file of %s that fits; the index has %s" % (match.group("asked"), ", ".join(newest))
    return None


def require_an_answer(lines: t.Iterable[str], errors: t.Iterable[str]) -> None:
    """Name an index that does not answer: without it, pip reports its packages as missing.

    :arg lines: all that pip has printed; *errors* its last words.
    :raises UserError: an index did not answer, and a requirement was not found.
    """
    cause = next((match.group(1) for match in map(_BROKEN.search, lines) if match), None)
    if cause and any(map(is_one, errors)):
        raise UserError(
            "package indexes that answer",
            without_credentials(cause.strip(" '\"()")),
            "check network and proxy of this machine, or name an index that it reaches (index-url in pip's settings; "
            "for PyTorch's own indexes torch_env_wheels_url)",
        )


def here() -> tuple[str, str | None]:
    """This machine's processor and the version of its glibc."""
    try:
        name = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, OSError, ValueError):
        name = ""
    match = re.match(r"glibc (\d+(?:\.\d+)+)\Z", name)
    return platform.machine(), match.group(1) if match else None
