# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Undoes what a distribution patched in its CPython for its own package manager. Private to hpc.pytorch.

Debian's ``pip install`` writes to ``local/lib/python3.X/dist-packages``, and its ensurepip refuses to run. An
environment needs what python.org ships.
"""

from __future__ import annotations

import ast
import os
import re
import shutil

from .interpreter import Interpreter

_SYSCONFIG = """
# Added when this interpreter was packed: an env's packages belong below its own prefix.
def _get_preferred_schemes():
    return {"prefix": "posix_prefix", "home": "posix_home", "user": "posix_user"}


def _get_default_scheme():
    return "posix_prefix"

"""
# Debian's site module is frozen into the interpreter since 3.11, so a change of its file has no effect. It reads the
# .pth files in lib/python3.X/dist-packages; ours switches to the environment's own folder. It is not a sitecustomize,
# which users may have.
_SITE_HOOK = "_env_site"
_SITE = '''"""Added when this interpreter was packed: an env has one folder for packages, site-packages."""

import os
import site
import sys


def getsitepackages(prefixes=None):
    """The site-packages folder of each prefix."""
    found = []
    for prefix in site.PREFIXES if prefixes is None else prefixes:
        path = os.path.join(prefix, "lib", "python%d.%d" % sys.version_info[:2], "site-packages")
        if prefix and path not in found:
            found.append(path)
    return found


def hand_over():
    if sys.prefix != sys.base_prefix:
        return
    distribution = os.path.join(os.path.dirname(os.path.abspath(__file__)), "dist-packages")
    sys.path[:] = [path for path in sys.path if path != distribution]
    site.getsitepackages = getsitepackages
    for path in getsitepackages():
        if os.path.isdir(path):
            site.addsitedir(path)
'''
_DISTUTILS = """

# Added when this interpreter was packed: the distribution uses its own layout only outside virtual environments.
def is_virtual_environment():
    return True
"""
_ENSUREPIP = """

# Added when this interpreter was packed: the distribution refuses ensurepip outside of virtual environments.
def _ensurepip_is_disabled_in_debian_for_system():
    return None

"""


def undo_patches(interpreter: Interpreter, lib: str) -> None:
    """Replace what a distribution patched in the copied standard library *lib*. An unpatched one is left as it is."""
    sysconfig = os.path.join(lib, "sysconfig.py")
    if not os.path.exists(sysconfig):
        sysconfig = os.path.join(lib, "sysconfig", "__init__.py")
    if _holds(sysconfig, "posix_local"):
        # Early in the file: later functions have the default scheme as the default of an argument.
        _insert(sysconfig, _SYSCONFIG, "\ndef get_preferred_scheme(", "\ndef _parse_makefile(")
    if _holds(os.path.join(lib, "site.py"), "dist-packages"):
        os.makedirs(os.path.join(lib, "dist-packages"))
        for name, text in (
            (_SITE_HOOK + ".py", _SITE),
            ("dist-packages/env.pth", "import {0}; {0}.hand_over()\n".format(_SITE_HOOK)),
        ):
            with open(os.path.join(lib, name), "w") as stream:
                stream.write(text)
    if _holds(os.path.join(lib, "distutils", "sysconfig.py"), "def is_virtual_environment"):
        _insert(os.path.join(lib, "distutils", "sysconfig.py"), _DISTUTILS)
    _bundle_pip(interpreter, os.path.join(lib, "ensurepip"))


def _bundle_pip(interpreter: Interpreter, folder: str) -> None:
    """Give ensurepip its wheels back, or remove it if the distribution has not installed them."""
    bundled = os.path.join(folder, "_bundled")
    if not os.path.isdir(folder) or os.path.isdir(bundled):
        return
    # The distribution keeps the wheels in a folder of its own.
    source = interpreter.wheel_dir
    init = os.path.join(folder, "__init__.py")
    with open(init) as stream:
        text = stream.read()
    names = sorted(os.listdir(source)) if source and os.path.isdir(source) else []
    wheels = {name.split("-")[0]: name for name in names if name.endswith(".whl")}
    needed = re.search(r"^_PACKAGE_NAMES = (\(.*\))$", text, re.MULTILINE)
    packages = ast.literal_eval(needed.group(1)) if needed else ("pip",)
    if not all(package in wheels for package in packages):
        shutil.rmtree(folder)
        return
    os.makedirs(bundled)
    for package in packages:
        shutil.copyfile(os.path.join(source, wheels[package]), os.path.join(bundled, wheels[package]))
        version = wheels[package].split("-")[1]
        text = re.sub(
            r"^_%s_VERSION = .*$" % package.upper(), '_%s_VERSION = "%s"' % (package.upper(), version), text, flags=re.M
        )
    text = re.sub(r"^_WHEEL_PKG_DIR = .*$", "_WHEEL_PKG_DIR = None", text, flags=re.M)
    with open(init, "w") as stream:
        stream.write(text)
    if "_ensurepip_is_disabled_in_debian_for_system" in text:
        _insert(init, _ENSUREPIP)


def _holds(path: str, text: str) -> bool:
    """Whether the file exists and contains *text*."""
    if not os.path.isfile(path):
        return False
    with open(path, encoding="utf-8") as stream:
        return text in stream.read()


def _insert(path: str, addition: str, *before: str) -> None:
    """Insert *addition* before the first of these lines that exists, or at the end of the file."""
    with open(path, encoding="utf-8") as stream:
        text = stream.read()
    found = [text.find(line) for line in before + ("\nif __name__ == ",) if line in text]
    position = found[0] if found else len(text)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text[:position] + addition + text[position:])
