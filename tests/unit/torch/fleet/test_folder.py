# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder with the code that the nodes run: where root makes it, nobody else can put another one in its place."""

from __future__ import annotations

import os
import pathlib

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.fleet import collect

NOBODY = 65534


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o777, 0o775])
def test_root_makes_none_in_a_folder_of_another_user(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    folder.chmod(mode)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(UserError, match="work_dir .* belongs to uid"):
        collect._make_folder(str(folder), [])
    assert list(folder.iterdir()) == []


def test_its_owner_makes_one_that_nobody_else_can_read(tmp_path: pathlib.Path) -> None:
    made = pathlib.Path(collect._make_folder(str(tmp_path), []))
    assert made.parent == tmp_path and made.stat().st_mode & 0o777 == 0o700
