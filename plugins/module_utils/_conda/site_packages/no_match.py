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

_NO_MATCH = re.compile(r"No matching distribution found for|Could not find a version that satisfies")
# The first glibc of wheels that are tagged manylinux_2_28: EL 8. Source: PEP 600.
_NEWER = (2, 28)


def remedy(errors: t.Iterable[str], python: str | None, machine: str, glibc: str | None) -> str | None:
    """The remedy if *errors* say that pip found no file that fits; None for any other error.

    :arg errors: pip's lines.
    :arg python: the environment's Python, such as ``3.11``.
    :arg machine: the processor, such as ``x86_64``.
    :arg glibc: the version of the C library, such as ``2.17``; None if there is another one.
    """
    if not any(_NO_MATCH.search(line) for line in errors):
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


def here() -> tuple[str, str | None]:
    """This machine's processor and the version of its glibc."""
    try:
        name = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, OSError, ValueError):
        name = ""
    match = re.match(r"glibc (\d+(?:\.\d+)+)\Z", name)
    return platform.machine(), match.group(1) if match else None
