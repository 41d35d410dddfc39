# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The home directory in which a page is tried: a new user's, below the user's own. Private to hpc.pytorch.

So the lines that a page puts into ``~/.bashrc`` are tried, and the user's own ``~/.bashrc`` stays as it is.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import typing as t

from .._common.errors import UserError
from .._files.files import read_regular
from .._files.leftovers import held

# Below the user's home directory, which all machines of a cluster share.
FOLDER = ".hpc_pytorch.guide"
# What a new user's home directory begins with.
SKELETON = "/etc/skel"
# Bytes of one of its files.
_LARGEST = 1024 * 1024


class Place(t.NamedTuple):
    """The folder of one page.

    :arg home: the home directory of its commands.
    :arg steps: where the commands of each block are, as files.
    """

    folder: str
    home: str
    steps: str


@contextlib.contextmanager
def new_place(own_home: str, page: str, links: t.Sequence[str]) -> t.Iterator[Place]:
    """Make the folder of a page, and remove it afterwards unless something failed.

    What an earlier run has left is removed first.

    :arg own_home: the user's home directory.
    :arg links: paths in it that the commands find at the same place.
    :raises UserError: a path of *links* is missing.
    """
    for link in links:
        if not os.path.exists(os.path.join(own_home, link)):
            raise UserError(
                "~/%s, which the commands of the page use" % link,
                "nothing there",
                "run hpc.pytorch.user for this user, or take it out of user_guide_run_links",
            )
    above = os.path.join(own_home, FOLDER)
    while True:
        os.makedirs(above, 0o700, exist_ok=True)
        # Two runs for one user do not share a folder: the second waits.
        with held(above) as is_there:
            if not is_there:
                continue
            place = _made(os.path.join(above, page), own_home, links)
            # If it raises, the files stay: they say more than the error does.
            yield place
            remove(place.folder)
            with contextlib.suppress(OSError):
                # Where other pages have failed, their folders stay.
                os.rmdir(above)
            return


def remove(folder: str) -> None:
    """Remove a folder with all that is in it, also what its owner may not write. No link is followed."""

    def again(_call: t.Any, path: str, _error: t.Any) -> None:
        with contextlib.suppress(OSError):
            os.chmod(os.path.dirname(path), stat.S_IRWXU)
            if not os.path.islink(path) and os.path.isdir(path):
                os.chmod(path, stat.S_IRWXU)
                shutil.rmtree(path, ignore_errors=True)
            else:
                os.unlink(path)

    if os.path.lexists(folder):
        shutil.rmtree(folder, onerror=again)
    if os.path.lexists(folder):
        raise UserError("%s to be removable" % folder, "files that cannot be removed", "remove it by hand")


def write_file(home: str, name: str, text: str) -> None:
    """Write a file of the page, whose folders are made."""
    path = os.path.join(home, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        # Not into what a link leads to.
        os.unlink(path)
    with open(path, "x", encoding="utf-8") as stream:
        stream.write(text)


def _made(folder: str, own_home: str, links: t.Sequence[str]) -> Place:
    remove(folder)
    place = Place(folder, os.path.join(folder, "home"), os.path.join(folder, "steps"))
    for path in place:
        os.mkdir(path, 0o700)
    _fill(place.home, own_home, links)
    return place


def _fill(home: str, own_home: str, links: t.Sequence[str]) -> None:
    with contextlib.suppress(FileNotFoundError):
        for entry in sorted(os.listdir(SKELETON)):
            source = os.path.join(SKELETON, entry)
            if os.path.isfile(source):
                with open(os.path.join(home, entry), "xb") as stream:
                    stream.write(read_regular(source, _LARGEST))
    for link in links:
        path = os.path.join(home, link)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(os.path.join(own_home, link), path)
