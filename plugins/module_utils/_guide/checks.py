# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a line that installs torch. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import re
import typing as t

from .._common.versions import is_version, key, major_minor, starts_with
from .install import CONDA, PARTNERS, Install, Spec
from .release_table import ENDED
from .releases import NEWEST, RELEASES, cuda_of, matching, never_had, owner_minors, tag_of, unheard, wheel_cudas

# Code, message and, where it is not that of the code, the severity.
Problem = t.Tuple[str, str, str]
CHANNEL = "pytorch"
LAST = ENDED[CHANNEL]
_TAG = re.compile(r"download\.pytorch\.org/whl/(cu\d{2,3})(?=/|\Z)")
_FORGE = ("conda-forge", "defaults", "main", "anaconda")
# Since this release torchaudio runs with more than one torch.
_LOOSE_AUDIO = "2.9"


def problems(install: Install) -> list[Problem]:
    """Everything that is wrong with the line, by itself."""
    found = list(_conda(install) if install.tool == CONDA else _pip(install))
    if not any(code == "no-such-release" for code, _message, _severity in found):
        found += _partners(install)
        found += _python(install)
    return found


def asks_channel(install: Install) -> bool:
    """Whether torch comes from the channel pytorch: it is asked for, and no other with torch is before it."""
    channels = install.channel_names()
    wanted = [each for each in install.specs if each.name in ("pytorch", "pytorch-gpu", *PARTNERS)]
    if any(each.channel == CHANNEL for each in wanted):
        return True
    if any(each.channel for each in wanted) or not wanted or CHANNEL not in channels:
        return False
    return not any(other in channels[: channels.index(CHANNEL)] for other in _FORGE)


def asked_cuda(install: Install) -> str:
    """The CUDA that the line asks for, empty if it names none."""
    if install.tool == CONDA:
        spec = install.spec("pytorch-cuda", "cudatoolkit")
        return major_minor(spec.pin) if spec and "." in spec.pin else ""
    torch = install.torch
    tag = tag_in(install) or (torch.local if torch else "")
    return cuda_of(tag) if torch and re.match(r"cu\d{2,3}\Z", tag) else ""


def default_cuda(install: Install) -> str:
    """The CUDA of the wheel that the package index has, for a line for pip that names no other place and no CUDA."""
    torch = install.torch
    if install.tool == CONDA or not torch or install.indexes or torch.local or not (torch.free or torch.exact):
        return ""
    releases = matching(torch.pin) if torch.pin else [RELEASES[NEWEST]]
    return releases[-1].package_index[0] if releases and releases[-1].package_index else ""


def tag_in(install: Install) -> str:
    """The tag of CUDA in the address that pip is given, such as cu118."""
    for _kind, address, _word in install.indexes:
        match = _TAG.search(address)
        if match:
            return match[1]
    return ""


def _conda(install: Install) -> t.Iterator[Problem]:
    torch = install.torch
    version = torch.pin if torch else ""
    cuda, toolkit = install.spec("pytorch-cuda"), install.spec("cudatoolkit")
    if torch and unheard(version or "9999"):
        yield "no-such-release", "torch %s was never released" % version, ""
    if "pytorch-nightly" in install.channel_names() and torch and not version:
        yield "channel-ended", "the channel pytorch-nightly gets no torch any more", ""
    if cuda and toolkit:
        yield "cudatoolkit-twice", "cudatoolkit and pytorch-cuda: torch uses the CUDA of pytorch-cuda alone", ""
    if not asks_channel(install):
        return
    yield from _ended(install, torch)
    had = sorted(
        {cuda for each in RELEASES.values() for cuda in each.channel if key(each.torch) >= key("1.13")}, key=key
    )
    if cuda and "." in cuda.pin:
        asked = major_minor(cuda.pin)
        if asked not in had:
            yield "no-such-cuda", "pytorch-cuda %s was never released: the channel has %s" % (asked, ", ".join(had)), ""
        elif version and matching(version) and all(asked not in each.channel for each in matching(version)):
            yield "no-such-cuda", "torch %s has no build for CUDA %s in the channel pytorch" % (version, asked), ""
    if toolkit and not cuda:
        yield from _toolkit(toolkit, version)


def _ended(install: Install, torch: Spec | None) -> t.Iterator[Problem]:
    beyond = key((torch.pin or torch.least or "0") if torch else "0") > key(LAST)
    others = [each for each in install.channel_names() if each in _FORGE]
    if torch and beyond and not others:
        yield (
            "channel-ended",
            "the channel pytorch ended at torch %s: it has no %s" % (LAST, torch.pin or torch.least),
            "error",
        )
    elif (torch and (torch.free or torch.least) and not beyond) or (
        not torch and all(each.free for each in install.specs if each.name in PARTNERS)
    ):
        yield (
            "channel-ended",
            "the channel pytorch ended at torch %s, of October 2024: that is what the line installs" % LAST,
            "",
        )


