# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the probe that finds packages with the same CUDA library. Private to hpc.pytorch. Rules: see talk.py.

NVIDIA's wheels for several versions of CUDA share a folder, such as nvidia/nccl/lib: the one installed last wins.
"""

import os
import re
import sys

WHEEL = re.compile(r"nvidia[-_.](.+?)[-_.]cu(\d+)-([^-]+)\.dist-info")
CONDA = re.compile(
    r"(?:lib|cuda-)?(nccl|cudnn|cublas|cudart|nvrtc|cupti|cufft|curand|cusolver|cusparse|nvjitlink)-(\d[^-]*)"
)
MOST = 50
LONGEST = 1 << 18


def check_doubled(channel, folders):
    """Report the packages in *folders* and of conda that bring the same CUDA library; nothing if there are none."""
    found = []
    for folder in folders:
        for entry in names_in(folder):
            match = WHEEL.match(entry)
            if match:
                part, cuda, version = match.groups()
                library = re.sub(r"[-_.]+", "", re.sub(r"^cuda[-_.]", "", part.lower())).replace("runtime", "cudart")
                name = "nvidia-%s-cu%s" % (re.sub(r"[-_.]+", "-", part), cuda)
                found.append(
                    {"library": library, "name": name, "version": version, "record": os.path.join(folder, entry)}
                )
    for entry in names_in(os.path.join(sys.prefix, "conda-meta")):
        match = CONDA.match(entry)
        if match and entry.endswith(".json"):
            record = os.path.join(sys.prefix, "conda-meta", entry)
            name = entry[: match.start(2) - 1]
            found.append({"library": match.group(1), "name": name, "version": match.group(2), "record": record})
    names = {}
    for item in found:
        names.setdefault(item["library"], set()).add(item["name"])
    # Conda itself has several packages for one library.
    wheels = {item["library"] for item in found if not item["record"].endswith(".json")}
    doubled = [item for item in found if len(names[item["library"]]) > 1 and item["library"] in wheels][:MOST]
    if doubled:
        wanted = requirements(folders)
        for item in doubled:
            item["wanted_by"] = sorted(wanted.get(item["name"], []))[:MOST]
        channel.send(kind="doubled", packages=doubled)


def requirements(folders):
    """Return for each package of NVIDIA's the packages that require it."""
    wanted = {}
    for folder in folders:
        for entry in names_in(folder):
            path = os.path.join(folder, entry, "METADATA")
            if not entry.endswith(".dist-info") or not os.path.isfile(path):
                continue
            with open(path, "rb") as stream:
                text = stream.read(LONGEST).decode("utf-8", "replace")
            for name in re.findall(r"(?m)^Requires-Dist: *(nvidia[\w.-]+)", text):
                normal = re.sub(r"[-_.]+", "-", name).lower()
                wanted.setdefault(normal, set()).add(entry[: -len(".dist-info")].replace("-", " "))
    return wanted


def names_in(folder):
    """Return the names in a folder; none if it cannot be read."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
