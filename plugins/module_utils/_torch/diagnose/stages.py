# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All causes, the nearest first: why torch or its CUDA does not work. No I/O. Private to hpc.pytorch.

To add a reason code, write a function of that name in a file of this folder, put it into STAGES, and run
``make generate``: its docstring becomes the code's section in docs/causes.md, and the first line of it the text in the
documentation of torch_info.
"""

from __future__ import annotations

import typing as t

from ..._common.errors import one_line
from ..asked import Asked
from ..report import Report
from . import device, driver, hang, installation, job
from .outside import settings, shadow
from .reason import Reason
from .software import on_gpu
from .start import cuda_unavailable, no_driver

Detector = t.Callable[[Report, Asked], t.Optional[Reason]]


class Stage(t.NamedTuple):
    """Causes of the same trouble.

    :arg one: report the nearest cause alone, as the others only follow from it.
    :arg last: skip all later stages if there is a cause in this one.
    :arg title: the heading on the page of causes; empty to continue the part before.
    :arg intro: the text below that heading.
    """

    detectors: tuple[Detector, ...]
    one: bool = False
    last: bool = False
    title: str = ""
    intro: str = ""


STAGES = (
    Stage((hang.probe_timeout,), title="No answer"),
    Stage(
        (
            installation.torch_missing,
            shadow.user_site_shadow,
            shadow.ld_library_path_shadow,
            settings.bad_setting,
            installation.import_failed,
            installation.compute_failed,
        ),
        one=True,
        last=True,
        title="The environment",
        intro="There is no torch that computes, or not the one that was asked for. Of all but the last two only"
        " one is reported, and nothing else: without a torch that computes nothing can be said about CUDA.",
    ),
    Stage((installation.numpy_mismatch,)),
    Stage((installation.cpu_only_build,)),
    Stage(
        (
            no_driver.no_driver,
            driver.stub_or_compat_libcuda,
            driver.driver_too_old,
            driver.fabric_manager_802,
            device.exclusive_or_busy,
            job.slurm_cgroup,
            job.cuda_visible_devices,
            job.mig,
            driver.hmm_kaslr,
            driver.missing_uvm,
            cuda_unavailable.cuda_unavailable,
        ),
        one=True,
        title="The node and the job",
        intro="CUDA does not start, or shows fewer devices than there should be. One of these is reported.",
    ),
    Stage(
        (
            device.arch_mismatch,
            device.exclusive_or_busy,
            driver.driver_too_old,
            on_gpu.cudnn_too_new,
            on_gpu.library_failed,
            device.device_failed,
            device.nccl_failed,
            device.device_type_mismatch,
            device.device_count_mismatch,
        ),
        title="The GPUs",
    ),
)
# With one of these a verdict is failed even if every device passed.
FAILING = (
    *("user_site_shadow", "ld_library_path_shadow", "bad_setting", "numpy_mismatch", "nccl_failed"),
    "device_type_mismatch",
)


def codes() -> list[str]:
    """Return every code in the order of STAGES. A detector's name is its code."""
    names = [detect.__name__ for stage in STAGES for detect in stage.detectors]
    return list(dict.fromkeys(names))


def find_reasons(report: Report, asked: Asked) -> list[Reason]:
    """Return every cause that the report shows, the nearest first."""
    reasons: list[Reason] = []
    for stage in STAGES:
        found = [reason for reason in (detect(report, asked) for detect in stage.detectors) if reason is not None]
        known = {reason.code for reason in reasons}
        reasons += [reason for reason in found[: 1 if stage.one else None] if reason.code not in known]
        if found and stage.last:
            break
    return [Reason(item.code, one_line(item.message), one_line(item.remedy)) for item in reasons]
