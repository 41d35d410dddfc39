# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuses a second distribution of a library of NVIDIA that lies over the one that torch needs.

Private to hpc.pytorch. ``nvidia-nccl-cu11`` and ``nvidia-nccl-cu12`` both hold ``nvidia/nccl/lib/libnccl.so.2``, so
the last one that pip unpacks wins. Reports: pytorch/pytorch#119932, rwth-i6/returnn#1802, NVIDIA/nccl#1180.
"""

from __future__ import annotations

import csv
import io
import os
import re
import typing as t

from ..._common.errors import UserError
from ..._files.files import read_regular
from ..env.pip_records import dependencies, normalized
from .distributions import Metadata, installed

_LIBRARY = re.compile(r"nvidia/\S+\.so(?:\.\d+)*\Z")


def require_one_of_each(prefix: str) -> None:
    """Refuse an env in which two distributions hold the same library, one of them for torch.

    :raises UserError: with both, and what needs the other one.
    """
    of_nvidia = [each for each in installed(prefix) if each.name.startswith("nvidia-")]
    if len({_without_cuda(each.name) for each in of_nvidia}) == len(of_nvidia):
        # Two of a kind differ in their CUDA.
        return
    needs = {name: required for name, (required, dummy) in dependencies(prefix).items()}
    owners: dict[str, Metadata] = {}
    for each in sorted(of_nvidia, key=lambda each: each.name not in needs.get("torch", ())):
        for path in _libraries(prefix, each):
            first = owners.setdefault(path, each)
            if first is not each and first.name in needs.get("torch", ()):
                raise _two(prefix, path, first, each, needs)


def require_no_second_nccl(prefix: str, coming: t.Iterable[tuple[str, str]]) -> None:
    """Refuse, before pip installs *coming* (names and versions), an NCCL over the one of the torch in the env.

    Its file has the same name in all of them; whether that is so of another library only their files can tell.

    :raises UserError: with both.
    """
    versions = {normalized(name): version for name, version in coming}
    others = sorted(name for name in versions if re.match(r"nvidia-nccl-cu\d+\Z", name))
    if not others or "torch" in versions:
        # A torch that comes as well needs one of its own.
        return
    needs = {name: required for name, (required, dummy) in dependencies(prefix).items()}
    own = [name for name in needs.get("torch", ()) if name.startswith("nvidia-nccl-cu")]
    if own and others[0] not in own:
        other = Metadata(others[0], versions[others[0]], "")
        raise _two(prefix, "nvidia/nccl/lib/libnccl.so.2", Metadata(own[0], "", ""), other, needs)


def _two(prefix: str, path: str, first: Metadata, other: Metadata, needs: t.Mapping[str, t.Sequence[str]]) -> UserError:
    users = sorted(name for name, required in needs.items() if other.name in required)
    user = ", ".join(users) or "a requirement in pip"
    return UserError(
        "only the %s of %s, which torch needs, in %s" % (path, first.name, prefix),
        "%s %s, which %s needs, with the same file" % (other.name, other.version, user),
        "remove from pip what needs %s, or ask for a version of it that needs %s" % (other.name, first.name),
    )


def _without_cuda(name: str) -> str:
    return re.sub(r"-cu\d+\Z", "", name)


def _libraries(prefix: str, metadata: Metadata) -> t.Iterator[str]:
    try:
        text = read_regular(os.path.join(prefix, metadata.path, "RECORD")).decode("utf-8", "replace")
        for row in csv.reader(io.StringIO(text, newline="")):
            if row and _LIBRARY.match(row[0]):
                yield row[0]
    except (OSError, csv.Error):
        return
