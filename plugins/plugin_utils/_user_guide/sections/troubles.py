# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sections about notebooks and about a torch that sees no GPU. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import shlex
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._torch.diagnose.stages import codes

from ..blocks import Block, Cell, Code, Command, Items, Paragraph, Section, Table, Text
from ..jobs import job_of
from ..site import Kernel, Site
from .install import DOWNLOADS, word

# The reasons that only a job of Slurm's can have.
_OF_JOBS = ("slurm_cgroup",)


def notebooks(site: Site) -> t.Iterator[Section]:
    """Yield the section about Jupyter: the kernels that the site has, or how a user makes one."""
    if site.kernels:
        heads = (Text("kernel"), Text("kernel_job"))
        rows = tuple((Code(each.title), _job_of(each)) for each in site.kernels)
        kernels = (Paragraph(Text("kernels")), Table("kernels", heads, rows))
        yield Section("notebooks", 2, Text("notebooks_title"), kernels)
        return
    if site.env.is_shared:
        return
    blocks: list[Block] = [
        Paragraph(Text("notebooks")),
        Command(
            "kernel",
            "python -m pip install ipykernel\npython -m ipykernel install --user --name %s"
            % shlex.quote(site.env.name),
            reason=DOWNLOADS,
        ),
    ]
    if site.jupyter:
        blocks.append(Paragraph(Text("notebooks_apart", {"conda": site.jupyter + "/bin/conda"})))
    yield Section("notebooks", 2, Text("notebooks_title"), tuple(blocks))


def _job_of(kernel: Kernel) -> Cell:
    if not kernel.slurm:
        return Text("kernel_here")
    return Code(" ".join("--%s=%s" % (name.replace("_", "-"), value) for name, value in kernel.slurm.items()))


def troubles(site: Site) -> t.Iterator[Section]:
    """Yield the section about ``torch.cuda.is_available()`` that is False, with every reason code."""
    yield Section("troubles", 2, Text("troubles_title"), tuple(_troubles(site)))


def _troubles(site: Site) -> t.Iterator[Block]:
    yield Paragraph(Text("troubles"))
    places = (Text("trouble_driver"),) if site.machine else (Text("trouble_login"), Text("trouble_gres"))
    yield Items((*places, Text("trouble_build")))
    step = "" if site.machine else _step(site) + " "
    yield Paragraph(Text("trouble_ask"))
    yield Command("cuda-check", step + "python -c 'import torch; print(torch.cuda.is_available())'")
    if site.tools:
        yield Paragraph(Text("trouble_verdict"))
        yield Command("verdict", "module load %s\n%storch-verdict" % (shlex.quote(site.tools), step))
    elif site.machine and site.machine.tools_bin:
        yield Paragraph(Text("trouble_verdict"))
        yield Command("verdict", word(site.machine.tools_bin + "/torch-verdict"))
    yield Paragraph(Text("causes"))
    yield Table(
        "causes",
        (Text("code"), Text("meaning")),
        tuple((Code(code), Text("cause_" + code)) for code in codes() if not (site.machine and code in _OF_JOBS)),
    )


def _step(site: Site) -> str:
    """The start of a line that runs a command on a compute node, in a partition that the page's environment is for."""
    job = job_of("single", site, "pytorch_test.py")
    asked = job.partition if job else ""
    fitting = [each.name for each in site.partitions if each.env.reference == site.env.reference and each.gpus != 0]
    name = asked if asked in fitting or not fitting else fitting[0]
    words = ["srun"]
    words += ["--partition=%s" % shlex.quote(name)] if name else []
    words += ["--gres=gpu:1"] if job and job.gpus else []
    return " ".join(words)
