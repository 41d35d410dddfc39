# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the probe that finds and imports torch. Private to hpc.pytorch. For the rules see talk.py."""

import importlib.util
import os
import site
import sys
import time


def check_python(channel, added_folders):
    """Report which interpreter this is, and which folders outside the environment can add packages to it."""
    user_site = None
    if site.ENABLE_USER_SITE and os.path.isdir(site.getusersitepackages()):
        user_site = site.getusersitepackages()
    python_path = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    channel.send(
        kind="python",
        version="%d.%d.%d" % sys.version_info[:3],
        executable=sys.executable,
        prefix=sys.prefix,
        user_site=user_site,
        python_path=python_path,
        conda=os.path.isdir(os.path.join(sys.prefix, "conda-meta")),
        added=added_folders(user_site, python_path),
    )


def own_torch():
    """Return the torch in the interpreter's own folders, whether or not another one comes before it."""
    for folder in getattr(site, "getsitepackages", list)():
        path = os.path.join(folder, "torch", "__init__.py")
        if os.path.isfile(path):
            return path
    return None


def find_torch(channel, describe):
    """Return whether there is a torch to import. A folder without code, as a removal may leave it, does not count."""
    try:
        spec = importlib.util.find_spec("torch")
    except (ImportError, ValueError, AttributeError) as error:
        channel.send(kind="torch_missing", leftover=None, error=describe(error))
        return False
    if spec is None:
        channel.send(kind="torch_missing", leftover=None)
        return False
    if spec.origin in (None, "namespace"):
        channel.send(kind="torch_missing", leftover=list(spec.submodule_search_locations or [""])[0])
        return False
    channel.send(kind="torch_found", path=spec.origin, own=own_torch())
    return True


def import_torch(channel, describe, files_from_outside):
    """Return the module, or None after the error was reported. SystemExit and its like count as errors too."""
    started = time.time()
    try:
        import torch
    except BaseException as error:
        channel.send(kind="import_failed", error=describe(error), files=files_from_outside(error))
        return None
    version = getattr(torch, "version", None)
    channel.send(
        kind="torch",
        version=str(getattr(torch, "__version__", "")) or None,
        cuda=getattr(version, "cuda", None),
        hip=getattr(version, "hip", None),
        git=getattr(version, "git_version", None),
        path=os.path.dirname(getattr(torch, "__file__", None) or ""),
        seconds=round(time.time() - started, 3),
    )
    return torch


def built_for(torch):
    """Return the CUDA or ROCm version that torch was built for, or None."""
    version = getattr(torch, "version", None)
    return getattr(version, "cuda", None) or getattr(version, "hip", None)
