# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archives of a channel on disk, which py-rattler links unchecked. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t
import urllib.parse

from ...._common.errors import UserError
from ...._common.files import sha256_of_file


def check_local_archive(record: t.Any) -> None:
    """Compare an archive that rattler would read from a folder with the channel's index; it checks only what it downloads.

    :raises UserError: the file is missing, or another one.
    """
    if not record.url.startswith("file://"):
        return
    path = urllib.parse.unquote(urllib.parse.urlsplit(record.url).path)
    wanted = record.sha256.hex() if record.sha256 else None
    try:
        found = sha256_of_file(path)
    except OSError as error:
        raise UserError("the package %s" % path, str(error), "publish the channel again") from error
    if wanted and found != wanted:
        raise UserError(
            "sha256 %s of %s, as the channel's index says" % (wanted, path),
            "sha256 %s" % found,
            "the file was changed after the channel was indexed: publish the channel again",
        )
