# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Slurm in a container: what sbatch says to scripts."""

from __future__ import annotations

import contextlib
import io
import subprocess
import tarfile
import typing as t

from directives import FOLDER


class Verdict(t.NamedTuple):
    """What sbatch said to a script.

    :arg status: its exit status.
    """

    status: int
    message: str


class Slurm:
    """A container in which a Slurm runs."""

    def __init__(self, engine: str, name: str) -> None:
        self._engine, self._name = engine, name

    def version(self) -> tuple[int, ...]:
        """Its version: ``(22, 5, 8)``."""
        said = self._run(["exec", self._name, "sbatch", "--version"]).decode().split()[-1]
        return tuple(int(number) for number in said.split("."))

    def show(self, *words: str) -> str:
        """What ``scontrol --oneliner show`` prints to root."""
        return self._run(["exec", self._name, "scontrol", "--oneliner", "show", *words]).decode()

    def ask(self, scripts: t.Sequence[str]) -> list[Verdict]:
        """What sbatch says to each of the scripts."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for number, text in enumerate(scripts):
                content = text.encode("utf-8", "surrogateescape")
                member = tarfile.TarInfo("%06d.sh" % number)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        answer = self._run(["exec", "-i", self._name, "/judge/ask.sh"], packed.getvalue())
        verdicts: list[Verdict] = []
        with tarfile.open(fileobj=io.BytesIO(answer)) as archive:
            for member in sorted(archive.getmembers(), key=lambda one: one.name):
                content = archive.extractfile(member)
                assert content is not None
                message, status = content.read().decode("utf-8", "replace").rstrip().rsplit("\n", 1)
                verdicts.append(Verdict(int(status), message.strip()))
        assert len(verdicts) == len(scripts), "%d answers to %d scripts" % (len(verdicts), len(scripts))
        return verdicts

    def _run(self, words: t.Sequence[str], given: bytes = b"") -> bytes:
        done = subprocess.run([self._engine, *words], input=given, stdout=subprocess.PIPE, check=True)
        return done.stdout


@contextlib.contextmanager
def running(engine: str, image: str, name: str, cluster: str = "") -> t.Iterator[Slurm]:
    """Start Slurm in a container of its own without a network; the container is removed at the end.

    :arg cluster: a folder of inside/clusters; empty for the cluster of generated directives.
    """
    # NET_ADMIN is for the second address of its own loopback.
    options = ["--network=none", "--cap-add=NET_ADMIN", "--hostname=judge", "--volume=%s/inside:/judge:ro" % FOLDER]
    start = [
        engine,
        "run",
        "--detach",
        "--rm",
        "--stop-timeout=0",
        "--name",
        name,
        *options,
        image,
        "sleep",
        "infinity",
    ]
    # One that a killed run left behind.
    _remove(engine, name)
    subprocess.run(start, check=True, stdout=subprocess.DEVNULL)
    try:
        subprocess.run(
            [engine, "exec", name, "/judge/start.sh", *(["/judge/clusters/" + cluster] if cluster else [])], check=True
        )
        yield Slurm(engine, name)
    finally:
        _remove(engine, name)


def _remove(engine: str, name: str) -> None:
    subprocess.run([engine, "rm", "--force", name], check=False, capture_output=True)
