# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is deleted of a distribution that pip put in the place of conda's: only its own files, inside the env."""

from __future__ import annotations

import json
import os
import pathlib

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env.packages import Package
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.site_packages import replaced
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.site_packages.distributions import Metadata

TOP = "lib/python3.11/site-packages"


@pytest.fixture
def env(tmp_path: pathlib.Path) -> pathlib.Path:
    """pip's x 2.0 in the place of the x 1.0 of the package pkg; other stays."""
    prefix = tmp_path / "env"
    for path in (
        "x/__init__.py",
        "x/new.py",
        "x/__pycache__/new.cpython-311.pyc",
        "other.py",
        "x-2.0.dist-info/RECORD",
    ):
        (prefix / TOP / path).parent.mkdir(parents=True, exist_ok=True)
        (prefix / TOP / path).write_text("")
    (prefix / "bin").mkdir()
    (prefix / "bin/x").write_text("")
    (prefix / "conda-meta").mkdir()
    for name, files in (
        ("pkg", ["x/__init__.py", "x-1.0.dist-info/METADATA"]),
        ("other", ["other.py"]),
    ):
        record = {"name": name, "version": "1.0", "build": "0", "files": ["%s/%s" % (TOP, path) for path in files]}
        (prefix / "conda-meta" / (name + "-1.0-0.json")).write_text(json.dumps(record))
    return prefix


def found(prefix: pathlib.Path) -> list[replaced.Replaced]:
    return replaced.contents_of(str(prefix), replaced.read_env(str(prefix))[1]).replaced


def write_record(prefix: pathlib.Path, *paths: str) -> None:
    (prefix / TOP / "x-2.0.dist-info/RECORD").write_text("".join("%s,,\n" % path for path in paths))


def test_its_files_go_and_those_of_other_packages_stay(env):
    write_record(env, "x/__init__.py", "x/new.py", "x/__pycache__/new.cpython-311.pyc", "../../../bin/x", "other.py")
    each = found(env)
    assert [one.as_result() for one in each] == [
        {"name": "pkg", "distribution": "x", "recorded": "1.0", "imported": "2.0"}
    ]
    replaced.remove_replaced(str(env), each, replaced.paths_of_others(str(env), {"pkg"}))
    assert sorted(path.name for path in (env / TOP).iterdir()) == ["other.py"] and not (env / "bin/x").exists()
    assert found(env) == []


def test_nothing_outside_the_env_is_deleted(env, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "thesis.tex").write_text("years")
    (env / TOP / "link").symlink_to(outside)
    paths = ["link/thesis.tex", "../../../../outside/thesis.tex", str(outside / "thesis.tex"), "..", ".", "", "\0", "x"]
    write_record(env, *paths)
    replaced.remove_replaced(str(env), found(env), ())
    assert (outside / "thesis.tex").exists() and (env / TOP / "x/new.py").exists() and found(env) == []


@pytest.mark.parametrize("how", ["none", "fifo", "link"])
def test_without_a_record_only_the_metadata_goes(env, tmp_path, how):
    record = env / TOP / "x-2.0.dist-info/RECORD"
    record.unlink()
    if how == "fifo":
        os.mkfifo(record)
    elif how == "link":
        (tmp_path / "list").write_text("other.py,,\n")
        record.symlink_to(tmp_path / "list")
    replaced.remove_replaced(str(env), found(env), ())
    assert (env / TOP / "other.py").exists() and not (env / TOP / "x-2.0.dist-info").exists()


def test_packages_have_the_imported_version():
    was, now = Metadata("torch", "2.13.0", "a"), Metadata("torch", "2.99.0", "b")
    packages = [Package("numpy", "2.4", "0", "c"), Package("pytorch", "2.13.0", "0", "c", "u")]
    shown = replaced.as_imported(packages, [replaced.Replaced("pytorch", was, now)])
    assert shown == [packages[0], Package("pytorch", "2.99.0", "pypi_0", "pypi")]
    assert replaced.not_meant([replaced.Replaced("pytorch", was, now)], ["torch>=2.99"])
    was, now = Metadata("packaging", "24", "a"), Metadata("packaging", "25", "b")
    one = replaced.Replaced("packaging", was, now)
    assert not replaced.not_meant([one], ["Packaging"]) and replaced.not_meant([one], ["-r /packaging"])
