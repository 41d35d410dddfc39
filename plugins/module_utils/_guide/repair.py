# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A line that works instead of one that does not: the same words, with what is wrong replaced. No I/O.

Private to hpc.pytorch.
"""

from __future__ import annotations

import re
import typing as t

from .._common.versions import key, major_minor
from .checks import LAST, asked_cuda, asks_channel, tag_in
from .commands import Word
from .install import CONDA, PARTNERS, Install, Spec, channel_name
from .releases import NEWEST, ORDER, RELEASES, Release, closest_cuda, cuda_of, matching, nearest, tag_of, wheel_cudas

# Text by the word that it replaces; empty takes the word out.
Changes = t.Dict[Word, str]
# conda-forge's Pythons, where a page asks for one that none of its builds of torch is for any more.
_PYTHON = "3.12"


def repaired(install: Install, runs: t.Sequence[str] | None = None) -> str:
    """The whole line, as it works.

    :arg runs: the major versions of CUDA that the driver runs, where the page names one.
    """
    changes: Changes = {}
    prefix = ""
    if install.tool == CONDA:
        prefix = _conda(install, changes, runs)
    else:
        _pip(install, changes, runs)
    line = install.command.line
    for word in sorted(changes, key=lambda word: -word.start):
        text = changes[word]
        before, after = line[: word.start], line[word.end :]
        line = before + text + after if text else before.rstrip() + (" " + after.lstrip() if after.strip() else "")
    start = install.command.words[0].start
    return line[:start] + prefix + line[start:] if prefix and "CONDA_OVERRIDE_CUDA" not in line else line


def _allowed(cudas: t.Sequence[str], runs: t.Sequence[str] | None) -> list[str]:
    return [cuda for cuda in cudas if not runs or cuda.split(".")[0] in runs]


def _conda(install: Install, changes: Changes, runs: t.Sequence[str] | None) -> str:
    torch = install.torch
    release = nearest(torch.pin) if torch and torch.pin else None
    from_channel = release is not None and key(release.torch) <= key(LAST)
    if runs and not _allowed(("13.0", "12.9"), runs) and asks_channel(install):
        # conda-forge has no new torch for such a driver.
        release, from_channel = release if from_channel else RELEASES[LAST], True
    if (asks_channel(install) and not from_channel) or "pytorch-nightly" in install.channel_names():
        return _to_forge(install, changes, release)
    if release:
        _pin(install, changes, release)
        if asks_channel(install):
            _channel_cuda(install, changes, release, runs)
    return ""


def _pin(install: Install, changes: Changes, release: Release) -> None:
    """Give torch, its partners and Python the versions of a release."""
    torch = t.cast(Spec, install.torch)
    separator = "=" if install.tool == CONDA else "=="
    right = release if not torch.pin or release not in matching(torch.pin) else matching(torch.pin)[-1]
    if not torch.pin or right not in matching(torch.pin):
        changes[torch.word] = torch.name + separator + right.torch
    for name in PARTNERS:
        spec = install.spec(name)
        if spec and spec.pin and not any(_fits(partner, spec) for partner in right.partners(name)):
            known = right.partners(name)
            changes[spec.word] = name + separator + known[0] if known else ""
    python = install.spec("python")
    if python and "." in python.pin and install.tool == CONDA:
        least, most = right.python
        if key(major_minor(python.pin)) < key(least):
            changes[python.word] = "python=" + least
        elif key(major_minor(python.pin)) > key(most):
            changes[python.word] = "python=" + most


def _fits(partner: str, spec: Spec) -> bool:
    return key(partner) == key(spec.pin) or (partner + ".").startswith(spec.pin + ".")


def _channel_cuda(install: Install, changes: Changes, release: Release, runs: t.Sequence[str] | None) -> None:
    """Let the line ask the channel pytorch for a CUDA that it has of this release."""
    cuda, toolkit = install.spec("pytorch-cuda"), install.spec("cudatoolkit")
    if not cuda and not toolkit:
        return
    choices = _allowed(release.channel, runs) or list(release.channel)
    asked = asked_cuda(install)
    best = closest_cuda(asked, choices) if asked else choices[-1]
    name = "pytorch-cuda" if key(release.torch) >= key("1.13") else "cudatoolkit"
    words = [each.word for each in (cuda, toolkit) if each]
    changes[words[0]] = "%s=%s" % (name, best)
    for word in words[1:]:
        changes[word] = ""
    needed = "nvidia" if name == "pytorch-cuda" or best == "11.1" else ""
    if needed and needed not in install.channel_names():
        last = install.channels[-1][1][-1]
        changes[last] = "%s -c %s" % (last.raw, needed)


def _to_forge(install: Install, changes: Changes, release: Release | None) -> str:
    """Let the line ask conda-forge, which has new releases."""
    wants_cuda = any(install.spec(name) for name in ("pytorch-cuda", "cudatoolkit"))
    # A line may give the channel with the package alone.
    at = "" if install.channels else "conda-forge::"
    first = True
    for text, words in install.channels:
        if channel_name(text) in ("pytorch", "nvidia", "pytorch-nightly", "conda-forge"):
            for word in words:
                changes[word] = ""
            if first:
                # A mirror of one channel has the other, too.
                mirror = re.sub(r"/(?:pytorch|nvidia|pytorch-nightly|conda-forge)(/?)\Z", r"/conda-forge\1", text)
                changes[words[0]] = "-c " + (mirror if "/" in text else "conda-forge")
                first = False
    forge = [RELEASES[each] for each in ORDER if RELEASES[each].conda_forge]
    pin = ""
    if release:
        upto = [each for each in forge if key(major_minor(each.torch)) <= key(major_minor(release.torch))]
        pin = "=" + major_minor((upto or forge)[-1].torch)
    for spec in install.specs:
        if spec.name in ("pytorch", "pytorch-gpu"):
            changes[spec.word] = at + ("pytorch-gpu" if wants_cuda or spec.name == "pytorch-gpu" else "pytorch") + pin
        elif spec.name in ("pytorch-cuda", "cudatoolkit", "cpuonly", "pytorch-mutex"):
            changes[spec.word] = ""
        elif spec.name in PARTNERS and (spec.pin or spec.channel):
            changes[spec.word] = at + spec.name
        elif spec.name == "python" and "." in spec.pin and key(major_minor(spec.pin)) < key("3.10"):
            changes[spec.word] = "python=" + _PYTHON
    cpu = install.spec("cpuonly")
    if cpu and install.torch:
        changes[install.torch.word] = at + "pytorch-cpu" + pin
    chosen = RELEASES[NEWEST] if not pin else matching(pin[1:])[-1]
    cudas = chosen.conda_forge or forge[-1].conda_forge
    # conda asks the node's driver, and a login node has none.
    return "CONDA_OVERRIDE_CUDA=%s " % cudas[0] if wants_cuda else ""


def _pip(install: Install, changes: Changes, runs: t.Sequence[str] | None) -> None:
    wrong = install.spec("pytorch")
    if wrong:
        changes[wrong.word] = re.sub("pytorch", "torch", wrong.word.raw, count=1) if not install.torch else ""
    torch = install.torch
    if not torch:
        return
    release = nearest(torch.pin) if torch.pin else None
    if release:
        _pin(install, changes, release)
        right = matching(torch.pin)[-1] if matching(torch.pin) else release
    else:
        right = None
    asked = asked_cuda(install)
    if not asked:
        if runs:
            _add_index(install, changes, right, runs)
        return
    choices = _allowed(right.wheels if right else wheel_cudas(), runs)
    if not choices:
        choices = list(right.wheels) if right else wheel_cudas()
    best = closest_cuda(asked, choices)
    for _kind, address, word in install.indexes:
        tag = re.search(r"/whl/(cu\d{2,3})(?=/|\Z)", address)
        if tag and cuda_of(tag[1]) != best:
            changes[word] = word.raw.replace("/whl/" + tag[1], "/whl/" + tag_of(best))
    for spec in install.specs:
        if (
            spec.local.startswith("cu")
            and cuda_of(spec.local) != best
            or (tag_in(install) and spec.local.startswith("cu"))
        ):
            text = changes.get(spec.word, spec.word.raw)
            text = re.sub(r"\+cu\d+", "", text)
            changes[spec.word] = re.sub(r"(==[\d.]+)", r"\g<1>+" + tag_of(best), text)


def _add_index(install: Install, changes: Changes, right: Release | None, runs: t.Sequence[str]) -> None:
    choices = _allowed(right.wheels if right else wheel_cudas(), runs)
    if choices and not install.indexes:
        last = install.command.words[-1]
        changes[last] = "%s --index-url https://download.pytorch.org/whl/%s" % (
            changes.get(last, last.raw),
            tag_of(choices[-1]),
        )
