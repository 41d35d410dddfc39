# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of temporary files that name their process by host and number. Private to hpc.pytorch."""

from __future__ import annotations

import glob
import os
import socket


def owner_tag() -> str:
    """``HOST.PID`` of this process, to be part of a file's name."""
    return "%s.%d" % (socket.gethostname(), os.getpid())


def is_abandoned(tag: str) -> bool:
    """Whether the process that *tag* (``HOST.PID``) names ran on this host and has ended.

    A process on another host may still be running, so its files are not abandoned.
    """
    host, _dot, process = tag.rpartition(".")
    return host == socket.gethostname() and process.isdigit() and not os.path.exists("/proc/%s" % process)


def private_path(path: str, purpose: str) -> str:
    """A name next to *path* that only this process uses: ``/envs/.torch.HOST.PID.PURPOSE`` for ``/envs/torch``."""
    parent, name = os.path.split(path)
    return os.path.join(parent, ".%s.%s.%s" % (name, owner_tag(), purpose))


def abandoned_paths(path: str, purpose: str) -> list[str]:
    """What ended processes of this host left under names of :func:`private_path`."""
    parent, name = os.path.split(path)
    start, end = os.path.join(parent, ".%s." % name), "." + purpose
    found = glob.glob(glob.escape(start) + "*" + glob.escape(end))
    return [each for each in found if is_abandoned(each[len(start) : -len(end)])]
