# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Describes an interpreter of this machine, and compiles files with it. Private to hpc.pytorch."""

from __future__ import annotations

import concurrent.futures
import inspect
import json
import os
import typing as t

from ..._common.errors import UserError
from ..._common.process import OutOfTime, check, run
from ..._files.environment import clean_environment
from ..._files.trust import require_trusted
from . import compile_worker, probe

_SUBDIRS = {"x86_64": "linux-64", "aarch64": "linux-aarch64", "ppc64le": "linux-ppc64le", "s390x": "linux-s390x"}
# Fixed: the bytes depend on which files one process compiles, and must be the same on every machine.
_SHARD = 128


class Interpreter(t.NamedTuple):
    """A CPython of this machine; the fields are explained in probe.py."""

    python: str
    version: str
    major_minor: str
    executable: str
    prefix: str
    stdlib: str
    dynload: str
    include: str
    multiarch: str
    libdir: str
    wheel_dir: str
    subdir: str
    markers: dict[str, str]

    @property
    def tag(self) -> str:
        """As in conda's build strings, such as ``py311``."""
        return "py" + self.major_minor.replace(".", "")

    @property
    def lib(self) -> str:
        """The standard library's folder in an environment, such as ``lib/python3.11``."""
        return "lib/python" + self.major_minor

    @property
    def site_packages(self) -> str:
        """The folder for packages in an environment."""
        return self.lib + "/site-packages"


def inspect_python(python: str) -> Interpreter:
    """Run *python* to find its version and paths.

    :raises UserError: it does not run, it cannot be packed, or root must not execute it.
    """
    remedy = "give the path of a CPython 3.8 or newer for Linux, such as /usr/bin/python3"
    if not os.path.isfile(python) or not os.access(python, os.X_OK):
        raise UserError("a Python interpreter at %s" % python, "no executable file there", remedy)
    require_trusted(python, "the interpreter")
    try:
        facts = answer_of([python, "-I", "-c", inspect.getsource(probe)], 60)
    except (OSError, ValueError, OutOfTime) as error:
        raise UserError("a Python interpreter at %s" % python, str(error), remedy) from None
    subdir = _SUBDIRS.get(facts["machine"])
    version = tuple(int(part) for part in facts["major_minor"].split("."))
    if facts["implementation"] != "cpython" or facts["system"] != "Linux" or not subdir or version < (3, 8):
        found = "%(implementation)s %(version)s for %(system)s %(machine)s" % facts
        raise UserError("CPython 3.8 or newer for Linux at %s" % python, found, remedy)
    if facts["free_threaded"] or facts["abiflags"] or facts["platlibdir"] != "lib":
        found = "abiflags '%(abiflags)s', platlibdir '%(platlibdir)s'" % facts
        raise UserError("a CPython built without ABI flags and with its library in lib at %s" % python, found, remedy)
    for path in (facts["executable"], facts["stdlib"]):
        require_trusted(path, "the interpreter")
    names = set(Interpreter._fields) - {"python", "subdir"}
    return Interpreter(python=python, subdir=subdir, **{name: facts[name] for name in names})


def answer_of(argv: t.Sequence[str], seconds: float) -> dict[str, t.Any]:
    """The object that an interpreter prints as JSON.

    :raises ValueError: it fails, with its last line on standard error, or prints something else.
    :raises OSError: it cannot be started.
    :raises OutOfTime: it takes longer than *seconds*.
    """
    done = run(argv, clean_environment(), seconds=seconds)
    if done.returncode:
        raise ValueError(done.last_error)
    return t.cast("t.Dict[str, t.Any]", json.loads(done.stdout))


def compile_tree(interpreter: Interpreter, root: str, names: t.Sequence[str]) -> list[str]:
    """Compile the files *names* below *root* with the interpreter, two processes at a time. Returns the .pyc names.

    A file that does not compile is left as it is.

    :raises UserError: the interpreter failed.
    """
    source = inspect.getsource(compile_worker)
    ordered = sorted(names)
    shards = [ordered[start : start + _SHARD] for start in range(0, len(ordered), _SHARD)]

    def compile_shard(shard: list[str]) -> list[str]:
        check()
        # Not -I, which ignores PYTHONHASHSEED: the order in which sets are marshalled follows PYTHONHASHSEED.
        command = [interpreter.executable, "-s", "-S", "-c", source]
        request = json.dumps({"root": root, "names": shard})
        done = run(command, {"PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}, given=request)
        if done.returncode != 0:
            raise UserError(
                "an interpreter that compiles at %s" % interpreter.executable,
                done.last_error,
                "check that the interpreter works, or give another one",
            )
        return t.cast("t.List[str]", json.loads(done.stdout))

    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        return [name for written in pool.map(compile_shard, shards) for name in written]
