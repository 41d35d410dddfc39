# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wheel that root converts for a channel writes only below its own folder and does not fill the disk."""

from __future__ import annotations

import pathlib
import sys
import typing as t
import zipfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import evil_packages  # isort: skip

from ansible_collections.hpc.pytorch.plugins.module_utils._channel.python import interpreter
from ansible_collections.hpc.pytorch.plugins.module_utils._channel.wheels.unpack import unpack_wheel
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError

assert evil_packages
DIST = "evil-1.0.dist-info"
HONEST = {
    "evil/__init__.py": "",
    DIST + "/METADATA": "Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n",
    DIST + "/WHEEL": "Wheel-Version: 1.0\n",
    DIST + "/RECORD": "",
}
LINK, FIFO, DEVICE = 0o120777, 0o010644, 0o020644


class Wheel(t.NamedTuple):
    """A wheel: members in addition to the honest ones (None takes one away), and what becomes of its bytes."""

    members: t.Sequence[tuple[str, t.Any]] = ()
    mode: int = 0o100644
    damage: t.Callable[[bytes], bytes] = lambda content: content
    method: int = zipfile.ZIP_STORED


def zeros(megabytes: int, count: int = 1) -> list[tuple[str, t.Any]]:
    return [("evil/%d" % number, megabytes) for number in range(count)]


def patched(old: bytes, new: bytes) -> t.Callable[[bytes], bytes]:
    return lambda content: content.replace(old, new)


EVIL: dict[str, Wheel] = {
    "up": Wheel([("../treasure/new", "x")]),
    "far up": Wheel([("../" * 20 + "treasure-of-nobody", "x")]),
    "up in the middle": Wheel([("evil/../../../../../treasure/new", "x")]),
    "absolute": Wheel([("/treasure-of-nobody", "x")]),
    "absolute twice": Wheel([("//treasure-of-nobody", "x")]),
    "dot": Wheel([("./evil/x", "x")]),
    "empty part": Wheel([("evil//x", "x")]),
    "backslash up": Wheel([("..\\treasure", "x")]),
    "line's end": Wheel([("evil/a\nb", "x")]),
    "escape": Wheel([("evil/\x1b[2J", "x")]),
    "name of 300 letters": Wheel([("evil/" + "a" * 300, "x")]),
    "data up": Wheel([("evil-1.0.data/data/../../treasure/new", "x")]),
    "data absolute": Wheel([("evil-1.0.data/data//treasure-of-nobody", "x")]),
    "data to conda's records": Wheel([("evil-1.0.data/data/conda-meta/history", "x")]),
    "data to conda's records in another case": Wheel([("evil-1.0.data/data/Conda-Meta/history", "x")]),
    "data to the package's records": Wheel([("evil-1.0.data/data/info/paths.json", "{}")]),
    "data to the package's records in another case": Wheel([("evil-1.0.data/data/INFO/paths.json", "{}")]),
    "scripts up": Wheel([("evil-1.0.data/scripts/../../treasure/new", "x")]),
    "headers up": Wheel([("evil-1.0.data/headers/../../../../treasure/new", "x")]),
    "unknown scheme": Wheel([("evil-1.0.data/treasure/new", "x")]),
    "symlink": Wheel([("evil/x", "/etc/passwd")], mode=LINK),
    "symlink and a file behind it": Wheel([("evil/out", "../../treasure"), ("evil/out/new", "x")], mode=LINK),
    "a file and a folder": Wheel([("evil/x", "x"), ("evil/x/y", "y")]),
    "a folder and a file": Wheel([("evil/x/y", "y"), ("evil/x", "x")]),
    "twice": Wheel([("evil/x", "x"), ("evil/x", "y")]),
    "twice by two ways": Wheel([("evil/x", "x"), ("evil-1.0.data/purelib/evil/x", "y")]),
    "command up": Wheel([(DIST + "/entry_points.txt", "[console_scripts]\n../../treasure/new = evil:main\n")]),
    "command absolute": Wheel([(DIST + "/entry_points.txt", "[console_scripts]\n/treasure-of-nobody = evil:main\n")]),
    "command of code": Wheel([(DIST + "/entry_points.txt", "[console_scripts]\nx = evil;import os:main\n")]),
    "commands no INI": Wheel([(DIST + "/entry_points.txt", "x = evil:main\n")]),
    "commands not UTF-8": Wheel([(DIST + "/entry_points.txt", b"[console_scripts]\n\xff = evil:main\n")]),
    "commands in a file": Wheel(
        [(DIST + "/entry_points.txt", "[console_scripts]\nx = evil:main\n"), ("evil-1.0.data/data/bin", "x")]
    ),
    "no dist-info": Wheel([(name, None) for name in HONEST if name.startswith(DIST)]),
    "no METADATA": Wheel([(DIST + "/METADATA", None)]),
    "METADATA of 20 MB": Wheel([(DIST + "/METADATA", 20)], method=zipfile.ZIP_DEFLATED),
    "half a MB that becomes half a GB": Wheel(zeros(64, 8), method=zipfile.ZIP_DEFLATED),
    "a few bytes that become 300 MB": Wheel(zeros(150, 2), method=zipfile.ZIP_BZIP2),
    "cut": Wheel([("evil/x", "x" * 10000)], damage=lambda content: content[:-100]),
    "another checksum": Wheel([("evil/x", "0123456789")], damage=patched(b"0123456789", b"9876543210")),
    "encrypted": Wheel(
        damage=lambda content: content.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01")
    ),
    "unknown compression": Wheel(
        damage=lambda content: content.replace(
            b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x63\x00"
        )
    ),
    "empty": Wheel(damage=lambda content: b""),
    "a script": Wheel(damage=lambda content: b"#!/bin/sh\n"),
}


