"""A site's rows: what they may add, and the error for a bad one."""

from __future__ import annotations

import copy

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.filter.torch_build import torch_build
from ansible_collections.hpc.pytorch.plugins.module_utils._common.versions import key
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build import load


def next_minor(version):
    """2.16.0 for 2.15.1."""
    major, minor = version.split(".")[:2]
    return "%s.%d.0" % (major, int(minor) + 1)


BUILDS = load.shipped().builds
NEXT = next_minor(max((build.torch for build in BUILDS), key=key))
SERIES = NEXT.rpartition(".")[0]
VISION = next_minor(max((build.torchvision for build in BUILDS if build.torchvision), key=key))
NEW = {
    "gpus": [{"names": ["x200"], "capability": "12.0"}],
    "releases": [
        {
            "torch": NEXT,
            "torchvision": VISION,
            "python": {"min": "3.11", "max": "3.15"},
            "builds": [
                {
                    "source": "wheels",
                    "cuda": "13.2",
                    "local": "cu132",
                    "index": "https://download.pytorch.org/whl/cu132",
                }
            ],
        }
    ],
}


def refused(rows, value=()):
    with pytest.raises(AnsibleFilterError) as failure:
        torch_build(list(value), rows=rows)
    return str(failure.value)


def test_a_new_release_and_a_new_gpu():
    got = torch_build(["x200"], rows=NEW)
    assert got["pip"] == ["torch==%s+cu132" % NEXT, "torchvision==" + VISION]
    assert got["evidence"] == ["the site's rows"]
    # Its kernels are unknown: what the toolkit can compile for is taken, and said.
    assert got["warnings"] == [
        "which GPUs torch %s+cu132 wheels has kernels for is unknown; judged by what CUDA 13.2 can compile for" % NEXT
    ]
    assert torch_build(["v100"], rows=NEW)["torch"] == torch_build(["v100"])["torch"]
    assert torch_build(["x200", "h100"], torch=SERIES, rows=NEW)["capabilities"] == ["9.0", "12.0"]


def test_architectures_of_a_new_release():
    rows = dict(NEW, architectures=[{"source": "wheels", "torch": SERIES, "cuda": ["13.2"], "archs": ["12.0"]}])
    got = torch_build(["x200"], rows=rows)
    assert (got["torch"], got["warnings"]) == (NEXT, [])
    assert torch_build(["h100"], rows=rows)["torch"] == torch_build(["h100"])["torch"]


def test_a_build_with_its_kernels_needs_no_row_of_architectures():
    rows = copy.deepcopy(NEW)
    rows["releases"][0]["builds"][0].update(kernels=["7.5", "8.0"], ptx="8.0")
    assert torch_build(["a100"], rows=rows)["warnings"] == []
    assert torch_build(["h100"], torch=SERIES, rows=rows)["warnings"] == [
        "torch %s+cu132 wheels has no kernels for h100 (9.0): the driver compiles them at the first start, which takes"
        " minutes" % NEXT
    ]
    assert torch_build(["v100"], rows=rows)["torch"] == torch_build(["v100"])["torch"]


def test_a_build_is_added_to_a_release_by_its_version_alone():
    rows = {
        "releases": [
            {
                "torch": "2.13.0",
                "builds": [
                    {"source": "wheels", "cuda": "12.9", "local": "cu129", "index": "https://mirror.example/cu129"}
                ],
            }
        ]
    }
    got = torch_build([], torch="2.13", cuda="12.9", source="wheels", python="3.12", rows=rows)
    assert got["pip"] == ["torch==2.13.0+cu129", "torchvision==0.28.0+cu129"]
    assert got["pip_options"] == ["--extra-index-url https://mirror.example/cu129"]


def test_a_sites_row_replaces_ours():
    ours = next(build for build in BUILDS if build.unverified and build.local and build.source == "wheels")
    question = {"torch": ours.torch, "cuda": ours.cuda, "source": ours.source}
    assert torch_build(question)["warnings"]
    same = {
        "source": ours.source,
        "cuda": ours.cuda,
        "local": ours.local,
        "index": "https://mirror.example/wheels",
        "evidence": "we looked",
    }
    got = torch_build(question, rows={"releases": [{"torch": ours.torch, "builds": [same]}]})
    assert (got["warnings"], got["evidence"][0]) == ([], "we looked")


