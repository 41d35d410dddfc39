# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies a CPython of this machine so that it works at any prefix, and checks the copy. Private to hpc.pytorch."""

from __future__ import annotations

import os
import re
import shutil
import typing as t

from ..._common.errors import UserError
from ..._common.process import OutOfTime, check
from .interpreter import Interpreter, answer_of
from .patches import undo_patches
from .relocate import relocate_binaries, relocate_config

# At the top of the standard library: other packages, marks of another package manager, and demonstrations.
_LEFT_OUT = {
    "EXTERNALLY-MANAGED",
    "_distutils_system_mod.py",
    "dist-packages",
    "idlelib",
    "site-packages",
    "sitecustomize.py",
    "turtledemo",
    "usercustomize.py",
}
_LEFT_OUT_BELOW = {"__pycache__", "tests"}
_TEST_FOLDERS = {"ctypes/test", "sqlite3/test", "tkinter/test", "unittest/test", "lib2to3/tests", "distutils/tests"}
_TEST_EXTENSIONS = re.compile(r"^(_test|_xxtest|xxlimited|_ctypes_test)")
_CHECK = """
import importlib, json, site, sys, sysconfig
names = ("ssl ctypes sqlite3 zlib bz2 lzma hashlib readline curses uuid decimal json socket select mmap "
         "multiprocessing.synchronize xml.parsers.expat zoneinfo venv").split()
works = []
for name in names:
    try:
        importlib.import_module(name)
        works.append(name)
    except ImportError:
        pass
paths = sysconfig.get_paths()
result = {"prefix": sys.prefix, "works": works, "purelib": paths["purelib"], "platlib": paths["platlib"],
          "scripts": paths["scripts"], "data": paths["data"], "sites": site.getsitepackages()}
if sys.version_info < (3, 12):
    import warnings
    warnings.simplefilter("ignore")
    from distutils.command.install import install
    from distutils.dist import Distribution
    command = install(Distribution())
    command.finalize_options()
    result["distutils"] = command.install_purelib
print(json.dumps(result))
"""


def stage(interpreter: Interpreter, root: str, patchelf: str | None) -> None:
    """Copy the interpreter to *root* as ``bin``, ``lib`` and ``include`` of an environment.

    :arg patchelf: the tool that sets a library path, needed only for a shared libpython.
    """
    lib = os.path.join(root, interpreter.lib)
    os.makedirs(os.path.join(root, "bin"))
    os.makedirs(lib)
    version = interpreter.major_minor
    binary = os.path.join(root, "bin", "python" + version)
    _copy(interpreter.executable, binary)
    os.chmod(binary, 0o755)
    for name in ("python3", "python"):
        os.symlink("python" + version, os.path.join(root, "bin", name))
    _copy_stdlib(interpreter.stdlib, lib)
    if os.path.realpath(interpreter.dynload) != os.path.realpath(os.path.join(interpreter.stdlib, "lib-dynload")):
        _copy_stdlib(interpreter.dynload, os.path.join(lib, "lib-dynload"))
    _drop_test_extensions(os.path.join(lib, "lib-dynload"))
    os.makedirs(os.path.join(lib, "site-packages"))
    with open(os.path.join(lib, "site-packages", "README.txt"), "w") as stream:
        stream.write("This directory holds the environment's own Python packages.\n")
    _copy_headers(interpreter, os.path.join(root, "include", "python" + version))
    relocate_config(interpreter, lib)
    undo_patches(interpreter, lib)
    relocate_binaries(interpreter, root, patchelf)


def check_staged(interpreter: Interpreter, root: str) -> None:
    """Run the copy: it must find itself, its folder for packages, and every library that the original finds.

    :raises UserError: the copy would not work in an environment.
    """
    before = _run_check(interpreter.executable, interpreter)
    after = _run_check(os.path.join(root, "bin", "python" + interpreter.major_minor), interpreter)
    site = os.path.join(root, interpreter.site_packages)
    wanted = {"prefix": root, "purelib": site, "platlib": site, "scripts": os.path.join(root, "bin"), "data": root}
    wrong = ["%s is %s" % (key, after[key]) for key, value in sorted(wanted.items()) if after[key] != value]
    if after["sites"] != [site]:
        wrong.append("site.getsitepackages() is %s" % after["sites"])
    if after.get("distutils", site).rstrip("/") != site:
        wrong.append("distutils installs to %s" % after["distutils"])
    wrong += ["%s cannot be imported" % name for name in before["works"] if name not in after["works"]]
    if wrong:
        raise UserError(
            "a Python that installs into %s at another prefix" % interpreter.site_packages,
            "%s: %s" % (interpreter.executable, "; ".join(wrong)),
            "give a relocatable build or Debian's own as the interpreter",
        )


def _copy_stdlib(source: str, target: str) -> None:
    def ignore(folder: str, names: list[str]) -> list[str]:
        relative = os.path.relpath(folder, source)
        left = []
        for name in names:
            path = name if relative == "." else relative + "/" + name
            top = relative == "."
            if name in _LEFT_OUT_BELOW or path in _TEST_FOLDERS or (top and name in _LEFT_OUT):
                left.append(name)
            elif top and name.startswith("config-"):
                left.append(name)
            elif relative == "test" and name not in ("__init__.py", "support"):
                left.append(name)
            elif os.path.islink(os.path.join(folder, name)) and not os.path.exists(os.path.join(folder, name)):
                left.append(name)
        return left

    shutil.copytree(source, target, ignore=ignore, copy_function=_copy, dirs_exist_ok=True)


def _copy(source: str, target: str) -> str:
    check()
    shutil.copyfile(source, target)
    if target.endswith(".so") or ".so." in target:
        os.chmod(target, 0o755)
    return target


def _drop_test_extensions(folder: str) -> None:
    for name in os.listdir(folder) if os.path.isdir(folder) else []:
        if _TEST_EXTENSIONS.match(name):
            os.unlink(os.path.join(folder, name))


def _copy_headers(interpreter: Interpreter, target: str) -> None:
    """Copy Python's own headers, if they are installed, without those that packages added to the folder."""
    source = interpreter.include
    if not os.path.isfile(os.path.join(source, "Python.h")):
        return
    os.makedirs(target)
    for name in sorted(os.listdir(source)):
        path = os.path.join(source, name)
        if name in ("cpython", "internal"):
            shutil.copytree(path, os.path.join(target, name), copy_function=_copy)
        elif name.endswith(".h") and os.path.isfile(path):
            _copy(path, os.path.join(target, name))
    # Debian has it in a folder per architecture; the file in the usual place only includes that one.
    multiarch = os.path.join(os.path.dirname(source), interpreter.multiarch, os.path.basename(source), "pyconfig.h")
    if interpreter.multiarch and os.path.isfile(multiarch):
        _copy(multiarch, os.path.join(target, "pyconfig.h"))


def _run_check(executable: str, interpreter: Interpreter) -> dict[str, t.Any]:
    try:
        return answer_of([executable, "-I", "-B", "-c", _CHECK], 120)
    except (OSError, ValueError, OutOfTime) as error:
        raise UserError(
            "a Python that runs at another prefix: %s" % interpreter.executable,
            str(error),
            "give a relocatable build or Debian's own as the interpreter",
        ) from None
