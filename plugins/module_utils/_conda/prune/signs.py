# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds what uses a version of a site env: processes, and files of users and the site. Reads only.

Private to hpc.pytorch. The last two parts of a path identify a version, since a share may be mounted elsewhere.
"""

from __future__ import annotations

import errno
import fnmatch
import glob
import os
import re
import stat
import typing as t

from ..._common.errors import some

Uses = t.Dict[str, t.List[str]]

# Below a home directory. Folders that match a wildcard are not entered if they are symlinks; fixed names may be.
_IN_HOMES = (
    (".conda/environments.txt", "the list of envs"),
    (".local/share/jupyter/kernels/*/kernel.json", "the Jupyter kernel"),
    (".conda/envs/*/share/jupyter/kernels/*/kernel.json", "the Jupyter kernel"),
    ("*/share/jupyter/kernels/*/kernel.json", "the Jupyter kernel"),
    ("*/pyvenv.cfg", "the venv"),
    ("*/*/pyvenv.cfg", "the venv"),
    (".local/lib/python3*/site-packages/*.pth", "the path file"),
    (".conda/envs/*/lib/python3*/site-packages/*.pth", "the path file"),
    ("*/lib/python3*/site-packages/*.pth", "the path file"),
    (".bash*", "the shell's file"),
    (".profile", "the shell's file"),
    (".zsh*", "the shell's file"),
)
_IN_LAYERS = (
    ("pyvenv.cfg", "the venv"),
    ("*/pyvenv.cfg", "the venv"),
    ("*/*/pyvenv.cfg", "the venv"),
    ("lib/python3*/site-packages/*.pth", "the path file"),
    ("*/lib/python3*/site-packages/*.pth", "the path file"),
    ("share/jupyter/kernels/*/kernel.json", "the Jupyter kernel"),
    ("*/share/jupyter/kernels/*/kernel.json", "the Jupyter kernel"),
)
_KERNELS = ("/usr/local/share/jupyter", "/usr/share/jupyter")
# No file of these kinds is longer.
_LARGEST = 1024 * 1024


class Names:
    """Finds versions of the store ``.NAME`` in a text: under any mount point, also renamed for removal."""

    def __init__(self, env: str, versions: t.Iterable[str]) -> None:
        wanted = "|".join(re.escape(version) for version in sorted(versions)) or r"(?!)"
        pattern = r"/\.%s/(?:(%s)(?![\w.+-])|\.(%s)\.[^/\s:]*\.removing)" % (re.escape(env), wanted, wanted)
        self._pattern = re.compile(pattern.encode("utf-8", "surrogateescape"))

    def found_in(self, text: bytes) -> set[str]:
        """The versions that *text* names."""
        return {(match.group(1) or match.group(2)).decode() for match in self._pattern.finditer(text)}


def processes(names: Names, proc: str = "/proc") -> tuple[Uses, list[str]]:
    """The processes of this machine that run in a version, have it open or in their environment; and doubts."""
    uses: Uses = {}
    doubts: list[str] = []
    if os.geteuid() != 0:
        doubts.append("other users' processes cannot be seen without root")
    hidden = []
    for pid in sorted((name for name in os.listdir(proc) if name.isdigit()), key=int):
        text, is_hidden = _texts_about(os.path.join(proc, pid))
        for version in sorted(names.found_in(text)):
            uses.setdefault(version, []).append("process %s (%s)" % (pid, _command(os.path.join(proc, pid))))
        # The machine's init runs in no env, and a container's root may not be allowed to read it.
        if is_hidden and pid != "1":
            hidden.append(pid)
    if hidden and os.geteuid() == 0:
        doubts.append("processes that cannot be inspected: %s" % some(hidden))
    return uses, doubts


def files(
    names: Names, envs_dir: str, homes: t.Sequence[str], layers: t.Sequence[str], named_in: t.Sequence[str]
) -> tuple[Uses, list[str]]:
    """The files that name a version; and the folders that cannot be read.

    :arg homes: globs of home directories.
    :arg layers: globs of folders that hold venvs, kernels or envs.
    :arg named_in: globs of files of the site, such as modulefiles.
    """
    uses: Uses = {}
    blocked: list[str] = []
    for path, what, owner in _candidates(envs_dir, homes, layers, named_in, blocked):
        text = _text_of(path, owner, blocked)
        for version in sorted(names.found_in(text)):
            # A file inside a version names that version itself.
            if version not in names.found_in(os.fsencode(path)):
                uses.setdefault(version, []).append("%s %s" % (what, path))
    return uses, ["cannot be read: %s" % some(sorted(set(blocked)))] if blocked else []


def _candidates(
    envs_dir: str, homes: t.Sequence[str], layers: t.Sequence[str], named_in: t.Sequence[str], blocked: list[str]
) -> t.Iterator[tuple[str, str, int | None]]:
    """Path, what it is, and who must own it (None: any user, as the site named the file)."""
    for home in _globbed(homes):
        try:
            owner = os.stat(home).st_uid
        except FileNotFoundError:
            continue
        except OSError:
            blocked.append(home)
            continue
        for pattern, what in _IN_HOMES:
            for path in _below(home, pattern, blocked):
                yield path, what, owner
    for folder in [*_globbed(layers), envs_dir]:
        for pattern, what in _IN_LAYERS:
            for path in _below(folder, pattern, blocked):
                yield path, what, None
    for folder in _KERNELS:
        for path in _below(folder, "kernels/*/kernel.json", blocked):
            yield path, "the Jupyter kernel", None
    for path in _globbed(named_in):
        yield path, "the file", None


def _globbed(patterns: t.Iterable[str]) -> list[str]:
    return sorted({path for pattern in patterns for path in glob.glob(os.path.expanduser(pattern), recursive=True)})


def _below(folder: str, pattern: str, blocked: list[str]) -> t.Iterator[str]:
    """Paths below *folder* that match *pattern*, hidden ones too."""
    part, _slash, rest = pattern.partition("/")
    if "*" not in part:
        names = [part]
    else:
        try:
            with os.scandir(folder) as entries:
                names = sorted(
                    entry.name
                    for entry in entries
                    if fnmatch.fnmatchcase(entry.name, part) and (not rest or entry.is_dir(follow_symlinks=False))
                )
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError:
            blocked.append(folder)
            return
    for name in names:
        path = os.path.join(folder, name)
        if rest:
            yield from _below(path, rest, blocked)
        else:
            yield path


def _text_of(path: str, owner: int | None, blocked: list[str]) -> bytes:
    """The file's text. Opens no fifo, no device, and, if *owner* is given, no file of a third user."""
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return b""
    except OSError as error:
        # A user who links a name to itself keeps no version.
        if error.errno != errno.ELOOP:
            blocked.append(path)
        return b""
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or (owner is not None and status.st_uid not in (owner, 0)):
            return b""
        # A link into /proc leads to files without a size, some of which cannot be read.
        if status.st_size == 0:
            return b""
        with open("/proc/self/fd/%d" % handle, "rb") as stream:
            return stream.read(_LARGEST)
    except OSError:
        blocked.append(path)
        return b""
    finally:
        os.close(handle)


