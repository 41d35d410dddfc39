# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time for each env. Private to hpc.pytorch."""

from __future__ import annotations

import contextlib
import os
import typing as t

from ..._files.files import sha256_of_json
from ..._files.locks import file_lock
from ..._files.progress import Progress
from ..._files.trust import require_root_only


@contextlib.contextmanager
def env_lock(prefix: str, progress: Progress) -> t.Iterator[None]:
    """Keep two runs of one user on one machine from doing the same work. Correctness never depends on it."""
    folder = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "hpc.pytorch", "locks")
    with contextlib.ExitStack() as stack:
        # With a home directory that is not writable, two runs may only do the same work twice.
        with contextlib.suppress(OSError):
            require_root_only(folder)
            os.makedirs(folder, mode=0o700, exist_ok=True)
            path = os.path.join(folder, sha256_of_json(prefix)[:16])
            lock = stack.enter_context(file_lock(path, progress, prefix))
            # An engine's command that outlives a killed run keeps the lock.
            os.set_inheritable(lock.handle, True)
        yield
