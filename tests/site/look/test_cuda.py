# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CUDA in the site layer: toolkit and modulefiles are judged with all else, and the role runs if they differ."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

CHECKS = "TASK [Check CUDA]"


@pytest.fixture
def cuda(tmp_path: pathlib.Path) -> dict[str, t.Any]:
    """A toolkit, and the variables that declare it. The version in full is in its file alone."""
    home = tmp_path / "cuda"
    (home / "lib64").mkdir(parents=True)
    (home / "version.json").write_text(json.dumps({"cuda": {"version": "12.4.1"}}))
    return {
        "cuda_home": str(home),
        "cuda_version": "12.4",
        "cuda_expose": ["module"],
        "cuda_modulefiles_dir": str(tmp_path),
        "cuda_ld_library_path": True,
    }


def modules(run: t.Any) -> list[str]:
    assert run.rc == 0, run.output
    return [module.rpartition(".")[2] for module in run.counts.modules["localhost"]]


def test_what_stands_is_checked_by_the_look_alone(site: t.Any, cuda: dict[str, t.Any], tmp_path: pathlib.Path) -> None:
    assert modules(site(**cuda)) == ["site_look", "cuda_info", "host_files"]
    text = (tmp_path / "cuda/12.4.lua").read_text()
    assert (
        "CUDA 12.4.1 at %s" % tmp_path in text and 'prepend_path("LD_LIBRARY_PATH", "%s/cuda/lib64")' % tmp_path in text
    )
    for arguments in ((), ("--check", "--diff")):
        run = site(*arguments, **cuda)
        assert modules(run) == ["site_look"] and run.recap["changed"] == 0 and CHECKS not in run.output
    (tmp_path / "cuda/12.4.lua").write_text(text.replace("12.4.1", "12.4.0"))
    run = site("--diff", **cuda)
    assert '+help("CUDA 12.4.1' in run.output and modules(run) == ["site_look", "cuda_info", "host_files"]


@pytest.mark.parametrize(
    "changes, missing, message",
    [
        ({"cuda_version": "12.5"}, "", "CUDA 12.5 at"),
        ({}, "version.json", "expected a CUDA toolkit at"),
        ({}, "lib64", "expected lib64 or lib in"),
        ({"cuda_home": "/opt/cu$da"}, "", "that shells and modulefiles can quote"),
        ({"cuda_home": "cuda"}, "", "an absolute path in cuda_home"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_by_the_role(
    site: t.Any, cuda: dict[str, t.Any], tmp_path: pathlib.Path, changes: dict[str, str], missing: str, message: str
) -> None:
    assert site(**cuda).rc == 0
    if missing:
        (tmp_path / "cuda" / missing).rename(tmp_path / "gone")
    run = site(**{**cuda, **changes})
    assert run.rc != 0 and message in " ".join(run.output.split()), run.output


def test_a_modulefile_whose_name_only_the_toolkit_knows_is_left_to_the_role(
    site: t.Any, cuda: dict[str, t.Any], tmp_path: pathlib.Path
) -> None:
    for _run in range(2):
        run = site(**{**cuda, "cuda_version": ""})
        assert modules(run) == ["site_look", "cuda_info", "host_files"]
    assert run.recap["changed"] == 0 and (tmp_path / "cuda/12.4.lua").exists()


def test_a_version_without_quotes_is_one_too(site: t.Any, cuda: dict[str, t.Any], tmp_path: pathlib.Path) -> None:
    """In YAML it is a number."""
    number: dict[str, t.Any] = {**cuda, "cuda_version": 12.4}
    assert modules(site(**number)) == ["site_look", "cuda_info", "host_files"]
    assert modules(site(**number)) == ["site_look"] and (tmp_path / "cuda/12.4.lua").exists()


def test_without_modulefiles_the_toolkit_alone_is_checked(site: t.Any, cuda: dict[str, t.Any]) -> None:
    run = site(**{**cuda, "cuda_expose": ["bashrc"], "cuda_version": ""})
    assert modules(run) == ["site_look"] and run.recap["changed"] == 0
