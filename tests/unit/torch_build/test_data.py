"""The shipped data agrees with itself, and the check for that finds each kind of contradiction."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build import fit
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.contradictions import contradictions, duplicates
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.model import SOURCES, Tables
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.rows import tables as from_rows

SECTIONS = ("rows", "toolkit", "family", "toolkit_driver", "cudnn", "brings_cudnn", "glibc", "needs", "gpus")


def test_the_data_does_not_contradict_itself(tables):
    assert duplicates(tables) + contradictions(tables) == []


def test_every_build_has_its_architectures(tables):
    assert [build.name for build in tables.builds if fit.architectures(build, tables) is None] == []


@pytest.mark.parametrize("name", ["architectures", "cudnn", "drivers", "glibc", "gpus", "numpy", "releases"])
def test_every_row_has_a_source_that_its_file_describes(raw, name):
    known = {source["id"] for source in raw[name]["sources"]}
    rows = [row for section in SECTIONS for row in raw[name].get(section, [])]
    rows += [build for release in raw[name].get("releases", []) for build in release["builds"]]
    assert rows
    assert [row for row in rows if row["evidence"] not in known] == []


def test_every_build_of_the_files_is_in_the_tables(raw, tables):
    written = {
        (release["torch"], build["cuda"], build["source"])
        for release in raw["releases"]["releases"]
        for build in release["builds"]
    }
    assert written == {build.same for build in tables.builds}
    assert {source for dummy, dummy, source in written} == set(SOURCES)


def changed(tables, number, **values):
    builds = list(tables.builds)
    builds[number] = dataclasses.replace(builds[number], **values)
    return dataclasses.replace(tables, builds=tuple(builds))


def number_of(tables, torch, cuda, source):
    return next(number for number, build in enumerate(tables.builds) if build.same == (torch, cuda, source))


@pytest.mark.parametrize(
    "build,values,said",
    [
        (("2.13.0", "12.6", "wheels"), {"local": "cu128"}, "local tag cu128 for CUDA 12.6"),
        (("2.13.0", "12.6", "wheels"), {"index": "https://download.pytorch.org/whl/cu130"}, "CUDA 12.6 from https://"),
        (("2.13.0", "12.6", "wheels"), {"python_min": "3.15"}, "python 3.15 to 3.14"),
        (("2.13.0", "12.6", "wheels"), {"torchvision": "0.27.0"}, "torch 2.13 with torchvision 0.2"),
        (("2.13.0", "12.6", "wheels"), {"cuda": "14.0"}, "no driver for CUDA 14.0"),
        (("2.5.1", "12.4", "pytorch"), {"torch": "2.5.2"}, "channel pytorch ends at 2.5.1"),
        (
            ("2.5.1", "12.4", "pytorch"),
            {"toolkit": "cudatoolkit=12.4"},
            "toolkit cudatoolkit=12.4 is not pytorch-cuda=12.4",
        ),
        (("1.8.1", "10.1", "pytorch"), {"build": "py3.8_cuda10.2_cudnn7.6.5_0"}, "is not for CUDA 10.1"),
        (
            ("2.0.0", "11.7", "pytorch"),
            {"torch": "2.99.0", "torchvision": "0.15.0"},
            "and torch 2.99 with 0.15",
        ),
    ],
)
def test_a_contradiction_in_a_build_is_found(tables, build, values, said):
    wrong = contradictions(changed(tables, number_of(tables, *build), **values))
    assert any(said in line for line in wrong), wrong


def test_a_build_a_gpu_and_architectures_that_are_said_twice_are_found(tables):
    gpu = dataclasses.replace(
        next(row for row in tables.gpus if "v100" in row.names), names=("Tesla V100",), capability="7.5"
    )
    twice = dataclasses.replace(
        tables,
        builds=tables.builds + tables.builds[:1],
        architectures=tables.architectures + tables.architectures[:1],
        gpus=tables.gpus + (gpu,),
    )
    assert len(duplicates(twice)) == 3


@pytest.mark.parametrize(
    "values,said",
    [
        ({"cuda": ("12.5",)}, "no build for CUDA 12.5"),
        ({"archs": ("3.5",)}, "cannot compile for 3.5"),
        ({"ptx": "9.9"}, "ptx 9.9 is not among archs"),
    ],
)
def test_a_contradiction_in_architectures_is_found(tables, values, said):
    row = next(row for row in tables.architectures if row.source == "conda-forge" and row.cuda == ("12.9",))
    wrong = contradictions(dataclasses.replace(tables, architectures=(dataclasses.replace(row, **values),)))
    assert any(said in line for line in wrong), wrong


def test_drivers_that_go_back_are_found(tables):
    site = from_rows({"toolkit_driver": [{"cuda": "13.9", "min_driver": "500.1"}]})
    wrong = contradictions(tables.extended(site))
    assert any("CUDA 13.9 with 500.1" in line for line in wrong)
    assert any("CUDA 13 needs driver 580" in line for line in wrong)


def test_an_ambiguous_name_with_a_row_of_its_own_is_found(tables):
    wrong = contradictions(dataclasses.replace(tables, ambiguous={"v100": ("x1",)}))
    assert wrong == ["GPU type v100 is ambiguous and has a capability", "GPU type x1, which v100 may mean, has no row"]


def test_nothing_contradicts_itself_in_empty_tables():
    assert duplicates(Tables()) + contradictions(Tables()) == []
