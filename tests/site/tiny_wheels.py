# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small real wheels, in folders that pip takes as an index: ``INDEX/NAME/*.whl``, listed by http.server."""

from __future__ import annotations

import base64
import hashlib
import pathlib
import zipfile
from collections.abc import Mapping, Sequence


def make_wheel(
    folder: pathlib.Path,
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    files: Mapping[str, str] | None = None,
) -> pathlib.Path:
    """Write ``NAME-VERSION-py3-none-any.whl`` and return its path; by default one module with VERSION."""
    start = "%s-%s.dist-info" % (name, version)
    metadata = ["Metadata-Version: 2.1", "Name: %s" % name, "Version: %s" % version]
    contents = {
        **(files if files is not None else {"%s.py" % name: "VERSION = %r\n" % version}),
        "%s/METADATA" % start: "\n".join(metadata + ["Requires-Dist: %s" % each for each in requires]) + "\n",
        "%s/WHEEL" % start: "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "%s/RECORD" % start
    lines = []
    for path, text in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        lines.append("%s,sha256=%s,%d" % (path, digest, len(text)))
    contents[record] = "\n".join(lines + [record + ",,"]) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / ("%s-%s-py3-none-any.whl" % (name, version))
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in contents.items():
            archive.writestr(path, text)
    return wheel
