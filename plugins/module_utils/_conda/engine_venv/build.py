# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the venv of an engine and installs its packages with pip. Private to hpc.pytorch."""

from __future__ import annotations

import os
import re
import shutil
import typing as t

from ..._common.disk import full_disk, nearly_full
from ..._common.errors import UserError, one_line
from ..._common.process import follow, run
from ..._common.redact import without_credentials
from ..._files.environment import clean_environment
from ..._files.progress import Progress
from ..._source import pip_output
from ..._source.pip_start import pip_for
from . import found
from .request import EngineRequest

_TAIL = 30
# What pip takes while it is installed into a venv, twice.
_VENV_MEGABYTES = 40
_HASHES = re.compile(r"DO NOT MATCH THE HASHES|hash(?:es)? (?:are|is) required|Hashes are required", re.IGNORECASE)


def build(request: EngineRequest, venv: str, python: str, lock: int, progress: Progress) -> None:
    """Make the empty folder *venv* a venv of *python* with the packages of *request*.

    :arg lock: a descriptor that Python and pip inherit: the next run waits for a pip that outlives its run.
    :raises UserError: with the last lines of the output.
    """
    # In the venv's own folder: no other user can reach it, and pip then needs space on one disk alone.
    temporary = os.path.join(venv, found.BUILDING + ".tmp")
    os.mkdir(temporary, 0o700)
    # Every user must be able to run it, whatever root's umask is.
    old = os.umask(0o022)
    try:
        progress.report("make", "the engine, which installs packages")
        given = _given_pip(request, python)
        make = [python, "-I", "-m", "venv", *(["--without-pip"] if given else []), venv]
        output, code = _run(make, temporary, lock, progress)
        if code:
            # venv does not show why ensurepip failed.
            full = nearly_full(request.store, _VENV_MEGABYTES)
            raise full or _failed(request, "a venv of %s" % python, output, "set conda_engine_python to another Python")
        wanted = os.path.join(temporary, found.REQUIREMENTS)
        with open(wanted, "w", encoding="utf-8") as stream:
            # Without comments: the first of them may change how pip decodes the file.
            stream.write("".join(line + "\n" for line in request.lines))
        own = os.path.join(venv, "bin", "python")
        pip = [*(pip_for(own, given, python) if given else [own, "-I", "-m", "pip"]), "--no-input"]
        how = ["--disable-pip-version-check", "install", *(["--no-compile"] if given else [])]
        output, code = _run([*pip, *how, "--requirement", wanted], temporary, lock, progress)
        if code:
            raise _pip_failed(request, output)
    finally:
        os.umask(old)
        shutil.rmtree(temporary, ignore_errors=True)


def _given_pip(request: EngineRequest, python: str) -> str | None:
    """The folder of the pip that *python* has, if it may do the work; else one is first installed into the venv.

    Not for root: another user may be able to change that pip, and the venv's users could not compile. The venv gets the
    pip of the requirements, and its modules are compiled when they are imported.
    """
    if os.geteuid() == 0 or "pip" not in [re.split(r"[^\w.-]", name)[0].lower() for name in request.names]:
        return None
    done = run([python, "-I", "-c", "import pip; print(pip.__version__, pip.__path__[0])"], clean_environment())
    # Since 22.3 it has --python.
    match = re.match(r"(\d+)\.\S+ (/.*)", done.stdout)
    return match.group(2) if done.returncode == 0 and match and int(match.group(1)) >= 23 else None


def _run(argv: t.Sequence[str], temporary: str, lock: int, progress: Progress) -> tuple[list[str], int]:
    """The last lines of the output of *argv*, and its exit status."""
    output: list[str] = []

    def note(text: str) -> None:
        line = without_credentials(one_line(text))
        if line:
            output[:] = output[1 - _TAIL :] + [line]
        step = pip_output.step(line)
        if step:
            progress.report(*step)

    return output, follow(argv, clean_environment(TMPDIR=temporary), note, descriptors=(lock,))


def _pip_failed(request: EngineRequest, output: list[str]) -> UserError:
    packages = "pip to install the engine's packages %s" % ", ".join(request.names)
    if any(map(_HASHES.search, output)):
        return _failed(
            request,
            "packages with the hashes that the requirements name",
            output,
            "compare the package index (a mirror?) with the one that the packages were published on, and run it again",
        )
    remedy = "check that a package index with them is reachable (pip config list, PIP_INDEX_URL), and run it again"
    return _failed(request, packages, output, remedy)


def _failed(request: EngineRequest, expected: str, output: list[str], remedy: str) -> UserError:
    full = full_disk("\n".join(output), request.store)
    if full is not None:
        return UserError(full.expected, full.found, full.remedy, output=output)
    errors = [line for line in output if line.startswith("ERROR:")] or output[-1:] or ["no output"]
    return UserError(expected, errors[-1][:300], remedy, output=output)
