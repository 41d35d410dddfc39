# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program in the place of an env's Python while that is away, for mamba and micromamba. Private to hpc.pytorch.

These tools run ``PREFIX/bin/python -m pip inspect`` in every prefix that has a record of pip, and ``PREFIX/bin/uv`` in
one with a record of uv alone; they give up if it does not start, and take no output for no distributions
(``PrefixData::load_site_packages`` in ``libmamba/src/core/prefix_data.cpp``, mamba-org/mamba#3565). What they find does
not change what they do here.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import typing as t

from ...._files.folder import open_folder

# Prints nothing. A link to it can also be started where /tmp is mounted noexec.
_PROGRAM = shutil.which("true", path="/usr/bin:/bin:/run/current-system/sw/bin") or "/bin/true"


def lay_stand_in(prefix: str, packages: t.Container[str]) -> None:
    """Put one into a prefix without programs that has records of *packages*."""
    name = _started(packages)
    if name:
        folder = os.path.join(prefix, "bin")
        os.makedirs(folder, exist_ok=True)
        os.symlink(_PROGRAM, os.path.join(folder, name))


@contextlib.contextmanager
def stand_in(prefix: str, packages: t.Container[str], damaged: t.Container[str]) -> t.Iterator[None]:
    """Put one into the env at *prefix* if its program is missing or *damaged*; take it away after the block.

    :arg packages: names of the packages that the env has records of.
    :arg damaged: names of packages that are installed again.
    :raises UserError: as root, another user could write there.
    """
    name = _started(packages)
    path = os.path.join(prefix, "bin")
    if not name or (name not in damaged and os.access(os.path.join(path, name), os.X_OK)):
        yield
        return
    with open_folder(path, "a folder for the env's programs at", make=True) as folder:
        folder.link(name, _PROGRAM)
        try:
            yield
        finally:
            # If the tool installed the real one, that has replaced it.
            with contextlib.suppress(OSError):
                if folder.target(name) == _PROGRAM:
                    folder.remove(name)


def _started(packages: t.Container[str]) -> str:
    """The program that the tools start in a prefix with these packages, or an empty string."""
    return "python" if "pip" in packages else "uv" if "uv" in packages else ""
