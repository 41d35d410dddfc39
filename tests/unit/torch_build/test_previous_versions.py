"""Every command of the official page is found in the data, and every row of the data comes back from the filter."""

from __future__ import annotations

import pathlib
import re

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.filter.torch_build import torch_build
from ansible_collections.hpc.pytorch.plugins.module_utils._common.versions import key
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build import load

PAGE = pathlib.Path(__file__).with_name("previous_versions.txt")


def commands():
    """Pairs of the section's version and a command."""
    version = None
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("### v"):
            version = line[5:].split()[0]
        elif line and not line.startswith("#"):
            yield version, line


def parsed(version, command):
    """What a command says, in the words of the data; what it leaves open is not in the answer."""
    said = {"torch": version}
    words = command.split()
    if command.startswith("Download and install wheel from "):
        return {**said, "source": "wheels", "wheel_urls": words[-1].rsplit("/", 1)[0]}
    named = dict(re.findall(r"\b(pytorch|torch|torchvision|torchaudio)==([\d.]+)(?:\+\w+)?", command))
    said["torch"] = named.get("pytorch") or named.get("torch") or version
    said.update({name: named[name] for name in ("torchvision", "torchaudio") if name in named})
    if words[0] == "conda":
        said["source"] = "pytorch"
        said["toolkit"] = next(
            word for word in words if re.fullmatch(r"(cudatoolkit|pytorch-cuda)=[\d.]+|cuda\d+", word)
        )
        said["channels"] = tuple(word for flag, word in zip(words, words[1:]) if flag == "-c")
        return said
    said["source"] = "wheels"
    tag = re.search(r"\btorch==[\d.]+\+(cu\d+)", command)
    if tag:
        said["local"] = tag.group(1)
    for flag, url in zip(words, words[1:]):
        if flag in ("--index-url", "--extra-index-url"):
            said["index"] = url
        elif flag == "-f":
            said["find_links"] = url
    if "index" not in said and "find_links" not in said:
        said["index"] = "pypi"
    return said


def agrees(build, said):
    return all(getattr(build, name) == value or build.page.get(name) == value for name, value in said.items())


def test_every_line_of_the_page_is_read():
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert [command for dummy, command in commands()] == lines
    assert all(version for version, dummy in commands())


@pytest.mark.parametrize("version,command", list(commands()))
def test_a_command_of_the_page_is_found_in_the_data(tables, version, command):
    assert len([build for build in tables.builds if agrees(build, parsed(version, command))]) == 1, parsed(
        version, command
    )


def test_a_command_with_another_partner_is_not_found(tables):
    said = parsed(
        "2.9.1",
        "pip install torch==2.9.1 torchvision==0.24.0 torchaudio==2.9.1"
        " --index-url https://download.pytorch.org/whl/cu126",
    )
    assert not any(agrees(build, said) for build in tables.builds)


def test_what_the_data_has_from_the_page_is_on_the_page(tables):
    """No row names the page as its source without a command there. The page here is an older version of it."""
    newer_than_the_page = {"2.12.1"}
    rest = [
        build.name
        for build in tables.builds
        if build.evidence == "previous-versions"
        and build.torch not in newer_than_the_page
        and not any(agrees(build, parsed(version, command)) for version, command in commands())
    ]
    assert rest == []


BUILDS = load.shipped().builds
PYTHONS = ["3.%d" % minor for minor in range(5, 1 + max(key(build.python_max)[1] for build in BUILDS))]


@pytest.mark.parametrize("build", [build for build in BUILDS if not build.known_bad], ids=lambda build: build.name)
def test_a_row_comes_back(build):
    for python in PYTHONS[PYTHONS.index(build.python_min) : PYTHONS.index(build.python_max) + 1]:
        got = torch_build({"cuda": build.cuda, "python": python, "source": build.source, "torch": build.torch})
        assert (got["torch"], got["cuda"], got["source"], got["python"]) == (
            build.torch,
            build.cuda,
            build.source,
            python,
        )
        assert got["torchvision"] == build.torchvision
        assert any("unverified" in warning for warning in got["warnings"]) == bool(build.unverified)
        assert build.evidence in got["evidence"]


@pytest.mark.parametrize("build", [build for build in BUILDS if build.known_bad], ids=lambda build: build.name)
def test_a_row_that_is_known_to_be_bad_never_comes_back(build):
    with pytest.raises(AnsibleFilterError, match="known to be bad: page error") as failure:
        torch_build({"cuda": build.cuda, "source": build.source, "torch": build.torch})
    assert "take CUDA " in str(failure.value)
