# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of an inventory is an inventory of one's own: complete, never overwritten, and nothing is written above it."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import typing as t

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
NAMES = [path.name for path in sorted((CHECKOUT / "inventories").iterdir())]


@pytest.fixture
def copy(playbook_run: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    """Runs the playbook with these extra variables, without an inventory."""

    def call(**variables: str) -> t.Any:
        return playbook_run("-i", "/dev/null", "-e", json.dumps(variables), "hpc.pytorch.inventory")

    return call


def files(folder: pathlib.Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def variable(inventory: pathlib.Path, name: str, **environment: str) -> str:
    """A variable of localhost in an inventory."""
    done = subprocess.run(
        [str(pathlib.Path(sys.executable).with_name("ansible")), "localhost", "-i", str(inventory), "-m"]
        + ["ansible.builtin.debug", "-a", "var=%s" % name],
        env=dict(os.environ, ANSIBLE_CALLBACK_RESULT_FORMAT="json", **environment),
        capture_output=True,
        text=True,
        check=True,
    )
    return str(json.loads(done.stdout.partition("=>")[2])[name])


@pytest.mark.parametrize("name", NAMES)
def test_each_inventory_is_copied_whole(copy: t.Callable[..., t.Any], tmp_path: pathlib.Path, name: str) -> None:
    done = copy(copy=name, to=str(tmp_path / "mine"))
    assert done.rc == 0 and done.recap["changed"] == 1, done.output
    assert files(tmp_path / "mine") == files(CHECKOUT / "inventories" / name)
    assert "\n  ansible-playbook -i %s/mine hpc.pytorch.site --check --diff\n" % tmp_path in done.output


def test_what_was_edited_stays(copy: t.Callable[..., t.Any], tmp_path: pathlib.Path) -> None:
    assert copy(copy="campus", to=str(tmp_path)).rc == 0
    (tmp_path / "hosts.yml").write_text("mine")
    (tmp_path / "README.md").unlink()
    done = copy(copy="campus", to=str(tmp_path))
    assert done.rc == 0 and (tmp_path / "hosts.yml").read_text() == "mine" and (tmp_path / "README.md").exists()
    assert copy(copy="campus", to=str(tmp_path)).recap["changed"] == 0


def test_another_name_is_refused_with_those_that_there_are(copy: t.Callable[..., t.Any]) -> None:
    done = copy(copy="../../etc")
    assert done.rc == 2, done.output
    assert "expected copy to be one of %s; found ../../etc; remedy: name one" % ", ".join(NAMES) in done.output


def test_a_copy_of_local_has_its_things_in_the_home_directory(
    copy: t.Callable[..., t.Any], tmp_path: pathlib.Path
) -> None:
    """Two folders above it would be /home/.site for a copy in a home directory."""
    home = tmp_path / "home"
    assert copy(copy="local", to=str(home / "inv")).rc == 0
    assert variable(home / "inv", "local_root", HOME=str(home)) == str(home / ".local/share/hpc.pytorch/site")
    assert variable(CHECKOUT / "inventories/local", "local_root") == str(CHECKOUT / ".site")
