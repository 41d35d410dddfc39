# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The node has no NVIDIA driver, or a part of it is missing. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

from ...asked import Asked
from ...report import Report
from .. import evidence
from ..reason import Reason
from ..remedies.place import Place, place_of

# Errors that only a driver that is there returns.
_DRIVER_ANSWERED = (evidence.NOT_READY, evidence.MISMATCH, evidence.NO_COMPAT, evidence.BUSY)


def no_driver(report: Report, asked: Asked) -> Reason | None:
    """The node has no NVIDIA driver, or no library to reach it by.

    There is no kernel module, or no `libcuda.so.1`. Where no GPU is wanted, this is as it should be. WSL, Jetson and
    nodes with AMD's GPUs are not platforms of this collection: the remedy says so.
    """
    if report.driver is None or report.cuda is not None and report.cuda["count"]:
        return None
    place, has_module = place_of(report), evidence.has_kernel_module(report)
    failure = evidence.start_failure(report)
    if report.driver["library"]:
        # With a library, only an error of a driver that is not there counts.
        if has_module or failure is None or failure.number in _DRIVER_ANSWERED:
            return None
    error = "" if report.driver["library"] else report.driver["library_error"]["text"]
    reason = _other_platform(place, error, has_module)
    if reason is None and has_module:
        reason = _no_library(report, place, error)
    return reason or _no_module(report, place)


def _other_platform(place: Place, error: str, has_module: bool) -> Reason | None:
    if place.wsl and error:
        return Reason(
            "no_driver",
            "this is WSL, which reaches GPUs by Windows (/dev/dxg); libcuda.so.1 cannot be loaded: %s" % error,
            "WSL is not a platform of this collection: put /usr/lib/wsl/lib into LD_LIBRARY_PATH, or into a file of"
            " /etc/ld.so.conf.d and run ldconfig; update NVIDIA's driver of Windows, and install none in WSL",
        )
    if place.jetson:
        return Reason(
            "no_driver",
            "this is a Jetson, whose GPU does not have the driver of other GPUs%s" % (": " + error if error else ""),
            "Jetson is not a platform of this collection: use the torch that NVIDIA builds for its JetPack",
        )
    if place.kfd is not None and not has_module and not place.pci:
        return Reason(
            "no_driver",
            "this node has AMD's kernel driver (/dev/kfd) and no NVIDIA driver",
            "nothing if no GPU is wanted; AMD's GPUs are not a platform of this collection: they need a torch built for"
            " ROCm, and a user in the groups render and video",
        )
    return None


def _no_library(report: Report, place: Place, error: str) -> Reason:
    message = "the kernel has NVIDIA's module but libcuda.so.1 cannot be loaded: %s" % error
    release = evidence.kernel_release(report)
    libraries = "the driver's libraries%s" % (" of its release, %s" % release if release else " of the same release")
    if place.container:
        return Reason("no_driver", message, place.pass_in_gpus)
    if "No such file" in error or not error:
        return Reason("no_driver", message, "install %s; in a container, pass in the GPUs (--nv, --gpus)" % libraries)
    return Reason("no_driver", message, "install %s again: libcuda.so.1 is there and is broken" % libraries)


def _no_module(report: Report, place: Place) -> Reason:
    message = "this node has no NVIDIA driver: no kernel module"
    library = bool(report.driver and report.driver["library"])
    if library:
        message += ", only the library %s" % (evidence.libcuda_path(report) or "libcuda.so.1")
    else:
        message += " and no libcuda.so.1"
    if place.pci == 0:
        message += "; and no NVIDIA GPU on its PCI bus"
        remedy = "nothing if no GPU is wanted; otherwise run on a node that has GPUs"
    elif place.pci and library:
        message += "; %d NVIDIA GPUs are on its PCI bus" % place.pci
        remedy = "nothing if no GPU is wanted; otherwise load the kernel module (modprobe nvidia), and if that fails,"
        remedy += " install the NVIDIA driver again for this kernel"
    elif place.pci:
        message += "; %d NVIDIA GPUs are on its PCI bus" % place.pci
        remedy = "nothing if no GPU is wanted; otherwise install the NVIDIA driver"
    else:
        remedy = "nothing if no GPU is wanted; otherwise install the NVIDIA driver, or run on a node that has it"
    return Reason("no_driver", message, remedy)
