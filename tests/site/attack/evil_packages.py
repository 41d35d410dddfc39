# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages and channels with any content whatever: each byte is the test's own, no tool of conda's makes them."""

from __future__ import annotations

import bz2
import dataclasses
import hashlib
import io
import json
import pathlib
import sys
import tarfile
import typing as t
import zipfile

from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

if "ansible_collections" not in sys.modules:
    _AnsibleCollectionFinder(paths=[str(pathlib.Path(__file__).resolve().parents[3] / ".collections")])._install()

# The options of conda_env, but for prefix, channels and packages.
CONDA_ENV: dict[str, t.Any] = {
    "name": None,
    "envs_dir": None,
    "prune": False,
    "pip": [],
    "channel_priority": None,
    "lock_file": None,
    "engine": "auto",
    "executable": None,
    "cuda": None,
    "package_cache": None,
    "compile": False,
    "register_envs": False,
    "verify": False,
    "state": "present",
    "progress_file": None,
}

FORMS = (".tar.bz2", ".conda")


class Zeros(bytes):
    """Made only when it is packed: so many zeros that a table of them would fill the memory."""

    def __new__(cls, size: int) -> Zeros:
        made = super().__new__(cls, b"0")
        made.size = size  # type: ignore[attr-defined]
        return made


@dataclasses.dataclass
class Member:
    """A member of an archive. *kind* is a type of tarfile."""

    name: str
    content: bytes = b""
    kind: bytes = tarfile.REGTYPE
    target: str = ""
    mode: int = 0o644
    # The size of an attribute in a header before it.
    pax: int = 0


def file(name: str, content: str = "content\n", mode: int = 0o644) -> Member:
    return Member(name, content.encode("utf-8", "surrogateescape"), mode=mode)


def link(name: str, target: str) -> Member:
    return Member(name, kind=tarfile.SYMTYPE, target=target)


def hard_link(name: str, target: str) -> Member:
    return Member(name, kind=tarfile.LNKTYPE, target=target)


def folder(name: str) -> Member:
    return Member(name, kind=tarfile.DIRTYPE, mode=0o755)


def entry_of(member: Member) -> dict[str, t.Any]:
    """The honest entry of ``paths.json`` for a member."""
    entry: dict[str, t.Any] = {"_path": member.name, "path_type": "softlink" if member.target else "hardlink"}
    if member.kind == tarfile.DIRTYPE:
        entry["path_type"] = "directory"
    if member.kind == tarfile.REGTYPE:
        entry.update(sha256=hashlib.sha256(member.content).hexdigest(), size_in_bytes=len(member.content))
    return entry


@dataclasses.dataclass
class Package:
    """A package. What is None is as an honest builder would make it; ``False`` leaves the record out."""

    members: t.Sequence[Member] = ()
    paths: t.Any = None
    info: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    record: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    name: str = "app"
    version: str = "1.0"
    depends: t.Sequence[str] = ()
    # What becomes of the archive's bytes.
    damage: t.Callable[[bytes], bytes] = lambda content: content

    def index(self) -> dict[str, t.Any]:
        return {
            "name": self.name,
            "version": self.version,
            "build": "0",
            "build_number": 0,
            "depends": list(self.depends),
            "subdir": "linux-64",
        }

    def all_members(self) -> list[Member]:
        info: dict[str, t.Any] = {
            "info/index.json": self.index(),
            "info/paths.json": {
                "paths": [entry_of(each) for each in self.members] if self.paths is None else self.paths,
                "paths_version": 1,
            },
        }
        info.update({"info/" + name: value for name, value in self.info.items()})
        texts = {
            name: value if isinstance(value, (str, bytes)) else json.dumps(value)
            for name, value in info.items()
            if value is not False
        }
        return [
            Member(name, text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
            for name, text in texts.items()
        ] + list(self.members)

    def archive(self, form: str) -> bytes:
        members = self.all_members()
        if form == ".tar.bz2":
            return self.damage(bz2.compress(tar_of(members), 1))
        parts = [[each for each in members if each.name.startswith("info/") == is_info] for is_info in (True, False)]
        return self.damage(conda_of([(start, tar_of(part)) for start, part in zip(("info", "pkg"), parts)]))

    def publish(self, channel: pathlib.Path, form: str) -> None:
        """Put it into a channel, with an honest index but for ``record``."""
        content = self.archive(form)
        file_name = "%s-%s-0%s" % (self.name, self.version, form)
        (channel / "linux-64").mkdir(parents=True, exist_ok=True)
        (channel / "linux-64" / file_name).write_bytes(content)
        record = {**self.index(), "sha256": hashlib.sha256(content).hexdigest(), "size": len(content), **self.record}
        record = {key: value for key, value in record.items() if value is not False}
        write_index(channel, "linux-64", {file_name: record})


def write_index(channel: pathlib.Path, subdir: str, records: t.Mapping[str, t.Any]) -> None:
    """Add *records* to the channel's index, whatever they are."""
    for each in ("noarch", subdir):
        path = channel / each / "repodata.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text(json.dumps({"info": {"subdir": each}, "packages": {}, "packages.conda": {}}))
    path = channel / subdir / "repodata.json"
    whole = json.loads(path.read_text())
    for name, record in records.items():
        whole["packages.conda" if name.endswith(".conda") else "packages"][name] = record
    path.write_text(json.dumps(whole))


def tar_of(members: t.Sequence[Member]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT, errors="surrogateescape") as tar:
        for each in members:
            header = tarfile.TarInfo(each.name)
            header.type, header.linkname, header.mode = each.kind, each.target, each.mode
            content = bytes(each.content.size) if isinstance(each.content, Zeros) else each.content  # type: ignore[attr-defined]
            header.size = len(content) if each.kind == tarfile.REGTYPE else 0
            header.pax_headers = {"comment": "x" * each.pax} if each.pax else {}
            tar.addfile(header, io.BytesIO(content))
    return stream.getvalue()


def conda_of(parts: t.Sequence[tuple[str, bytes]]) -> bytes:
    from backports import zstd

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as whole:
        whole.writestr("metadata.json", '{"conda_pkg_format_version": 2}')
        for start, content in parts:
            whole.writestr("%s-app-1.0-0.tar.zst" % start, zstd.compress(content, 1))
    return stream.getvalue()
