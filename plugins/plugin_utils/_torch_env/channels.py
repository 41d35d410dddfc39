# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The channels of a request, and the kind of build that they lead to. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

# A site's own channel may hold anything, so it leads to no choice.
_KNOWN = ("pytorch", "conda-forge")


def name_of(channel: str) -> str:
    """The last part of an address: ``name_of("https://mirror.example.org/conda-forge/")`` is ``"conda-forge"``."""
    return channel.rstrip("/").rpartition("/")[2]


def source_of(source: str, channels: t.Sequence[str], is_declared: bool) -> str:
    """The kind of build to choose: *source* if set, otherwise a known channel among *channels*, or empty for no choice.

    :arg is_declared: whether a CUDA, a driver or a GPU is declared. Without any there is nothing to choose by.
    """
    if source or not is_declared:
        return source
    names = [name_of(channel) for channel in channels]
    return next((known for known in _KNOWN if known in names), "")


def with_mirrors(needed: t.Sequence[str], given: t.Sequence[str]) -> list[str]:
    """The channels that a build needs, then those that the site has. A mirror stands for the channel in its last part.

    ``with_mirrors(["pytorch"], ["file:///mirror/pytorch", "main"])`` is ``["file:///mirror/pytorch", "main"]``.
    """
    address = {name_of(channel): channel for channel in given}
    return list(dict.fromkeys([*(address.get(name, name) for name in needed), *given]))
