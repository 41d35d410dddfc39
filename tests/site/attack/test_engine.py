# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's folder: root makes it only where no other user can change it, and empties nothing but engines."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import typing as t

import pytest

WANTED = "pip\n"
NEXT = "pip\nsetuptools; python_version < '3'\n"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, load_module: t.Any) -> pathlib.Path:
    """A real engine, to be copied: folder with ``engine`` and ``.engine``."""
    folder = tmp_path_factory.mktemp("finished")
    runner = pathlib.Path(__file__).with_name("run_module.py")
    options = {"prefix": str(folder / "engine"), "requirements": WANTED, "python": sys.executable}
    done = subprocess.run(
        [sys.executable, str(runner), "conda_engine"],
        input=json.dumps(options),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout.splitlines()[-1])["changed"]
    return folder


@pytest.fixture
def engine(finished: pathlib.Path, place: pathlib.Path) -> pathlib.Path:
    """A finished engine of root's."""
    folder = place / "opt"
    shutil.copytree(finished, folder, symlinks=True)
    return folder / "engine"


def contents(folder: pathlib.Path) -> t.Any:
    return sorted(
        (str(path), status.st_mode, status.st_uid, status.st_size, status.st_mtime_ns)
        for path in folder.rglob("*")
        for status in [path.lstat()]
    )


def give(path: pathlib.Path, user: t.Any) -> None:
    os.chown(path, user.uid, user.gid, follow_symlinks=False)


# --- where it may not be -----------------------------------------------------------------------------------------


def open_place(kind: str, place: pathlib.Path, scratch: pathlib.Path, mallory: t.Any, treasure: t.Any) -> pathlib.Path:
    """A prefix that another user could change, or reach."""
    mine = scratch / "mine"
    mallory.does("mkdir '%s'" % mine)
    root = place / "data"
    root.mkdir()
    if kind == "in a sticky folder":
        return scratch / "engine"
    if kind == "deep below a sticky folder":
        return scratch / "a/b/engine"
    if kind == "a folder of root's in a sticky folder":
        (scratch / "engine").mkdir()
        return scratch / "engine"
    if kind == "in a folder of hers":
        return mine / "engine"
    if kind == "an empty folder of hers":
        mallory.does("mkdir '%s/engine'" % mine)
        return mine / "engine"
    if kind == "a folder of root's in hers":
        (mine / "engine").mkdir()
        return mine / "engine"
    if kind == "in her home":
        return t.cast(pathlib.Path, mallory.home / "engine")
    if kind == "a symlink of hers to root's":
        mallory.does("ln -s '%s' '%s/engine'" % (treasure.path.parent, mine))
        return mine / "engine"
    if kind == "a symlink of hers in a sticky folder":
        mallory.does("ln -s '%s' '%s/engine'" % (treasure.path.parent, scratch))
        return scratch / "engine"
    if kind == "below a symlink of hers":
        mallory.does("ln -s '%s' '%s/opt'" % (treasure.path.parent, scratch))
        return scratch / "opt/engine"
    if kind == "below a symlink of root's to hers":
        (root / "opt").symlink_to(mine)
        return root / "opt/engine"
    if kind == "below two symlinks of root's to hers":
        (root / "one").symlink_to(mine)
        (root / "two").symlink_to("one")
        return root / "two/engine"
    if kind == "her symlink in a folder of root's":
        (root / "engine").symlink_to(treasure.path.parent)
        give(root / "engine", mallory)
        return root / "engine"
    if kind == "in a folder that everybody can write":
        root.chmod(0o777)
        return root / "engine"
    if kind == "in a folder that her group can write":
        os.chown(root, 0, mallory.gid)
        root.chmod(0o775)
        return root / "engine"
    if kind == "below a folder that everybody can write":
        (root / "opt").mkdir()
        root.chmod(0o777)
        return root / "opt/engine"
    if kind == "in a dangling symlink":
        (root / "opt").symlink_to(mine / "later")
        return root / "opt/engine"
    if kind == "with her folder as the store":
        (root / ".engine").mkdir()
        give(root / ".engine", mallory)
        return root / "engine"
    if kind == "with her symlink as the store":
        (root / ".engine").symlink_to(treasure.path.parent)
        give(root / ".engine", mallory)
        return root / "engine"
    if kind == "with an open store":
        (root / ".engine").mkdir()
        (root / ".engine").chmod(0o1777)
        return root / "engine"
    raise AssertionError(kind)


PLACES = [
    "in a sticky folder",
    "deep below a sticky folder",
    "a folder of root's in a sticky folder",
    "in a folder of hers",
    "an empty folder of hers",
    "a folder of root's in hers",
    "in her home",
    "a symlink of hers to root's",
    "a symlink of hers in a sticky folder",
    "below a symlink of hers",
    "below a symlink of root's to hers",
    "below two symlinks of root's to hers",
    "her symlink in a folder of root's",
    "in a folder that everybody can write",
    "in a folder that her group can write",
    "below a folder that everybody can write",
    "in a dangling symlink",
    "with her folder as the store",
    "with her symlink as the store",
    "with an open store",
]


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("kind", PLACES)
def test_root_makes_no_engine_where_another_user_could_change_it(
    refused, place, scratch, mallory, treasure, kind, check_mode
):
    prefix = open_place(kind, place, scratch, mallory, treasure)
    before = contents(place)
    refused("conda_engine", prefix=str(prefix), requirements=WANTED, _ansible_check_mode=check_mode)
    shutil.rmtree(place / "root")
    assert contents(place) == before and treasure.is_untouched()


