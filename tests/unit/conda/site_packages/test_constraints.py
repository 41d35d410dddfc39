# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pip must leave as conda brought it, and how a refusal of pip's reads."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.site_packages.constraints import (
    constraint_lines,
    left_to_pip,
)
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.site_packages.distributions import (
    Metadata,
    brought_by,
    installed,
)
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.site_packages.pip_conflict import causes, conflict

TOP = "lib/python3.11/site-packages/"


@pytest.mark.parametrize(
    "path, expected",
    [
        ("torch-2.13.0.dist-info/METADATA", ("torch", "2.13.0")),
        ("torch-2.13.0+cpu.dist-info/RECORD", ("torch", "2.13.0+cpu")),
        ("Typing_Extensions-4.16.0.dist-info/METADATA", ("typing-extensions", "4.16.0")),
        ("zope.interface-5.0.dist-info/METADATA", ("zope-interface", "5.0")),
        ("six-1.16.0-py3.11.egg-info/PKG-INFO", ("six", "1.16.0")),
        ("six-1.16.0-py3.11.egg-info", ("six", "1.16.0")),
        ("six-1.16.0.egg-info", ("six", "1.16.0")),
        # Of another folder's, or without a version: only pip could tell.
        ("setuptools/_vendor/wheel-0.45.dist-info/METADATA", None),
        ("six.egg-info/PKG-INFO", None),
        ("torch/version.py", None),
    ],
)
def test_a_distribution_is_known_by_the_name_of_its_metadata(path, expected):
    found = brought_by({"files": ["bin/x", TOP + path]})
    assert [(each.name, each.version) for each in found] == ([expected] if expected else [])


@pytest.mark.parametrize("files", [None, 5, "text", {"a": 1}, [5, None, "a"]])
def test_a_record_that_no_tool_wrote_brings_nothing(files):
    assert brought_by({"files": files}) == []


def test_what_is_installed_is_read_from_names_alone(tmp_path):
    folder = tmp_path / TOP
    for name in ("torch-2.13.0.dist-info", "six-1.16.0-py3.11.egg-info", "torch", "~umpy-1.0.dist-info"):
        (folder / name).mkdir(parents=True)
    assert [(each.name, each.version) for each in installed(str(tmp_path))] == [("six", "1.16.0"), ("torch", "2.13.0")]


@pytest.mark.parametrize(
    "version, line",
    [
        ("2.13.0", "x===2.13.0"),
        ("2.13.0+cpu", "x===2.13.0+cpu"),
        ("1.0rc1", "x===1.0rc1"),
        # Not in the canonical form: pip compares the text after three equal signs with the canonical one.
        ("1.0-1", "x==1.0-1"),
        ("2.13.0_cpu", None),
        ("1.0.RC1", "x==1.0.RC1"),
        ("v1.0", "x==v1.0"),
        ("0+unknown", "x===0+unknown"),
        # A line that pip cannot read would fail every requirement.
        ("git1234", None),
        ("1.0; python_version>'3'", None),
        ("", None),
    ],
)
def test_a_constraint_is_the_very_version(version, line):
    assert constraint_lines([("pkg", Metadata("x", version, "x"))], ()) == ([line] if line else [])


def test_what_pip_may_replace():
    free = left_to_pip(["--index-url https://h/torch", "-r /torch.txt", "Some_Thing>=2", "torch==2.12", "numpy<2"])
    assert free == {"pip", "setuptools", "wheel", "some-thing"}
    assert "nvidia-nccl-cu12" not in left_to_pip(["nvidia-nccl-cu12==2.20"])
    held = [("pkg", Metadata(name, "1.0", name)) for name in ("torch", "pip", "some-thing", "packaging")]
    assert constraint_lines(held, free) == ["packaging===1.0", "torch===1.0"]


OUTPUT = """Looking in links: /w
Processing /w/fancyai-1.0-py3-none-any.whl
INFO: pip is looking at multiple versions of fancyai to determine which version is compatible. This could take a while.

The conflict is caused by:
    %s
    The user requested (constraint) torch<=2.15,===2.13.0

Additionally, some packages in these conflicts have no matching distributions available for your environment:
    torch

To fix this you could try to:
1. loosen the range of package versions you've specified
"""
HELD = [("pytorch", Metadata("torch", "2.13.0", "t")), ("packaging", Metadata("packaging", "24.0", "p"))]


@pytest.mark.parametrize(
    "line, asks",
    [
        ("fancyai 1.0 depends on torch>=2.99", "fancyai 1.0 depends on torch>=2.99"),
        (
            "fancyai[gpu] 1.0 depends on Torch!=2.13.0,>=2 (from x)",
            "fancyai[gpu] 1.0 depends on Torch!=2.13.0,>=2 (from x)",
        ),
        ("The user requested torch==2.12", "pip asks for torch==2.12"),
        ("The user requested torch 2.12 (from https://h/t.whl)", "pip asks for torch 2.12 (from https://h/t.whl)"),
        ("fancyai 1.0 depends on torch>=2; sys_platform == 'linux'", None),
    ],
)
def test_the_refusal_names_who_asks(line, asks):
    error = conflict(OUTPUT % line, HELD)
    assert error is not None and error.found == (asks or line)
    assert (
        "torch 2.13.0 of the package pytorch" in error.expected and "a version of pytorch in packages" in error.remedy
    )
    assert "name torch" not in error.remedy


def test_another_conflict_is_not_condas():
    text = "The conflict is caused by:\n    a 1.0 depends on b>=2\n    c 1.0 depends on b<2\n\nTo fix this\n"
    assert conflict(text, HELD) is None
    assert causes(text) == ["a 1.0 depends on b>=2", "c 1.0 depends on b<2"] and causes("ERROR: x\n    y") == []
    # A constraint of the user's own on something else.
    assert (
        conflict(OUTPUT.replace("(constraint) torch", "(constraint) scipy") % "a 1.0 depends on scipy>2", HELD) is None
    )
