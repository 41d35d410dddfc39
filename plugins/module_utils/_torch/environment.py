# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the interpreter to run and its environment variables. Reads the disk. Private to hpc.pytorch."""

from __future__ import annotations

import os
import re
import typing as t

from .._common.errors import UserError
from .._common.unfinished import CHANGING_MARK
from .._files.paths import nearest_existing, require_visible
from .._files.trust import require_trusted, require_trusted_env, require_trusted_place, untrusted_because

# The variables that put libraries before those of the environment.
LIBRARY_VARIABLES = ("LD_LIBRARY_PATH", "LD_PRELOAD", "LD_AUDIT")
# Variables of Python that change neither what is imported nor what that does.
_HARMLESS = frozenset(
    "PYTHON" + name
    for name in (
        "ASYNCIODEBUG COERCECLOCALE DONTWRITEBYTECODE FAULTHANDLER HASHSEED INSPECT IOENCODING NOUSERSITE"
        " PYCACHEPREFIX SAFEPATH STARTUP UNBUFFERED USERBASE UTF8"
    ).split()
)

# Variables that set how torch, CUDA and their libraries work, by their first words.
_SETTING = re.compile(
    r"(PYTORCH|TORCH|TORCHINDUCTOR|CUDA|CUBLAS|CUBLASLT|CUDNN|NCCL|MKL|OMP|KMP|GOMP|OPENBLAS)_\w+|NVIDIA_TF32_OVERRIDE"
)
# They choose GPUs, which has causes of its own, or only say what is installed where, as NVIDIA's images do.
_NO_SETTING = re.compile(
    r"CUDA_VISIBLE_DEVICES|CUDA_DEVICE_ORDER|CUDA_CACHE_\w+|TORCH_CUDA_ARCH_LIST"
    r"|\w+_(HOME|PATH|ROOT|DIR|BIN|LIB|LIBRARY|LIBRARIES|INC|INCLUDE|VERSION|NAME|BUILD|PACKAGE)"
)
_MOST_SETTINGS = 100


class Interpreter(t.NamedTuple):
    """A python that may be run.

    :arg python: absolute path.
    :arg root: folder of its environment, or None for a python outside of one.
    :arg kind: ``conda``, ``venv`` or ``plain``.
    """

    python: str
    root: str | None
    kind: str


def find_interpreter(prefix: str | None, python: str | None) -> Interpreter:
    """Return the interpreter of *prefix*, or *python* itself.

    :raises UserError: there is none, its environment was interrupted while being changed, or root must not run it.
    """
    if prefix is not None:
        given = prefix
        python = os.path.join(prefix, "bin", "python")
        require_visible(prefix)
        _require_folder(prefix)
    elif python is None:
        raise ValueError("neither prefix nor python")
    else:
        given = os.path.dirname(os.path.dirname(python))
    require_visible(python)
    in_bin = os.path.basename(os.path.dirname(python)) == "bin"
    kind = _kind(given) if in_bin else "plain"
    if kind != "plain":
        _require_whole(given)
    _require_executable(python, prefix)
    require_trusted(python, "python environment")
    if kind != "plain":
        require_trusted_env(given, "python environment")
        base = os.path.dirname(os.path.dirname(os.path.realpath(python)))
        # A venv may import from the environment that it was created with.
        if base != os.path.realpath(given) and _kind(base) != "plain":
            require_trusted_env(base, "python environment")
    if kind == "plain":
        return Interpreter(python, None, kind)
    # A site environment is a symlink to a version's folder: stay in that version from here on, as a job does.
    root = os.path.realpath(given)
    return Interpreter(os.path.join(root, "bin", os.path.basename(python)), root, kind)


