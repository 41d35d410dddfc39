# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The small programs that the guide's jobs run. They need torch alone. Private to hpc.pytorch."""

from __future__ import annotations

PYTORCH_TEST = """\
import torch

device = "cuda" if torch.cuda.is_available() else "cpu"
total = torch.ones(3, 3, device=device).sum().item()
print("torch %s, CUDA %s, on %s: %d" % (torch.__version__, torch.version.cuda, device, total))
"""

DDP_TEST = """\
import os

import torch
from torch import distributed


def main():
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if cuda else "gloo")
    total = torch.ones(1, device="cuda" if cuda else "cpu")
    distributed.all_reduce(total)
    if distributed.get_rank() == 0:
        print("%d processes, sum %d" % (distributed.get_world_size(), total.item()), flush=True)


main()
distributed.destroy_process_group()
"""

# On one machine, for this number of GPUs.
LIGHTNING_ALONE = """\
trainer = Trainer(accelerator="gpu", devices=%d, strategy="ddp")
"""

LIGHTNING = """\
trainer = Trainer(accelerator="gpu", devices=%(devices)d, num_nodes=%(nodes)d, strategy="ddp")
"""
