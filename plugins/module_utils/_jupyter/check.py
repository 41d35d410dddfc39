# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests the torch of the Python that runs this, for a kernel that was given GPUs. Private to hpc.pytorch."""

from __future__ import annotations

import json
import os
import sys
import typing as t

from .._common.errors import UserError
from .._torch.diagnose.verdict import FAILED
from .._torch.info import Options, describe_torch
from .._user_tools.remedies import for_a_shell
from .._user_tools.verdict_text import as_text

# An environment without torch may compute with something else, and a slow disk is no fault of the GPU.
_NOT_AGAINST_IT = ("torch_missing", "probe_timeout")


def main() -> None:
    """Entry point: print the result in JSON."""
    try:
        result = describe_torch(
            Options.from_params(
                {
                    "prefix": None,
                    "python": os.path.abspath(sys.executable),
                    "expect_cuda": True,
                    "expect_devices": None,
                    "expect_gpu": [],
                    "expect_from": "site",
                    "timeout": 120,
                    "device_timeout": 30,
                }
            ),
            lambda _text: None,
        )
    except UserError:
        # It could not be tested.
        found: dict[str, t.Any] = {"failed": False, "text": ""}
    else:
        found = {"failed": is_against_it(result), "text": text_of(result)}
    sys.stdout.write(json.dumps(found))
    sys.stdout.flush()


def is_against_it(result: t.Mapping[str, t.Any]) -> bool:
    """Whether the result of torch_info shows that the GPUs cannot be used."""
    codes = [reason["code"] for reason in result["reasons"]]
    if result["verdict"] != FAILED or not codes or any(code in codes for code in _NOT_AGAINST_IT):
        return False
    return not result["cuda_available"] or not all(device["passed"] for device in result["devices"])


def text_of(result: t.Mapping[str, t.Any]) -> str:
    """The verdict in lines, as torch-verdict prints it."""
    return for_a_shell(as_text(result, os.environ.get("SLURM_JOB_ID", ""))).rstrip("\n")