def job_variables(found: Interpreter, variables: t.Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a job would have after activation, with those that leave files on disk turned off.

    LD_LIBRARY_PATH and the user site stay: they may be the cause of a failure.
    """
    result = dict(variables)
    folder = os.path.dirname(found.python)
    result["PATH"] = folder + os.pathsep + (result.get("PATH") or os.defpath)
    for name, kind in (("CONDA_PREFIX", "conda"), ("VIRTUAL_ENV", "venv")):
        result.pop(name, None)
        if found.root is not None and found.kind == kind:
            result[name] = found.root
    result["PYTHONDONTWRITEBYTECODE"] = "1"
    # Root's own user site counts, another user's does not.
    if os.geteuid() == 0 and untrusted_because(nearest_existing(_user_site(result))):
        result["PYTHONNOUSERSITE"] = "1"
    # Otherwise NVIDIA's compiler leaves kernels in ~/.nv.
    result["CUDA_CACHE_DISABLE"] = "1"
    return result


def loading_variables(variables: t.Mapping[str, str]) -> dict[str, str]:
    """Return the variables that change what is imported or loaded: ``PYTHONPATH``, ``PYTHONHOME``, ``LD_PRELOAD``."""
    return {
        name: value
        for name, value in variables.items()
        if value and (name in LIBRARY_VARIABLES or re.fullmatch("PYTHON[A-Z]+", name) and name not in _HARMLESS)
    }


def setting_variables(variables: t.Mapping[str, str]) -> dict[str, str]:
    """Return the variables that set how torch, CUDA and their libraries work: ``PYTORCH_CUDA_ALLOC_CONF``."""
    names = sorted(name for name in variables if _SETTING.fullmatch(name) and not _NO_SETTING.fullmatch(name))
    return {name: variables[name][:1000] for name in names[:_MOST_SETTINGS]}


def require_trusted_variables(variables: t.Mapping[str, str]) -> None:
    """Refuse, as root, variables that could load another user's code into the interpreter.

    :raises UserError: a variable names a file or folder that another user can write.
    """
    for name in ("LD_LIBRARY_PATH", "LD_PRELOAD", "LD_AUDIT", "PYTHONPATH", "PYTHONHOME"):
        # To the loader, blanks in LD_PRELOAD and semicolons in LD_LIBRARY_PATH are colons.
        for path in re.split(r"[:;\s]" if name == "LD_PRELOAD" else r"[:;]", variables.get(name, "")):
            if os.sep in path:
                require_trusted_place(os.path.join(os.sep, path), "path in " + name)


def _user_site(variables: t.Mapping[str, str]) -> str:
    """The folder in which Python looks for the user's own packages."""
    base = variables.get("PYTHONUSERBASE") or os.path.join(variables.get("HOME") or os.path.expanduser("~"), ".local")
    return os.path.join(os.sep, base, "lib")


def _kind(root: str) -> str:
    if os.path.isdir(os.path.join(root, "conda-meta")):
        return "conda"
    if os.path.isfile(os.path.join(root, "pyvenv.cfg")):
        return "venv"
    return "plain"


def _require_folder(prefix: str) -> None:
    try:
        os.listdir(prefix)
    except NotADirectoryError:
        found = "something that is no folder"
    except OSError as error:
        found = str(error.strerror)
    else:
        return
    raise UserError(
        "a python environment at %s" % prefix,
        found,
        "correct the prefix, or create the environment with the role hpc.pytorch.torch_env",
    )


def _require_whole(root: str) -> None:
    if os.path.lexists(os.path.join(root, CHANGING_MARK)):
        raise UserError(
            "a whole environment at %s" % root,
            "one that was interrupted while being changed (%s is there)" % CHANGING_MARK,
            "run hpc.pytorch.conda_env or the role hpc.pytorch.torch_env again, which repairs the environment",
        )


def _require_executable(python: str, prefix: str | None) -> None:
    if not os.path.exists(python):
        found = "a link to nowhere" if os.path.islink(python) else "no such file"
        if not os.path.islink(python) and not os.access(os.path.dirname(python), os.X_OK):
            found = "a folder that cannot be entered or is not there"
    elif not os.path.isfile(python):
        found = "something that is no file"
    elif not os.access(python, os.X_OK):
        found = "a file that may not be executed"
    else:
        return
    remedy = "correct the path"
    if prefix is not None:
        remedy = "correct the prefix, or create the environment with the role hpc.pytorch.torch_env"
    raise UserError("a python at %s" % python, found, remedy)
