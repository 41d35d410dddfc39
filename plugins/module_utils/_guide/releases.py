# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the table of torch releases says to a question. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from .._common.versions import is_version, key, major_minor, starts_with
from .release_table import EXTRA, ROWS


class Release(t.NamedTuple):
    """A torch release; versions of CUDA as major.minor."""

    torch: str
    torchvision: tuple[str, ...]
    torchaudio: tuple[str, ...]
    python: tuple[str, str]
    channel: tuple[str, ...]
    wheels: tuple[str, ...]
    conda_forge: tuple[str, ...]
    package_index: tuple[str, ...]

    def partners(self, name: str) -> tuple[str, ...]:
        """The versions of torchvision or torchaudio that go with it, the usual one first."""
        return self.torchvision if name == "torchvision" else self.torchaudio


def _release(torch: str, row: t.Sequence[str]) -> Release:
    vision, audio, python, channel, wheels, forge, index = (tuple(text.split()) for text in row)
    return Release(torch, vision, audio, (python[0], python[1]), channel, wheels, forge, index)


RELEASES: dict[str, Release] = {torch: _release(torch, row) for torch, row in ROWS.items()}
# By version, for a long-term release is older than its number.
ORDER = sorted(RELEASES, key=key)
NEWEST = ORDER[-1]


def matching(prefix: str) -> list[Release]:
    """The releases that a pin such as 2.1 or 2.1.0 takes."""
    return [RELEASES[torch] for torch in ORDER if key(torch) == key(prefix) or starts_with(torch, prefix)]


def unheard(version: str) -> bool:
    """Whether the table can say that this torch was never released: it is between its first and its newest."""
    return not matching(version) and key("1.0") <= key(version) < key(NEWEST)


def nearest(version: str) -> Release:
    """The newest release up to *version*, of its own minor version if there is one."""
    own = [torch for torch in ORDER if major_minor(torch) == major_minor(version)]
    older = [torch for torch in own or ORDER if key(torch) <= key(version)]
    return RELEASES[older[-1] if older else (own or ORDER)[0]]


def never_had(torch: str, cuda: str, source: str) -> bool:
    """Whether no build of the minor version of *torch* is for *cuda*.

    The official pages do not list every build, so a CUDA between the oldest and the newest in them counts as one.
    """
    minor = [RELEASES[each] for each in ORDER if major_minor(each) == major_minor(torch)]
    listed = sorted({cuda for each in minor for cuda in getattr(each, source)}, key=key)
    if not listed or any(major_minor(each) == major_minor(torch) and at == cuda for each, at in EXTRA):
        return False
    return not key(listed[0]) <= key(cuda) <= key(listed[-1])


def closest_cuda(cuda: str, choices: t.Sequence[str]) -> str:
    """Of *choices* the newest up to *cuda* of the same major version, else the oldest after it, else the newest."""
    same = [each for each in choices if key(each) <= key(cuda) and each.split(".")[0] == cuda.split(".")[0]]
    later = [each for each in choices if key(each) > key(cuda)]
    return same[-1] if same else later[0] if later else choices[-1]


def tag_of(cuda: str) -> str:
    """The local tag of a wheel: ``tag_of("11.8")`` is ``"cu118"``."""
    return "cu" + cuda.replace(".", "")


def cuda_of(tag: str) -> str:
    """The CUDA of a local tag: ``cuda_of("cu118")`` is ``"11.8"``."""
    return "%s.%s" % (tag[2:-1], tag[-1])


def wheel_cudas() -> list[str]:
    """Every CUDA that any torch has wheels for."""
    found = {cuda for each in RELEASES.values() for cuda in each.wheels} | {cuda for _torch, cuda in EXTRA}
    return sorted(found, key=key)


def owner_minors(name: str, version: str) -> set[str]:
    """The minor versions of torch that the minor version of a partner goes with."""
    return {
        major_minor(each.torch)
        for each in RELEASES.values()
        for partner in each.partners(name)
        if is_version(partner) and major_minor(partner) == major_minor(version)
    }
