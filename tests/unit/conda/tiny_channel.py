"""Small real conda packages and channels for tests: real archives, real index, no fakes."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import pathlib
import tarfile
from collections.abc import Mapping, Sequence

PLACEHOLDER = "/opt/placeholder_" + "x" * 80


def make_package(
    channel: pathlib.Path,
    name: str,
    version: str = "1.0",
    *,
    build: str = "0",
    build_number: int = 0,
    depends: Sequence[str] = (),
    files: Mapping[str, str] | None = None,
    subdir: str = "linux-64",
    noarch: str | None = None,
) -> pathlib.Path:
    """Write ``NAME-VERSION-BUILD.tar.bz2`` and return its path. Text files may hold PLACEHOLDER."""
    contents = dict(files if files is not None else {"share/%s.txt" % name: "%s %s\n" % (name, version)})
    index = {
        "name": name,
        "version": version,
        "build": build,
        "build_number": build_number,
        "depends": list(depends),
        "subdir": subdir,
        "timestamp": 1700000000000,
        "license": "MIT",
    }
    if noarch:
        index["noarch"] = noarch
    paths = []
    for path, text in sorted(contents.items()):
        entry = {
            "_path": path,
            "path_type": "hardlink",
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "size_in_bytes": len(text.encode()),
        }
        if PLACEHOLDER in text:
            entry.update(prefix_placeholder=PLACEHOLDER, file_mode="text")
        paths.append(entry)
    members = {
        "info/index.json": json.dumps(index),
        "info/paths.json": json.dumps({"paths": paths, "paths_version": 1}),
        "info/files": "\n".join(sorted(contents)) + "\n",
        **contents,
    }
    folder = channel / subdir
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / ("%s-%s-%s.tar.bz2" % (name, version, build))
    with tarfile.open(archive, "w:bz2") as tar:
        for path, text in members.items():
            info = tarfile.TarInfo(path)
            info.size = len(text.encode())
            info.mode = 0o755 if path.startswith("bin/") else 0o644
            info.mtime = 1700000000
            tar.addfile(info, io.BytesIO(text.encode()))
    return archive


def index(channel: pathlib.Path) -> pathlib.Path:
    """(Re)write the channel's repodata with py-rattler."""
    from rattler.index import index_fs

    for subdir in ("noarch", "linux-64"):
        (channel / subdir).mkdir(parents=True, exist_ok=True)
    asyncio.run(index_fs(channel))
    return channel