PARTS = [
    "",
    "bin",
    "requirements.txt",
    ".hpc_pytorch.engine.json",
    "../../engine",
    "..",
]


@pytest.mark.parametrize("requirements", [WANTED, NEXT])
@pytest.mark.parametrize("part", PARTS)
def test_root_takes_no_engine_with_a_part_of_somebody_elses(refused, engine, mallory, part, requirements):
    give(pathlib.Path(os.path.realpath(engine)) / part if part != "../../engine" else engine, mallory)
    message = refused("conda_engine", prefix=str(engine), requirements=requirements)
    assert "belongs to uid %d" % mallory.uid in message


@pytest.mark.parametrize("part", ["", "bin", "requirements.txt"])
def test_root_takes_no_engine_with_a_part_that_everybody_can_write(refused, engine, part):
    (engine / part).chmod(0o777)
    assert "has mode 0777" in refused("conda_engine", prefix=str(engine), requirements=WANTED)


@pytest.mark.parametrize("record", ["fifo", "zero", "large", "no json", "a list", "parts of anything"])
def test_a_record_of_nonsense_hangs_nothing_and_removes_nothing(as_root, engine, place, record):
    venv = pathlib.Path(os.path.realpath(engine))
    path = venv / ".hpc_pytorch.engine.json"
    path.unlink()
    (venv / "precious").mkdir()
    if record == "fifo":
        os.mkfifo(path)
    elif record == "zero":
        path.symlink_to("/dev/zero")
    elif record == "large":
        path.touch()
        os.truncate(path, 1 << 33)
    else:
        path.write_text({"no json": "{", "a list": "[1]", "parts of anything": '{"parts": "precious"}'}[record])
    result = as_root("conda_engine", prefix=str(engine), requirements=WANTED, python=sys.executable)
    assert result.get("failed") and "precious" in result["msg"] and (venv / "precious").exists()


# --- which Python makes it ---------------------------------------------------------------------------------------


def hostile_python(kind: str, place: pathlib.Path, scratch: pathlib.Path, mallory: t.Any, program: str) -> pathlib.Path:
    """A Python that another user could change, or what it loads."""
    env = place / "env"
    for name in ("bin", "lib/python3.11/site-packages", "lib/python3.11/encodings"):
        (env / name).mkdir(parents=True)
    python = env / "bin/python3.11"
    python.write_text(program)
    python.chmod(0o755)
    if kind == "hers":
        return t.cast(pathlib.Path, mallory.writes("bin/python3.11", program))
    if kind == "a link of hers":
        mallory.does("ln -s '%s' '%s/python'" % (python, scratch))
        return scratch / "python"
    if kind == "a link to hers":
        theirs = mallory.writes("bin/python3.11", program)
        python.unlink()
        python.symlink_to(theirs)
    elif kind == "everybody can write it":
        python.chmod(0o777)
    elif kind == "in an open folder":
        (env / "bin").chmod(0o777)
    elif kind == "a path file":
        (env / "lib/python3.11/site-packages/theirs.pth").write_text("%s\n" % mallory.home)
    elif kind == "a venv whose config is hers":
        (env / "pyvenv.cfg").write_text("home = %s\n" % mallory.home)
        give(env / "pyvenv.cfg", mallory)
    elif kind == "a module":
        (env / "lib/python3.11/json.py").write_text("")
        give(env / "lib/python3.11/json.py", mallory)
    else:
        give(env / kind, mallory)
    return python


PYTHONS = [
    "hers",
    "a link of hers",
    "a link to hers",
    "everybody can write it",
    "in an open folder",
    "a path file",
    "a venv whose config is hers",
    "a module",
    "bin",
    "lib/python3.11",
    "lib/python3.11/site-packages",
    "lib/python3.11/encodings",
    ".",
]


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("kind", PYTHONS)
def test_root_makes_it_with_no_python_of_somebody_elses(
    refused, place, scratch, mallory, program, marker, kind, check_mode
):
    python = hostile_python(kind, place, scratch, mallory, program)
    refused(
        "conda_engine",
        prefix=str(place / "opt/engine"),
        requirements=WANTED,
        python=str(python),
        _ansible_check_mode=check_mode,
    )
    refused("conda_engine_python_info", python=str(python))
    assert not marker.exists() and not (place / "opt").exists()


# --- a healthy site ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["plain", "a linked disk", "a relative link", "a setgid folder", "a name with a blank"]
)
def test_root_makes_it_in_a_folder_of_its_own(as_root, place, kind):
    parent = place / ("my opt" if kind == "a name with a blank" else "opt")
    if "link" in kind:
        (place / "data/opt").mkdir(parents=True)
        parent.symlink_to(place / "data/opt" if kind == "a linked disk" else "data/opt")
    elif kind == "a setgid folder":
        parent.mkdir()
        parent.chmod(0o2755)
    old = os.umask(0o077)
    try:
        made = as_root("conda_engine", prefix=str(parent / "engine"), requirements=WANTED, python=sys.executable)
    finally:
        os.umask(old)
    assert made["changed"] and os.path.exists(made["executable"]), made
    again = as_root("conda_engine", prefix=str(parent / "engine"), requirements=WANTED, python=sys.executable)
    assert again["changed"] is False, again
