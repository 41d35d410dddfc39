# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sections about jobs: CUDA's variables, partitions, job scripts. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import shlex
import typing as t

from ..blocks import Block, Cell, Code, Command, Example, File, Note, Paragraph, Section, Table, Text
from ..jobs import Job, job_of, script_name
from ..partitions import Partition, duration, size
from ..site import Site
from .programs import DDP_TEST, LIGHTNING, PYTORCH_TEST

# The directives that the page explains.
EXPLAINED = (
    *("job-name", "nodes", "ntasks", "ntasks-per-node", "cpus-per-task", "partition", "gres", "gpus", "gpus-per-node"),
    *("mem", "mem-per-cpu", "time", "array", "output", "account", "qos"),
)
# Each column of the table of partitions with what it shows; None where that is not known.
COLUMNS: tuple[tuple[str, t.Callable[[Partition], str | None]], ...] = (
    ("nodes", lambda each: str(each.nodes)),
    ("gpus", lambda each: ", ".join(each.gpu_names) or ("0" if each.gpus == 0 else None)),
    ("time", lambda each: _minutes(each, "max_minutes")),
    ("default_time", lambda each: _minutes(each, "default_minutes")),
    ("job_nodes", lambda each: str(each.limits.max_nodes) if each.limits and each.limits.max_nodes else None),
    ("cpus", lambda each: str(each.limits.cpus) if each.limits and each.limits.cpus else None),
    ("memory", lambda each: size(each.limits.memory_mb) if each.limits and each.limits.memory_mb else None),
)


def jobs(site: Site) -> t.Iterator[Section]:
    """Yield the sections in the order of the founding guide."""
    yield Section("jobs", 2, Text("jobs_title"), tuple(cuda(site)))
    yield Section("slurm", 3, Text("slurm_title"), tuple(_single(site)))
    array = job_of("array", site, "pytorch_test.py")
    if array:
        yield Section("array", 3, Text("array_title"), tuple(_array(site, array)))
    yield Section("parallel", 3, Text("parallel_title"), tuple(_parallel(site)))


def cuda(site: Site) -> t.Iterator[Block]:
    """Yield how the variables of the site's CUDA toolkit are set."""
    cuda = site.cuda
    if not cuda.home:
        yield Paragraph(Text("cuda_none"))
        return
    if "bashrc" in cuda.expose or not {"profile", "module"} & set(cuda.expose):
        home = shlex.quote(cuda.home)
        lines = ["export PATH=%s/bin:$PATH" % home]
        if cuda.libraries:
            lines.append(
                "export LD_LIBRARY_PATH=%s/%s${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" % (home, shlex.quote(cuda.folder))
            )
        yield Paragraph(Text("cuda_libraries" if cuda.libraries else "cuda_path"))
        yield Command("cuda-path", "\n".join(lines))
    elif "profile" in cuda.expose:
        yield Paragraph(Text("cuda_profile"))
    if cuda.module:
        yield Paragraph(Text("cuda_module"))
        yield Command("cuda-module", "module load %s" % shlex.quote(cuda.module))
    yield Paragraph(Text("cuda_check"))
    yield Command("cuda-version", "nvcc --version")


def _single(site: Site) -> t.Iterator[Block]:
    if site.partitions:
        yield Paragraph(Text("partitions"))
        yield _partitions(site)
    yield Paragraph(Text("sinfo"))
    yield Command("partitions", "sinfo --format='%P %l %D %G'")
    job = job_of("single", site, "pytorch_test.py")
    if job is None:
        yield Note("warning", Text("no_partition_title"), Text("no_partition"))
        return
    name = script_name(site.job.get("dest"))
    yield Paragraph(Text("program", {"name": "pytorch_test.py"}))
    yield File("pytorch-test", "pytorch_test.py", PYTORCH_TEST, "python")
    yield Paragraph(Text("script", {"name": name}))
    yield File("script", name, job.script)
    yield Table("directives", (Text("directive"), Text("meaning")), tuple(_directives(job)))
    yield Paragraph(Text("submit"))
    yield Command("submit", "sbatch %s" % shlex.quote(name), wait="job")
    yield Paragraph(Text("output"))
    yield Command("output", "cat slurm-*.out")


