# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sections about programs on a machine without Slurm. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import shlex
import typing as t

from ..blocks import Block, Command, Example, File, Paragraph, Section, Text
from ..jobs import launcher_of, script_name, script_of
from ..site import Site
from .programs import DDP_TEST, LIGHTNING_ALONE, PYTORCH_TEST
from .submit import cuda


def programs(site: Site, gpus: int) -> t.Iterator[Section]:
    """Yield the sections in the place of those about jobs.

    :arg gpus: of the machine; 0 if they are not known.
    """
    yield Section("jobs", 2, Text("jobs_title"), tuple(cuda(site)))
    yield Section("run", 3, Text("run_title"), tuple(_single(site)))
    if gpus > 1:
        yield Section("parallel", 3, Text("parallel_title"), tuple(_parallel(site, gpus)))


def _single(site: Site) -> t.Iterator[Block]:
    name = script_name(site.job.get("dest"))
    yield Paragraph(Text("run_first"))
    yield Paragraph(Text("program", {"name": "pytorch_test.py"}))
    yield File("pytorch-test", "pytorch_test.py", PYTORCH_TEST, "python")
    yield Paragraph(Text("script", {"name": name}))
    yield File("script", name, script_of(site, "pytorch_test.py"))
    yield Paragraph(Text("run"))
    yield Command("run", "bash %s" % shlex.quote(name))


def _parallel(site: Site, gpus: int) -> t.Iterator[Block]:
    yield Paragraph(Text("parallel"))
    yield Paragraph(Text("ddp_program", {"name": "ddp_test.py"}))
    yield File("ddp-test", "ddp_test.py", DDP_TEST, "python")
    yield Paragraph(Text("torchrun", {"gpus": str(gpus)}))
    yield Command("multi-gpu", "%s --nproc_per_node=%d ddp_test.py" % (launcher_of(site.env.torch), gpus))
    yield Paragraph(Text("lightning"))
    yield Example(LIGHTNING_ALONE % gpus, "python")
