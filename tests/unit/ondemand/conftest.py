# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters as scontrol shows them, and Ruby, which reads the files as Open OnDemand does."""

from __future__ import annotations

import json
import pathlib
import subprocess
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.cluster import parse_cluster
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.info import describe

CONFIG = "ClusterName = campus\nSLURM_VERSION = 24.05.1\n"
PARTITION = {"Default": "NO", "MaxTime": "2:00:00", "MinNodes": "0", "MaxNodes": "UNLIMITED", "State": "UP"}
NODE = {"CPUTot": "16", "RealMemory": "4000", "State": "IDLE", "Gres": "(null)"}


def line(kind: str, name: str, default: t.Mapping[str, str], given: t.Mapping[str, str]) -> str:
    pairs = {kind: name, **default, **given}
    return " ".join("%s=%s" % pair for pair in pairs.items())


class Facts(t.Protocol):
    """What ``facts`` is."""

    def __call__(
        self, partitions: t.Mapping[str, t.Mapping[str, str]], nodes: t.Mapping[str, t.Mapping[str, str]]
    ) -> dict[str, t.Any]: ...


@pytest.fixture
def facts() -> Facts:
    """What slurm_info returns with access: ``facts({"titan": {"Nodes": "n1"}}, {"n1": {"Gres": "gpu:titan:2"}})``."""

    def make(
        partitions: t.Mapping[str, t.Mapping[str, str]], nodes: t.Mapping[str, t.Mapping[str, str]]
    ) -> dict[str, t.Any]:
        inside = {
            name: ",".join(partition for partition, given in partitions.items() if name in given["Nodes"].split(","))
            for name in nodes
        }
        cluster = parse_cluster(
            CONFIG,
            "\n".join(line("PartitionName", name, PARTITION, given) for name, given in partitions.items()),
            "\n".join(
                line("NodeName", name, NODE, {**given, "Partitions": inside[name]}) for name, given in nodes.items()
            ),
            access=True,
        )
        return describe(cluster, {}, None, None, access=True)

    return make


@pytest.fixture
def ruby(tmp_path: pathlib.Path) -> t.Callable[..., dict[str, t.Any]]:
    """The form, the manifest and what each selection becomes: ``ruby(files, {"node_type": "titan", ...})``."""

    def read(texts: t.Mapping[str, str], *selections: t.Mapping[str, str]) -> dict[str, t.Any]:
        for name, text in texts.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        done = subprocess.run(
            ["ruby", str(pathlib.Path(__file__).parent / "render.rb"), str(tmp_path)],
            input=json.dumps(selections),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return t.cast("dict[str, t.Any]", json.loads(done.stdout))

    return read
