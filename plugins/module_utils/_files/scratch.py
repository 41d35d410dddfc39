# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A private temporary folder that a later run removes if this one is killed. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import typing as t

from .leftovers import held, is_abandoned, owner_tag

_START = "hpc-pytorch-"


@contextlib.contextmanager
def scratch_folder() -> t.Iterator[str]:
    """Yield the path of a new folder that only this user can enter: its files may hold passwords."""
    remove_abandoned_scratch()
    with tempfile.TemporaryDirectory(prefix="%s%s-" % (_START, owner_tag())) as folder, held(folder):
        yield folder


def remove_abandoned_scratch() -> None:
    """Remove the folders of this user's ended processes on this machine."""
    with contextlib.suppress(OSError):
        for name in os.listdir(tempfile.gettempdir()):
            tag = name[len(_START) :].rpartition("-")[0]
            path = os.path.join(tempfile.gettempdir(), name)
            with contextlib.suppress(OSError):
                # rmtree follows no link, so nobody can lead it elsewhere.
                if name.startswith(_START) and os.lstat(path).st_uid == os.geteuid() and is_abandoned(tag, path):
                    shutil.rmtree(path, ignore_errors=True)