def _toolkit(toolkit: Spec, version: str) -> t.Iterator[Problem]:
    asked = major_minor(toolkit.pin) if "." in toolkit.pin else ""
    if not version:
        yield (
            "cudatoolkit-unused",
            "torch takes no CUDA from cudatoolkit since 1.13: without a version, conda installs a torch without CUDA",
            "",
        )
    elif key(version) >= key("1.13"):
        yield "cudatoolkit-unused", "torch %s takes its CUDA from pytorch-cuda, not from cudatoolkit" % version, ""
    elif asked and matching(version) and never_had(matching(version)[-1].torch, asked, "channel"):
        yield "cudatoolkit-unused", "torch %s has no build for CUDA %s in the channel pytorch" % (version, asked), ""


def _pip(install: Install) -> t.Iterator[Problem]:
    torch = install.torch
    wrong = install.spec("pytorch")
    if wrong:
        yield "pip-pytorch", "the package index's pytorch is a package that only fails: torch is called torch there", ""
    if not torch or any("/nightly" in address or "/test" in address for _kind, address, _word in install.indexes):
        return
    if unheard(torch.pin or "9999"):
        yield "no-such-release", "torch %s was never released" % torch.pin, ""
        return
    tag = tag_in(install)
    if tag and cuda_of(tag) not in wheel_cudas():
        yield (
            "no-such-wheel",
            "there are no wheels of torch for CUDA %s (%s)" % (cuda_of(tag), tag),
            "" if _only_there(install) else "warning",
        )
    local = torch.local if re.match(r"cu\d{2,3}\Z", torch.local) else ""
    for each in dict.fromkeys(one for one in (local, tag) if one):
        if torch.exact and matching(torch.pin) and never_had(matching(torch.pin)[0].torch, cuda_of(each), "wheels"):
            # pip takes what the package index has if the other place has none.
            only = bool(local) or _only_there(install)
            yield (
                "no-such-wheel",
                "torch %s has no wheels for CUDA %s%s"
                % (torch.pin, cuda_of(each), "" if only else ": pip installs those of the package index"),
                "" if only else "warning",
            )
    if local and tag and local != tag:
        yield "no-such-wheel", "torch %s+%s is not among the wheels of %s" % (torch.pin, local, tag), ""


def _only_there(install: Install) -> bool:
    """Whether pip gets torch from the address with the tag alone: --index-url replaces the package index."""
    return any(kind == "index" and _TAG.search(address) for kind, address, _word in install.indexes)


def _partners(install: Install) -> t.Iterator[Problem]:
    torch = install.torch
    if not torch or not torch.pin or not matching(torch.pin) or key(torch.pin) < key("1.2"):
        return
    releases = matching(torch.pin)
    for name in PARTNERS:
        spec = install.spec(name)
        if not spec or not spec.pin or (name == "torchaudio" and key(torch.pin) >= key(_LOOSE_AUDIO)):
            continue
        known = [partner for each in releases for partner in each.partners(name)]
        if any(starts_with(partner, spec.pin) or key(partner) == key(spec.pin) for partner in known):
            continue
        owners = owner_minors(name, spec.pin)
        others = [each for each in RELEASES.values() if spec.pin in each.partners(name)]
        mine = {major_minor(each.torch) for each in releases}
        if "." in spec.pin and owners and not owners & mine:
            yield (
                "never-together",
                "%s %s goes with torch %s, not with %s" % (name, spec.pin, " and ".join(sorted(owners)), torch.pin),
                "",
            )
        elif known and others:
            yield (
                "never-together",
                "%s %s goes with torch %s, not with %s" % (name, spec.pin, others[0].torch, torch.pin),
                "",
            )


def _python(install: Install) -> t.Iterator[Problem]:
    python, torch = install.spec("python"), install.torch
    if install.tool == CONDA and python and torch and torch.pin:
        yield from python_against(python.pin, torch.pin)


def python_against(python: str, torch: str) -> t.Iterator[Problem]:
    """Whether a torch has no build for a Python that a line pins, such as 3.12."""
    releases = matching(torch) if torch and is_version(torch) else []
    if not releases or not python or "." not in python:
        return
    least, most = releases[0].python[0], releases[-1].python[1]
    if not key(least) <= key(major_minor(python)) <= key(most):
        yield (
            "python-mismatch",
            "torch %s is for Python %s to %s, not for %s" % (torch, least, most, major_minor(python)),
            "",
        )


def tagged(cuda: str) -> str:
    """The address of the wheels for a CUDA."""
    return "https://download.pytorch.org/whl/%s" % tag_of(cuda)
