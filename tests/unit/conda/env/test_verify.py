"""What verify finds, and that one repair is enough: on real packages, installed by the real engine."""

from __future__ import annotations

import io
import json
import os
import pathlib
import stat
import tarfile

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env import prefix as env
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env.describe import Options, describe_env
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env.verify import damaged_packages
from tiny_channel import PLACEHOLDER, index, make_package


def add_to(archive: pathlib.Path, links: dict[str, str], files: dict[str, str]) -> None:
    """Put symlinks and files into a package, and the symlinks into its list of paths."""
    with tarfile.open(archive) as tar:
        members = [(member, tar.extractfile(member).read()) for member in tar]
    with tarfile.open(archive, "w:bz2") as tar:
        for member, content in members:
            if member.name == "info/paths.json":
                paths = json.loads(content)
                paths["paths"] += [
                    {"_path": path, "path_type": "softlink", "sha256": "0" * 64, "size_in_bytes": 0} for path in links
                ]
                content = json.dumps(paths).encode()
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for path, target in links.items():
            member = tarfile.TarInfo(path)
            member.type, member.linkname = tarfile.SYMTYPE, target
            tar.addfile(member)
        for path, text in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))


@pytest.fixture
def many(channel: pathlib.Path) -> pathlib.Path:
    """The small channel with one package of every kind of file, and a noarch one with an entry point."""
    make_package(
        channel, "python", "3.11.2", files={"bin/python3.11": "#!/bin/sh\n", "lib/python3.11/os.py": "x = 1\n"}
    )
    archive = make_package(
        channel,
        "many",
        files={
            "bin/tool": "#!%s/bin/sh\n" % PLACEHOLDER,
            "lib/libmany.so.1": "\x7fELF %s\0 rest" % PLACEHOLDER,
            "share/plain.txt": "plain\n",
            "share/pad/__pycache__/a.cpython-311.pyc": "code",
        },
    )
    add_to(archive, {"lib/libmany.so": "libmany.so.1", "lib/dangling": "nowhere"}, {})
    archive = make_package(
        channel,
        "pure",
        depends=["python"],
        subdir="noarch",
        noarch="python",
        files={"site-packages/pure.py": "def main():\n    pass\n"},
    )
    link = {"noarch": {"type": "python", "entry_points": ["pure = pure:main"]}, "package_metadata_version": 1}
    add_to(archive, {}, {"info/link.json": json.dumps(link)})
    return index(channel)


def rewrite(path):
    path.write_text("another\n")


def replace_by_copy(path):
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)


def lead_elsewhere(path):
    path.unlink()
    path.symlink_to("/etc/hostname")


def no_execution(path):
    path.chmod(0o644)


def no_permission(path):
    path.chmod(0)


@pytest.mark.parametrize("seen", ["many", "pure"])
def test_what_was_just_installed_is_whole(declare, many, prefix, seen):
    declare(packages=["many", "pure"])
    assert damaged_packages(str(prefix)) == set() and (prefix / "bin/pure").exists()


@pytest.mark.parametrize(
    "path, harm, package",
    [
        ("share/plain.txt", pathlib.Path.unlink, "many"),
        ("share/plain.txt", rewrite, "many"),
        ("share/plain.txt", lead_elsewhere, "many"),
        ("share/plain.txt", no_permission, "many"),
        ("bin/tool", rewrite, "many"),
        ("bin/tool", no_execution, "many"),
        # A hard link, so the cache has lost it as well.
        ("bin/python3.11", no_execution, "python"),
        ("lib/libmany.so.1", rewrite, "many"),
        ("lib/libmany.so", pathlib.Path.unlink, "many"),
        ("lib/libmany.so", lead_elsewhere, "many"),
        ("lib/libmany.so", rewrite, "many"),
        ("lib/dangling", pathlib.Path.unlink, "many"),
        ("lib/dangling", lead_elsewhere, "many"),
        ("share/pad/__pycache__/a.cpython-311.pyc", pathlib.Path.unlink, "many"),
        ("bin/pure", pathlib.Path.unlink, "pure"),
        ("bin/pure", rewrite, "pure"),
        ("bin/pure", no_execution, "pure"),
        ("lib/python3.11/site-packages/pure.py", rewrite, "pure"),
        ("lib/python3.11/site-packages/pure.py", pathlib.Path.unlink, "pure"),
    ],
)
def test_every_kind_of_damage_is_found_and_mended_once(declare, many, prefix, path, harm, package):
    # A link replaced by a file of its own must not change what the link led to.
    declare(packages=["many", "pure"])
    place = prefix / path
    was = (os.readlink(place) if place.is_symlink() else place.read_bytes(), stat.S_IMODE(place.lstat().st_mode))
    if place.is_symlink() and harm is rewrite:
        place.unlink()
    harm(place)
    assert not declare(packages=["many", "pure"])["changed"]
    info = describe_env(Options(str(prefix), None, "", True))
    # The library's hard link, written through, is damaged where the symlink leads too.
    assert info["damaged"] == [package]
    predicted = declare(check_mode=True, packages=["many", "pure"], verify=True)
    mended = declare(packages=["many", "pure"], verify=True)
    assert predicted["actions"] == mended["actions"]
    assert [(action["action"], action["name"]) for action in mended["actions"]] == [("reinstall", package)]
    now = (os.readlink(place) if place.is_symlink() else place.read_bytes(), stat.S_IMODE(place.lstat().st_mode))
    assert now == was
    assert not declare(packages=["many", "pure"], verify=True)["changed"]