def _partitions(site: Site) -> Table:
    cells = {name: [show(each) for each in site.partitions] for name, show in COLUMNS}
    # A column that is known of no partition is left out.
    shown = [name for name, values in cells.items() if any(value is not None for value in values)]
    if any(each.limits for each in site.partitions) and "time" not in shown:
        # No limit is an answer, too.
        shown.insert(shown.index("gpus") + 1 if "gpus" in shown else 1, "time")
    several = len({each.env.reference for each in site.partitions}) > 1
    heads = [Text("partition"), *(Text("column_" + name) for name in shown)]
    rows = []
    for index, each in enumerate(site.partitions):
        row: list[Cell] = [Code(each.name)]
        for name in shown:
            value = cells[name][index]
            row.append(
                Text("unlimited" if name == "time" and each.limits else "unknown") if value is None else Code(value)
            )
        rows.append((*row, Code(each.env.reference)) if several else tuple(row))
    if several:
        heads.append(Text("column_environment"))
    return Table("partitions", tuple(heads), tuple(rows))


def _minutes(partition: Partition, name: str) -> str | None:
    limits = partition.limits
    if limits is None:
        return None
    # A job that sets no limit has the longest.
    minutes = getattr(limits, name) or (limits.max_minutes if name == "default_minutes" else None)
    return duration(minutes) if minutes else None


def _directives(job: Job) -> t.Iterator[tuple[Cell, ...]]:
    for name in job.directives:
        if name in EXPLAINED:
            yield Code("--" + name), Text("directive_" + name.replace("-", "_"))


def _array(site: Site, job: Job) -> t.Iterator[Block]:
    yield Paragraph(Text("array"))
    yield File("array-script", "array.sh", job.script)
    if site.tools:
        yield Paragraph(Text("lint"))
        yield Command("lint", "module load %s\nsbatch-lint array.sh" % shlex.quote(site.tools))
    yield Paragraph(Text("submit"))
    yield Command("submit-array", "sbatch array.sh", wait="job")
    yield Paragraph(Text("output_array"))
    yield Command("output-array", "tail -n 1 array-*.out")


def _parallel(site: Site) -> t.Iterator[Block]:
    yield Paragraph(Text("parallel"))
    one, many = job_of("multi_gpu", site, "ddp_test.py"), job_of("multi_node", site, "ddp_test.py")
    if one or many:
        yield Paragraph(Text("ddp_program", {"name": "ddp_test.py"}))
        yield File("ddp-test", "ddp_test.py", DDP_TEST, "python")
    for job, name in ((one, "multi-gpu"), (many, "multi-node")):
        if job is None:
            yield Paragraph(Text(name.replace("-", "_") + "_none"))
            continue
        values = {"nodes": str(job.nodes), "gpus": str(job.gpus), "partition": job.partition}
        yield Paragraph(Text(name.replace("-", "_"), values))
        yield File(name + "-script", name + ".sh", job.script)
        yield Command("submit-" + name, "sbatch %s.sh" % name, wait="job")
        yield Command("output-" + name, "cat %s-*.out" % name)
    yield Paragraph(Text("lightning"))
    yield Example(LIGHTNING % {"devices": 8, "nodes": 4}, "python")
    job = job_of("lightning", site, "lightning_test.py")
    if job:
        values = {"nodes": str(job.nodes), "gpus": str(job.gpus)}
        yield Paragraph(Text("lightning_script", values))
        yield File("lightning-script", "lightning.sh", job.script)
        yield Command("submit-lightning", "sbatch lightning.sh", reason=Text("why_lightning"))
    yield Paragraph(Text("lightning_more"))
