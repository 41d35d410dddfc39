# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generic resources in every form that Slurm has written them."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.gres import (
    Gres,
    parse_gpu_request,
    parse_gres,
    parse_request,
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        ("(null)", ()),
        ("N/A", ()),
        ("gpu", (Gres("gpu", None, 1),)),
        ("gpu:2", (Gres("gpu", None, 2),)),
        ("gpu:0", ()),
        ("gpu:titan:2(S:0-1)", (Gres("gpu", "titan", 2),)),
        ("gpu:a100:8(S:1,3,5,7),lscratch:3570", (Gres("gpu", "a100", 8), Gres("lscratch", None, 3570))),
        ("gpu:a100:4(IDX:0-3)", (Gres("gpu", "a100", 4),)),
        ("gpu:quadro:0(IDX:N/A),vmem:0", ()),
        ("gpu:1g.5gb:7", (Gres("gpu", "1g.5gb", 7),)),
        ("gpu:nvidia_a100-sxm4-80gb:4", (Gres("gpu", "nvidia_a100-sxm4-80gb", 4),)),
        ("gpu:tesla", (Gres("gpu", "tesla", 1),)),
        ("gpu:tesla:no_consume:4", (Gres("gpu", "tesla", 4),)),
        ("VramPerGpu:no_consume:32G", (Gres("VramPerGpu", None, 32 * 2**30),)),
        ("bandwidth:lustre:no_consume:4k", (Gres("bandwidth", "lustre", 4096),)),
        (
            "gpu:4(S:0-1),mps:a100:400(S:0-1),shard:a100:32",
            (Gres("gpu", None, 4), Gres("mps", "a100", 400), Gres("shard", "a100", 32)),
        ),
        ("gpu:a100:2(S:0),gpu:a100:2(S:1),gpu:v100:1", (Gres("gpu", "a100", 4), Gres("gpu", "v100", 1))),
        ("gres/gpu:titan=2", (Gres("gpu", "titan", 2),)),
        ("gres/gpu=2", (Gres("gpu", None, 2),)),
        ("加速卡:国产处理器:4", (Gres("加速卡", "国产处理器", 4),)),
    ],
)
def test_a_form(text, found):
    assert parse_gres(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("gpu", [Gres("gpu", None, 1)]),
        ("gpu:2", [Gres("gpu", None, 2)]),
        ("gpu:0", [Gres("gpu", None, 0)]),
        ("gpu:a100", [Gres("gpu", "a100", 1)]),
        ("gres/gpu:a100:2,nvme=10k", [Gres("gpu", "a100", 2), Gres("nvme", None, 10240)]),
        ("none", []),
        ("", []),
    ],
)
def test_what_a_job_asks_for(text, found):
    assert parse_request(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("4", [Gres("gpu", None, 4)]),
        ("a100:2", [Gres("gpu", "a100", 2)]),
        ("a100:2,v100:1", [Gres("gpu", "a100", 2), Gres("gpu", "v100", 1)]),
    ],
)
def test_gpus_that_a_job_asks_for(text, found):
    assert parse_gpu_request(text) == found
