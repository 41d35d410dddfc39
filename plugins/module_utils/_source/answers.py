# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an index on the network answers. Private to hpc.pytorch."""

from __future__ import annotations

import threading


def answers(url: str, seconds: float = 3.0) -> bool:
    """Whether an index answers, decided within *seconds* even if the network hangs."""
    from ansible.module_utils.urls import open_url

    result: list[bool] = []

    def ask() -> None:
        try:
            open_url(url.rstrip("/") + "/", timeout=seconds).close()
            result.append(True)
        except Exception:
            # Any failure means that the index does not answer.
            pass

    # A name lookup has no time limit, so it runs in a thread that can be left behind.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return bool(result)
