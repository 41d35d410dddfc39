# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a report on a full disk; what else is refused, and whole runs, are in test_action.py."""

from __future__ import annotations

import errno
import pathlib

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._files import folder as door
from ansible_collections.hpc.pytorch.plugins.plugin_utils._report import files


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "expected enough free space for {folder}/report.json; found none left on the file system at "),
        (errno.EDQUOT, "expected a quota of uid .* for {folder}/report.json; found that it is used up on the file"),
        (errno.EACCES, "expected a writable folder at {folder}; found .*: {folder}/report.json; remedy: set torch_"),
    ],
)
def test_a_full_disk_names_the_path_and_what_is_short(monkeypatch, tmp_path: pathlib.Path, number, message) -> None:
    def write(self: door.Folder, name: str, *rest: object) -> None:
        raise OSError(number, "x", "%s/%s" % (self.path, name))

    monkeypatch.setattr(door.Folder, "write", write)
    with pytest.raises(UserError, match=message.format(folder=tmp_path)):
        files.replace(str(tmp_path), {"report.json": b"{}"}, None, 0)
