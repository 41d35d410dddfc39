# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why torch or its CUDA does not work, in the order of nearness. Plain data, no I/O. Private to hpc.pytorch.

A new cause is one function in the folder causes, its place in STAGES, and its part in docs/causes.md.
"""

from __future__ import annotations

import typing as t

from ..._common.errors import one_line
from ..asked import Asked
from ..report import Report
from . import device, driver, evidence_of_probe as probe, installation, job, shadow
from .reason import Reason

Detector = t.Callable[[Report, Asked], t.Optional[Reason]]


class Stage(t.NamedTuple):
    """Causes of the same trouble.

    :arg one: whether the nearest alone is told, as the others are what follows from it.
    :arg last: whether what comes after this stage is not looked at, once something was found here.
    """

    detectors: tuple[Detector, ...]
    one: bool = False
    last: bool = False


STAGES = (
    Stage((probe.probe_timeout,)),
    # There is no torch that computes, or not the one that was asked for.
    Stage(
        (
            installation.torch_missing,
            shadow.user_site_shadow,
            shadow.ld_library_path_shadow,
            installation.import_failed,
            installation.compute_failed,
        ),
        one=True,
        last=True,
    ),
    Stage((installation.cpu_only_build,)),
    # CUDA does not start, or shows fewer devices than there should be.
    Stage(
        (
            driver.no_driver,
            driver.stub_or_compat_libcuda,
            driver.driver_too_old,
            driver.fabric_manager_802,
            device.exclusive_or_busy,
            job.slurm_cgroup,
            job.cuda_visible_devices,
            job.mig,
            driver.hmm_kaslr,
            driver.missing_uvm,
            driver.cuda_unavailable,
        ),
        one=True,
    ),
    Stage(
        (
            device.arch_mismatch,
            device.exclusive_or_busy,
            driver.driver_too_old,
            device.device_failed,
            device.nccl_failed,
            device.device_type_mismatch,
            device.device_count_mismatch,
        )
    ),
)
# A verdict is failed with one of these, whatever else is well.
FAILING = ("user_site_shadow", "ld_library_path_shadow", "nccl_failed", "device_type_mismatch")


def codes() -> list[str]:
    """Every code there is, in the order of STAGES. A detector bears the name of its code."""
    names = [detect.__name__ for stage in STAGES for detect in stage.detectors]
    return list(dict.fromkeys(names))


def find_reasons(report: Report, asked: Asked) -> list[Reason]:
    """Every cause that the report shows, the nearest one first."""
    reasons: list[Reason] = []
    for stage in STAGES:
        found = [reason for reason in (detect(report, asked) for detect in stage.detectors) if reason is not None]
        told = {reason.code for reason in reasons}
        reasons += [reason for reason in found[: 1 if stage.one else None] if reason.code not in told]
        if found and stage.last:
            break
    return [Reason(item.code, one_line(item.message), one_line(item.remedy)) for item in reasons]