@pytest.fixture(scope="module")
def python() -> interpreter.Interpreter:
    return interpreter.inspect_python("/usr/bin/python3")


def write(path: pathlib.Path, wheel: Wheel) -> None:
    members: list[tuple[str, t.Any]] = [
        (name, text) for name, text in HONEST.items() if name not in [each for each, unused in wheel.members]
    ]
    with zipfile.ZipFile(path, "w", wheel.method) as archive:
        for name, content in members + [each for each in wheel.members if each[1] is not None]:
            info = zipfile.ZipInfo(name)
            info.compress_type = wheel.method
            info.external_attr = (0o100644 if name in HONEST else wheel.mode) << 16
            if isinstance(content, int):
                with archive.open(info, "w") as stream:
                    for _unused in range(content):
                        stream.write(b"\0" * (1 << 20))
            else:
                archive.writestr(info, content)
    path.write_bytes(wheel.damage(path.read_bytes()))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", EVIL)
def test_an_evil_wheel_is_not_converted(place, treasure, python, name):
    wheel = place / "evil-1.0-py3-none-any.whl"
    write(wheel, EVIL[name])
    root = place / "root"
    root.mkdir()
    before = {path for path in place.rglob("*") if root not in path.parents}
    with pytest.raises(UserError) as refused:
        unpack_wheel(str(wheel), str(root), python, compile_files=False)
    assert "\n" not in str(refused.value) and str(refused.value).isprintable()
    assert treasure.is_untouched() and not pathlib.Path("/treasure-of-nobody").exists()
    assert {path for path in place.rglob("*") if root not in path.parents} == before
    # Nothing large was written before it was refused.
    assert sum(path.lstat().st_size for path in root.rglob("*")) < 64 << 20


@pytest.mark.parametrize("kind", [FIFO, DEVICE])
def test_a_member_is_never_a_device(place, python, kind):
    """zip files can say so. It becomes a plain file."""
    wheel = place / "evil-1.0-py3-none-any.whl"
    write(wheel, Wheel([("evil/x", "x")], mode=kind))
    unpack_wheel(str(wheel), str(place / "root"), python, compile_files=False)
    assert all(path.is_file() or path.is_dir() for path in (place / "root").rglob("*"))


GOOD: dict[str, Wheel] = {
    "plain": Wheel(),
    "large": Wheel(zeros(200), method=zipfile.ZIP_DEFLATED),
    "names of all kinds": Wheel([("evil/ü é (1).txt", "x"), ("evil/..x", "x"), ("evil/-rf", "x")]),
    "data next to the records": Wheel([("evil-1.0.data/data/share/info/x", "x"), ("evil-1.0.data/data/etc/x", "x")]),
    "a folder info of a package": Wheel([("info/__init__.py", ""), ("conda-meta.py", "")]),
    "a file and its folder's entry": Wheel([("evil/sub/", ""), ("evil/sub/x", "x")]),
    "signatures": Wheel([(DIST + "/RECORD.jws", "x")]),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_real_wheel_is_converted(place, python, name):
    wheel = place / "evil-1.0-py3-none-any.whl"
    write(wheel, GOOD[name])
    unpack_wheel(str(wheel), str(place / "root"), python, compile_files=False)
    assert (place / "root" / python.site_packages / "evil/__init__.py").exists()
