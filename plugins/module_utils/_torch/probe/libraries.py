# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the probe that finds the CUDA libraries in use. Private to hpc.pytorch. For the rules see talk.py."""

import glob
import os
import re
import sys

# What torch brings along, and what a toolkit in LD_LIBRARY_PATH has too.
FAMILY = re.compile(
    r"(lib(?:cudart|cudnn|cublas|cufft|cupti|curand|cusolver|cusparse|nccl|nvJitLink|nvrtc)\w*)(?:-\w+)?\.so(?:\.(\d+))?"
)
DRIVER = re.compile(r"libcuda\.so(?:\.|$)")
MOST = 200


def check_path(channel):
    """Report the CUDA libraries in the folders that the loader searches first."""
    found = []
    for folder in os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep):
        try:
            names = sorted(os.listdir(folder)) if folder else []
        except OSError:
            continue
        found += [("LD_LIBRARY_PATH", os.path.join(folder, name)) for name in names if is_cuda(name)]
    for path in re.split(r"[:\s]+", os.environ.get("LD_PRELOAD", "")):
        if is_cuda(os.path.basename(path)):
            found.append(("LD_PRELOAD", path))
    channel.send(kind="library_path", found=[list(pair) for pair in found[:MOST]])


def is_cuda(name):
    """Return whether a file of this name is the driver's library or one that torch brings along."""
    return bool(FAMILY.match(name) or DRIVER.match(name))


def mapped():
    """Return the files that are mapped into this process."""
    try:
        with open("/proc/self/maps", "rb") as stream:
            lines = stream.read().decode("utf-8", "surrogateescape").split("\n")
    except OSError:
        return []
    return sorted({line[line.index("/") :] for line in lines if "/" in line})


def find_shadows(channel, torch_path):
    """Report each library in use that comes from outside although the environment has its own.

    If the environment has no library of that name, torch was built to find it outside.
    """
    folders = [os.path.join(torch_path, "lib")]
    folders += glob.glob(os.path.join(glob.escape(os.path.dirname(torch_path)), "nvidia", "*", "lib"))
    folders += [os.path.join(prefix, "lib") for prefix in (sys.prefix, sys.base_prefix)]
    folders = [os.path.realpath(folder) for folder in folders]
    own = {}
    shadowed = []
    for path in mapped():
        match = FAMILY.match(os.path.basename(path))
        if not match or os.path.dirname(os.path.realpath(path)) in folders:
            continue
        if not own:
            own = libraries_in(folders)
        instead = own.get(match.groups())
        if instead:
            shadowed.append({"name": os.path.basename(path), "path": path, "instead": instead})
    channel.send(kind="shadowed", libraries=shadowed[:MOST])


def libraries_in(folders):
    """Return the CUDA libraries in *folders*, by name and major version; the first folder wins."""
    found = {}
    for folder in folders:
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        for name in names:
            match = FAMILY.match(name)
            if match:
                found.setdefault(match.groups(), os.path.join(folder, name))
    return found
