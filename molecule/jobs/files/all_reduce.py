"""Add up the ranks of all processes, and print their count and how they are numbered: ``all_reduce.py``.

It fails if a rank, the count, or the sum is wrong: a process that trains alone has a sum of 1.
"""

from __future__ import annotations

import gc
import os
import socket
import sys

import torch
from torch import distributed


def main():
    """Meet, add, compare what every process believes about itself."""
    torch.set_num_threads(1)
    rank, local, size = (int(os.environ[name]) for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE"))
    distributed.init_process_group("gloo", rank=rank, world_size=size)
    number = torch.tensor([rank + 1])
    distributed.all_reduce(number)
    everyone = [None] * size
    distributed.all_gather_object(everyone, (socket.gethostname(), local, rank))
    if number.item() != size * (size + 1) // 2 or len(set(everyone)) != size:
        sys.exit("expected %d processes that differ; found a sum of %d, and %r" % (size, number.item(), everyone))
    if rank == 0:
        names = " ".join("%s:%d" % (host, place) for host, place, _rank in sorted(everyone, key=lambda one: one[2]))
        print("result: processes=%d at %s" % (size, names), flush=True)
    # The threads of gloo abort an interpreter that ends before them.
    gc.collect()
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