def test_python_may_rewrite_its_bytecode_and_a_copy_is_as_good_as_a_link(declare, many, prefix):
    declare(packages=["many"])
    rewrite(prefix / "share/pad/__pycache__/a.cpython-311.pyc")
    replace_by_copy(prefix / "share/plain.txt")
    assert damaged_packages(str(prefix)) == set()


def test_entry_points_cannot_be_written_by_the_group(declare, many, prefix):
    before = os.umask(0o022)
    try:
        declare(packages=["pure"])
    finally:
        os.umask(before)
    assert stat.S_IMODE((prefix / "bin/pure").stat().st_mode) == 0o755


def test_a_changed_package_is_remembered_anew(declare, prefix):
    declare(packages=["app=1.*"])
    declare(packages=["app=2.*"])
    (prefix / "bin/app").chmod(0o644)
    assert damaged_packages(str(prefix)) == {"app"}


def test_without_what_we_remember_content_still_counts_and_modes_do_not(declare, many, prefix):
    declare(packages=["many"])
    (prefix / "conda-meta/hpc_pytorch.modes").unlink()
    no_execution(prefix / "bin/tool")
    lead_elsewhere(prefix / "lib/libmany.so")
    assert damaged_packages(str(prefix)) == set()
    (prefix / "share/plain.txt").unlink()
    assert damaged_packages(str(prefix)) == {"many"}


def test_a_file_with_the_prefix_in_it_but_no_hash_of_that_is_not_judged(declare, many, prefix):
    """conda has written such records."""
    declare(packages=["many"])
    (record,) = (prefix / "conda-meta").glob("many-*.json")
    meta = json.loads(record.read_text())
    for entry in meta["paths_data"]["paths"]:
        entry.pop("sha256_in_prefix", None)
    record.write_text(json.dumps(meta))
    assert damaged_packages(str(prefix)) == set()


@pytest.mark.parametrize("with_files", [True, False])
def test_a_deleted_record_brings_its_package_back_without_verify(declare, many, prefix, with_files):
    declare(packages=["many", "app"])
    (prefix / "conda-meta/liba-2.0-0.json").unlink()
    if with_files:
        (prefix / "share/liba.txt").unlink()
    result = declare(packages=["many", "app"])
    assert [(action["action"], action["name"]) for action in result["actions"]] == [("install", "liba")]
    assert (prefix / "share/liba.txt").read_text() == "liba 2.0\n"
    assert not declare(packages=["many", "app"], verify=True)["changed"] and env.kind_of(str(prefix)) == "env"


def test_the_cache_is_mended_with_the_env_that_was_written_through(declare, many, prefix, home):
    """The cache has the same file by hard link: the next env made from it must be complete."""
    declare(packages=["many"])
    with open(prefix / "share/plain.txt", "r+") as stream:
        stream.write("XXXXX")
    declare(packages=["many"], verify=True)
    declare(name="second", packages=["many"])
    assert (home / ".conda/envs/second/share/plain.txt").read_text() == "plain\n"
    assert damaged_packages(str(home / ".conda/envs/second")) == set()
