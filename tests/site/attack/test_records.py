# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Root reads records in another user's env, toolkit or home, and neither waits nor shows what only root can read."""

from __future__ import annotations

import json
import os
import pathlib
import typing as t

import pytest

SECRET = "SECRETOFROOT"
RECORD = {"name": "app", "version": "1.0", "build": "0", "paths_data": {"paths": []}, "files": []}
DIST_INFO = "lib/python3.11/site-packages/tool-1.0.dist-info"
ENV = {
    "conda-meta/history": "",
    "conda-meta/app-1.0-0.json": json.dumps(RECORD),
    "conda-meta/hpc_pytorch.record": json.dumps({"engine": "rattler", "packages": []}),
    "conda-meta/hpc_pytorch.modes": json.dumps({"app-1.0-0": {"executable": [], "links": {}}}),
    DIST_INFO + "/INSTALLER": "pip\n",
    DIST_INFO + "/METADATA": "Name: tool\nVersion: 1.0\n",
    DIST_INFO + "/RECORD": "tool-1.0.dist-info/INSTALLER,,\n",
}
# What alice puts in the place of a file.
KINDS = {
    "fifo": "mkfifo '{path}'",
    "zeros": "ln -s /dev/zero '{path}'",
    "watchdog": "ln -s /dev/watchdog '{path}'",
    "terminal": "ln -s /dev/tty '{path}'",
    "endless": "truncate -s 4T '{path}'",
    "folder": "mkdir '{path}'",
    "circle": "ln -s '{path}' '{path}'",
    "nowhere": "ln -s nowhere '{path}'",
    "root's": "ln -s '{secret}' '{path}'",
    "process": "ln -s /proc/self/mem '{path}'",
    "names of processes": "ln -s /proc/1/environ '{path}'",
}


@pytest.fixture
def secret(place: pathlib.Path) -> pathlib.Path:
    """A file of root's that is a record in form."""
    path = place / "secret.json"
    path.write_text(
        json.dumps({**RECORD, "name": SECRET, "version": SECRET, "engine": SECRET, "cuda": {"name": SECRET}})
    )
    path.chmod(0o600)
    return path


def plant(user: t.Any, path: pathlib.Path, kind: str, secret: pathlib.Path) -> None:
    """Put something of *kind* in the place of the user's file."""
    user.does("rm -f '%s' && mkdir -p '%s'" % (path, path.parent))
    if kind == "hard link":
        # The kernel may not let alice make one of a file that is not hers.
        os.link(secret, path)
    else:
        user.does(KINDS[kind].format(path=path, secret=secret))


@pytest.mark.parametrize("kind", [*KINDS, "hard link"])
@pytest.mark.parametrize("name", ENV)
def test_what_is_in_the_place_of_a_record_is_neither_waited_for_nor_shown(as_root, alice, secret, name, kind):
    for each, text in ENV.items():
        alice.writes("env/" + each, text, 0o644)
    plant(alice, alice.home / "env" / name, kind, secret)
    result = as_root("conda_env_info", prefix=str(alice.home / "env"), verify=True)
    assert result["state"] == "env" and SECRET not in json.dumps(result), result
    if name.endswith(".json"):
        assert len(result["problems"]) == 1 and result["packages"] == [], result
    elif name.startswith("conda-meta"):
        assert [package["name"] for package in result["packages"]] == ["app"], result


def test_a_folder_of_records_that_leads_to_another_is_not_followed(as_root, alice, place):
    (place / "private/conda-meta").mkdir(parents=True)
    (place / "private/conda-meta/secret-1-0.json").write_text(json.dumps({**RECORD, "name": SECRET}))
    (place / "private").chmod(0o700)
    alice.does("mkdir env && ln -s '%s' env/conda-meta" % (place / "private/conda-meta"))
    result = as_root("conda_env_info", prefix=str(alice.home / "env"))
    assert len(result["problems"]) == 1 and SECRET not in json.dumps(result), result


def test_an_env_of_alices_own_is_shown_to_root(as_root, alice):
    for each, text in ENV.items():
        alice.writes("env/" + each, text, 0o644)
    result = as_root("conda_env_info", prefix=str(alice.home / "env"), verify=True)
    assert [package["name"] for package in result["packages"]] == ["app"] and result["engine"] == "rattler"
    assert (result["problems"], result["damaged"], result["damaged_pip"]) == ([], [], []), result


@pytest.mark.parametrize("kind", [*KINDS, "hard link"])
@pytest.mark.parametrize("name", ["version.json", "version.txt"])
def test_a_toolkit_of_alices_is_neither_waited_for_nor_shown(as_root, alice, secret, name, kind):
    plant(alice, alice.home / "cuda" / name, kind, secret)
    result = as_root("cuda_info", cuda_home=str(alice.home / "cuda"))
    assert SECRET not in json.dumps(result), result


IN_A_HOME = [
    ".conda/environments.txt",
    ".local/share/jupyter/kernels/k/kernel.json",
    "venv/pyvenv.cfg",
    "venv/lib/python3.11/site-packages/a.pth",
    ".bashrc",
    ".profile",
    ".zshrc",
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_home_is_searched_whatever_is_in_it(as_root, alice, place, secret, kind):
    version = place / "envs/.torch/a"
    (version / "conda-meta").mkdir(parents=True)
    for path in (version / "conda-meta", version):
        os.utime(path, (10**9, 10**9))
    for name in IN_A_HOME:
        plant(alice, alice.home / name, kind, secret)
    options = {"envs_dir": str(place / "envs"), "name": "torch", "keep": 0, "older_than": 0, "slurm": False}
    result = as_root("conda_env_prune", **options, homes=[str(alice.home)], named_in=[str(alice.home / ".*rc")])
    assert [each["prefix"] for each in result["removable"]] == [str(version)], result
    assert SECRET not in json.dumps(result)
