# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The differential test: real Slurms against sbatch_lint, sbatch_script and the form of Open OnDemand.

tools/judges.sh starts it:

    run.py ENGINE COUNT SEED IMAGE...

Prints each disagreement that standing.yml does not explain, and each entry of that list without one; ends with 1 if
there is any.
"""

from __future__ import annotations

import collections
import concurrent.futures
import contextlib
import os
import signal
import sys
import typing as t

import form
from compare import Disagreement, explained, of_the_linter, of_the_module
from directives import Given, Script, load, make
from slurm import Slurm, running

# At most so many of a kind are printed.
_SHOWN = 200


def examples() -> list[Script]:
    """The scripts of the list of standing disagreements; each is tried in every run."""
    found: list[Script] = []
    for entry in load("standing.yml"):
        for text in entry["examples"]:
            if "options" not in entry and "text" in entry:
                found.append(Script(text, ()))
                continue
            name, equals, value = text.partition("=")
            line = "--" + name + ('="%s"' % value if equals else "")
            given = (Given(name, value if equals else None),)
            found.append(Script("#!/bin/bash\n#SBATCH %s\ntrue\n" % line, given, plain=True))
    return found


def judge(slurm: Slurm, scripts: t.Sequence[Script]) -> tuple[str, list[Disagreement]]:
    """The release of a Slurm, and where it disagrees with us."""
    version = slurm.version()
    release = "%d.%02d" % version[:2]
    said = slurm.ask([script.text for script in scripts])
    found = of_the_linter(release, version, scripts, said)
    for script, one in zip(scripts, said):
        if "The controller died of it" in one.message:
            print("Slurm %s: its controller died of %r" % (release, script.text))
    return release, found + of_the_module(release, version, scripts, said, slurm.ask)


def main(engine: str, count: int, seed: int, images: t.Sequence[str]) -> int:
    """Ask each Slurm about the same scripts."""
    scripts = [*examples(), *make(seed, count)]
    # Its containers are removed on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with contextlib.ExitStack() as stack:
        names = ["hpc-pytorch-%s-judge-%d" % (os.environ["HPC_MOLECULE_ID"], number) for number in range(len(images))]
        slurms = [stack.enter_context(running(engine, image, name)) for image, name in zip(images, names)]
        with concurrent.futures.ThreadPoolExecutor(len(images)) as several:
            results = dict(several.map(lambda slurm: judge(slurm, scripts), slurms))
    return max(report(scripts, seed, results), judge_form(engine, images, count // 4, seed))


def judge_form(engine: str, images: t.Sequence[str], count: int, seed: int) -> int:
    """Compare the form of Open OnDemand with each Slurm, on several clusters; the exit status."""

    def one(number: int) -> tuple[str, list[tuple[str, form.Result]]]:
        found = []
        for cluster in form.CLUSTERS:
            name = "hpc-pytorch-%s-form-%d" % (os.environ["HPC_MOLECULE_ID"], number)
            with running(engine, images[number], name, cluster) as slurm:
                release = "%d.%02d" % slurm.version()[:2]
                found.append((cluster or "main", form.check(slurm, seed, count)))
        return release, found

    with concurrent.futures.ThreadPoolExecutor(len(images)) as several:
        results = list(several.map(one, range(len(images))))
    for release, found in sorted(results):
        for cluster, result in found:
            counts = (release, cluster, result.offered, result.left_out, seed, len(result.wrong))
            print("Slurm %s, form of cluster %s: offers %d, leaves out %d (seed %d), %d wrong" % counts)
            for line in result.wrong[:_SHOWN]:
                print("  " + line)
    return int(any(result.wrong for _release, found in results for _cluster, result in found))


def report(scripts: t.Sequence[Script], seed: int, results: t.Mapping[str, t.Sequence[Disagreement]]) -> int:
    """Print what was found; the exit status."""
    standing = load("standing.yml")
    new: list[Disagreement] = []
    used: collections.Counter[tuple[int, str]] = collections.Counter()
    for release, found in sorted(results.items()):
        explanations = [explained(one, standing) for one in found]
        new += [one for one, entry in zip(found, explanations) if entry is None]
        used.update((standing.index(entry), release) for entry in explanations if entry is not None)
        print(
            "Slurm %s: %d scripts (seed %d), %d disagreements, %d of them in standing.yml"
            % (release, len(scripts), seed, len(found), sum(entry is not None for entry in explanations))
        )
    for one in new[:_SHOWN]:
        given = ", ".join("%s=%r" % pair for pair in one.script.given)
        print("\n%s and Slurm %s, which has %s it: %s" % (one.ours, one.release, one.slurm, one.message.strip()))
        print("  %s\n  %r" % (given, one.script.text))
    idle = [
        (entry, release)
        for number, entry in enumerate(standing)
        for release in results
        if entry.get("release", release) == release and not used[number, release]
    ]
    for entry, release in idle:
        print("\nstanding.yml has a disagreement with Slurm %s that is none any more: %s" % (release, entry["reason"]))
    return 1 if new or idle else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]))
