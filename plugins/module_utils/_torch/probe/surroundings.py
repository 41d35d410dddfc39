# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the probe that tells where it runs: a container, WSL, a Jetson. Private to hpc.pytorch. Rules: talk.py.

Paths are below *root*, which is empty except in tests.
"""

import errno
import os
import re

NVIDIA = "0x10de"
VARIABLES = (
    ("APPTAINER_CONTAINER", "apptainer"),
    ("SINGULARITY_CONTAINER", "apptainer"),
    ("KUBERNETES_SERVICE_HOST", "kubernetes"),
)
FILES = (("/.dockerenv", "docker"), ("/run/.containerenv", "podman"), ("/.singularity.d", "apptainer"))
CGROUPS = re.compile("(docker|kubepods|libpod|lxc|containerd)")


def describe_place(root, has_module):
    """Return what kind of place this is.

    :arg has_module: whether the kernel has NVIDIA's module; if not, the PCI bus is searched for its GPUs.
    """
    cgroup = text_of(root + "/proc/self/cgroup")
    return {
        "container": container(root, cgroup),
        "slurm": bool(re.search("slurm", cgroup)),
        "wsl": os.path.exists(root + "/dev/dxg"),
        "jetson": os.path.exists(root + "/etc/nv_tegra_release") or os.path.isdir(root + "/sys/module/nvgpu"),
        "kfd": opening(root + "/dev/kfd"),
        "pci": None if has_module else gpus_on_pci(root),
    }


def container(root, cgroup):
    """Return what runs this container; None outside of one."""
    for path, name in FILES:
        if os.path.exists(root + path):
            return name
    for variable, name in VARIABLES:
        if os.environ.get(variable):
            return name
    match = CGROUPS.search(cgroup)
    # systemd, LXC and podman set this one.
    return match.group(1) if match else os.environ.get("container") or None


def opening(path):
    """Return an empty text if a device file can be opened, else the name of the error; None if it is not there."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
    except OSError as problem:
        if problem.errno == errno.ENOENT:
            return None
        return errno.errorcode.get(problem.errno, str(problem.errno))
    return ""


def gpus_on_pci(root):
    """Return how many of NVIDIA's display devices are on the PCI bus; None if the bus cannot be read."""
    folder = root + "/sys/bus/pci/devices"
    try:
        names = os.listdir(folder)
    except OSError:
        return None
    files = [(text_of("%s/%s/vendor" % (folder, name)), text_of("%s/%s/class" % (folder, name))) for name in names]
    return len([1 for vendor, kind in files if vendor.strip() == NVIDIA and kind.startswith("0x03")])


def text_of(path):
    """Return the text of a small file; empty if it cannot be read."""
    try:
        with open(path, "rb") as stream:
            return stream.read(65536).decode("utf-8", "replace")
    except OSError:
        return ""