def _texts_about(folder: str) -> tuple[bytes, bool]:
    """Everything in /proc about a process that may name a path; and whether a part could not be read."""
    texts: list[bytes] = []
    hidden = False
    for read in (_links_of, _open_files_of, _texts_of):
        try:
            texts.extend(read(folder))
        except (FileNotFoundError, ProcessLookupError):
            # A kernel thread, or a process that has just ended.
            continue
        except OSError:
            hidden = True
    return b"\n".join(texts), hidden


def _links_of(folder: str) -> t.Iterator[bytes]:
    for name in ("cwd", "root", "exe"):
        yield os.fsencode(os.readlink(os.path.join(folder, name)))


def _open_files_of(folder: str) -> t.Iterator[bytes]:
    for name in os.listdir(os.path.join(folder, "fd")):
        try:
            yield os.fsencode(os.readlink(os.path.join(folder, "fd", name)))
        except FileNotFoundError:
            continue


def _texts_of(folder: str) -> t.Iterator[bytes]:
    for name in ("maps", "environ", "cmdline"):
        with open(os.path.join(folder, name), "rb") as stream:
            yield stream.read()


def _command(folder: str) -> str:
    try:
        with open(os.path.join(folder, "comm"), encoding="utf-8", errors="replace") as stream:
            return "%s of uid %d" % (stream.read().strip(), os.stat(folder).st_uid)
    except OSError:
        return "ended meanwhile"
