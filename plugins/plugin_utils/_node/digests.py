# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of site_look with digests of long contents in their place. No I/O. Private to hpc.pytorch.

The commands for users are a megabyte, which the host needs only if it has to write them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import typing as t

# Characters. A short content is no longer than what would replace it.
_SHORT = 1000


def with_digests(arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The *arguments* of a task. What is not as the module expects it is left to the module."""
    parts = arguments.get("parts")
    if not isinstance(parts, list):
        return dict(arguments)
    return dict(arguments, parts=[_part(part) for part in parts])


def _part(part: t.Any) -> t.Any:
    steps = part.get("host_files") if isinstance(part, dict) else None
    # The host completes the contents if it has to find a toolkit.
    if not isinstance(steps, list) or part.get("cuda_toolkit"):
        return part
    return dict(part, host_files=[_step(step) for step in steps])


def _step(step: t.Any) -> t.Any:
    files = step.get("files") if isinstance(step, dict) else None
    if not isinstance(files, list):
        return step
    return dict(step, files=[_file(file) for file in files])


def _file(file: t.Any) -> t.Any:
    if not isinstance(file, dict) or ("content" in file) == ("content_base64" in file):
        return file
    text = file.get("content", file.get("content_base64"))
    if not isinstance(text, str) or len(text) < _SHORT:
        return file
    try:
        content = (
            base64.b64decode(text, validate=True)
            if "content_base64" in file
            else text.encode("utf-8", "surrogateescape")
        )
    except binascii.Error:
        return file
    rest = {name: value for name, value in file.items() if name not in ("content", "content_base64")}
    return dict(rest, sha256=hashlib.sha256(content).hexdigest())