def test_a_sites_mark_warns():
    rows = copy.deepcopy(NEW)
    rows["releases"][0]["builds"][0]["unverified"] = True
    rows["gpus"][0]["unverified"] = "a guess"
    warnings = torch_build(["x200"], rows=rows)["warnings"]
    assert warnings[0] == "torch %s+cu132 wheels is unverified: marked so" % NEXT
    assert warnings[-1] == "GPU type x200 is taken for 12.0, unverified: a guess"


def test_a_row_with_text_of_its_own_type_comes_back_as_plain_text():
    class Tagged(str):
        """As templating leaves them."""

    rows = copy.deepcopy(NEW)
    rows["releases"][0]["torch"] = Tagged(NEXT)
    assert not isinstance(torch_build([], rows=rows)["torch"], Tagged)


@pytest.mark.parametrize(
    "path,value,said",
    [
        (
            ("release",),
            [],
            "the keys ambiguous, architectures, brings_cudnn, cudnn, family, glibc, gpus, hosts, needs,"
            " pytorch_channel_last, releases, rows, toolkit, toolkit_driver at the top",
        ),
        (("releases",), {"torch": "1"}, "a list for releases at"),
        (("releases", 0), NEXT, "a mapping at releases[0]"),
        (("releases", 0, "torch"), 2.16, "put quotes around it"),
        (("releases", 0, "torch"), None, "a version in quotes"),
        (("releases", 0, "python", "min"), "3.16", "min to be at most max at releases[0].python"),
        (("releases", 0, "python"), None, "python ({min, max}) at releases[0].builds[0]"),
        (
            ("releases", 0, "builds", 0, "source"),
            "pip",
            "one of pytorch, conda-forge, wheels for source at releases[0].builds[0]",
        ),
        (("releases", 0, "builds", 0, "cuda"), 13.2, "put quotes around it"),
        (("releases", 0, "builds", 0, "cud"), "13.2", "the keys build, cuda, channels, "),
        (("releases", 0, "builds", 0, "index"), "download.pytorch.org", "a URL or pypi for index"),
        (
            ("releases", 0, "builds", 0, "find_links"),
            "https://mirror.example/page.html",
            "one of index, find_links and wheel_urls",
        ),
        (("releases", 0, "builds", 0, "local"), "cu126", "local tag cu126 for CUDA 13.2"),
        (("gpus", 0, "capability"), "12", 'major.minor in quotes such as "8.6"'),
        (("gpus", 0, "capability"), 12.0, "put quotes around it"),
        (("gpus", 0, "names"), [], "a list of texts for names at gpus[0]"),
    ],
)
def test_a_bad_row_is_told_what_is_right_and_where(path, value, said):
    rows = copy.deepcopy(NEW)
    place = rows
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    message = refused(rows)
    assert said.split(", ")[0] in message and "remedy: " in message
    assert said in message or said.startswith("the keys build")


def test_a_cuda_without_a_driver_is_refused_until_there_is_a_row_for_it():
    rows = copy.deepcopy(NEW)
    major = max(row.major for row in load.shipped().families) + 1
    index = "https://download.pytorch.org/whl/cu%d0" % major
    rows["releases"][0]["builds"][0].update(cuda="%d.0" % major, local="cu%d0" % major, index=index)
    assert "no driver for CUDA %d.0" % major in refused(rows)
    rows["family"] = [{"major": major, "min_driver": "9999"}]
    assert torch_build([], rows=rows)["driver"] == "9999"


def test_two_rows_of_a_site_for_one_build_are_refused():
    rows = copy.deepcopy(NEW)
    rows["releases"][0]["builds"] *= 2
    assert "torch %s+cu132 wheels stands there twice" % NEXT in refused(rows)
