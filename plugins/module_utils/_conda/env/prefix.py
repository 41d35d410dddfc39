# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies in a prefix: its packages, our record of how it came about, the mark of an unfinished change.

Reads and writes below one prefix only. Private to hpc.pytorch.

The two files of ours in ``conda-meta`` do not end in ``.json``, since conda takes every such file for a package.
"""

from __future__ import annotations

import json
import os
import stat
import time
import typing as t

from ..._common.errors import UserError
from ..._common.files import open_regular, sha256_of_json, umask, write_atomically
from ..._common.redact import has_credentials, without_credentials
from .packages import Package
from .request import Request

RECORD = "conda-meta/hpc_pytorch.record"
CHANGING = "conda-meta/hpc_pytorch.changing"

# conda's history calls these by name; by another name it would take every package for a changed one.
_NAMED_CHANNELS = (
    ("https://conda.anaconda.org/", ""),
    ("https://repo.anaconda.com/pkgs/main/", "defaults/"),
    ("https://repo.anaconda.com/pkgs/r/", "defaults/"),
)


def kind_of(prefix: str) -> str:
    """``absent``, ``empty`` (a folder without entries), ``env``, ``unfinished`` (marked), or ``other``."""
    if not os.path.lexists(prefix):
        return "absent"
    if os.path.isdir(os.path.join(prefix, "conda-meta")):
        return "unfinished" if os.path.exists(os.path.join(prefix, CHANGING)) else "env"
    if os.path.isdir(prefix) and not os.listdir(prefix):
        return "empty"
    return "other"


def is_base(prefix: str) -> bool:
    """Whether *prefix* is a base: conda itself lives there, or what lets shells activate envs."""
    return any(
        os.path.exists(os.path.join(prefix, path)) for path in ("condabin", "bin/conda", "etc/profile.d/conda.sh")
    )


def installed_packages(prefix: str) -> list[Package]:
    """The packages that ``conda-meta`` lists, by name.

    :raises UserError: a record that cannot be read.
    """
    return sorted(package_of(meta) for meta in package_records(prefix))


def package_records(prefix: str) -> t.Iterator[dict[str, t.Any]]:
    """Each ``conda-meta/*.json`` as it stands."""
    folder = os.path.join(prefix, "conda-meta")
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".json"):
            continue
        path = os.path.join(folder, name)
        try:
            with open_regular(path) as stream:
                meta = json.load(stream)
            if not isinstance(meta, dict):
                raise ValueError("no mapping")
        except (OSError, ValueError) as error:
            raise UserError(
                "a package record at %s" % path,
                str(error),
                "make it readable (chmod a+r), or remove the file and run conda_env again to install that package anew",
            ) from error
        yield meta


def package_of(meta: t.Mapping[str, t.Any]) -> Package:
    """The package that a ``conda-meta`` record describes."""
    return Package(
        name=str(meta.get("name", "")),
        version=str(meta.get("version", "")),
        build=str(meta.get("build", meta.get("build_string", ""))),
        channel=without_credentials(str(meta.get("channel", "") or "")),
        url=without_credentials(str(meta.get("url", "") or "")),
    )


def listing_sha256(prefix: str) -> str:
    """Hash of which packages are there, by conda's records and by pip's. Reads two folders and no file."""
    found: list[tuple[str, int]] = []
    with os.scandir(os.path.join(prefix, "conda-meta")) as entries:
        found.extend((entry.name, entry.stat().st_size) for entry in entries if entry.name.endswith(".json"))
    for folder in site_packages_folders(prefix):
        with os.scandir(folder) as entries:
            found.extend((entry.name, -1) for entry in entries if entry.name.endswith((".dist-info", ".egg-info")))
    return sha256_of_json(sorted(found))


def site_packages_folders(prefix: str) -> list[str]:
    """The env's ``lib/pythonX.Y/site-packages``; none where it holds no Python."""
    lib = os.path.join(prefix, "lib")
    try:
        names = sorted(name for name in os.listdir(lib) if name.startswith(("python3", "python2")))
    except OSError:
        return []
    folders = (
        os.path.join(lib, name, "site-packages") for name in names if not os.path.islink(os.path.join(lib, name))
    )
    return [folder for folder in folders if os.path.isdir(folder)]


def read_record(prefix: str) -> dict[str, t.Any]:
    """Our record, or an empty one where there is none that can be read."""
    try:
        with open_regular(os.path.join(prefix, RECORD)) as stream:
            record = json.load(stream)
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def write_record(prefix: str, request: Request, engine: str, packages: t.Iterable[Package]) -> None:
    """Remember that this request led to what now lies in *prefix*."""
    record = {
        "request_sha256": request.sha256(),
        "compiled": request.compiled,
        "listing_sha256": listing_sha256(prefix),
        "engine": engine,
        "packages": [package.as_result() for package in sorted(packages)],
    }
    content = json.dumps(record, indent=1, sort_keys=True) + "\n"
    write_atomically(os.path.join(prefix, RECORD), content.encode())


def unchanged(prefix: str, request_sha256: str) -> dict[str, t.Any] | None:
    """Our record when it says that this very request led to what lies here, else None. No engine needed."""
    if kind_of(prefix) != "env":
        return None
    record = read_record(prefix)
    if record.get("request_sha256") != request_sha256 or record.get("listing_sha256") != listing_sha256(prefix):
        return None
    return record


def claim(prefix: str) -> None:
    """Make an env without packages, marked as being changed, for an engine that needs one.

    :raises OSError: somebody else did.
    """
    # Of two runs one makes this folder.
    os.makedirs(os.path.join(prefix, "conda-meta"))
    mark_changing(prefix)
    with open(os.path.join(prefix, "conda-meta", "history"), "x", encoding="utf-8"):
        pass


def mark_changing(prefix: str) -> None:
    """From here until :func:`clear_changing`, everything of ours refuses the env."""
    note = "being changed since %s; run hpc.pytorch.conda_env again to mend it\n" % time.strftime(
        "%Y-%m-%d %H:%M:%S %z"
    )
    write_atomically(os.path.join(prefix, CHANGING), note.encode())


def clear_changing(prefix: str) -> None:
    """The env is whole."""
    os.unlink(os.path.join(prefix, CHANGING))


def make_readable_records(prefix: str) -> None:
    """Let other users' ``conda list`` read the records, and take credentials out of them.

    rattler writes them 0600 whatever the umask, with the channel's URL as it was used.
    """
    mask = umask()
    folder = os.path.join(prefix, "conda-meta")
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        status = os.lstat(path)
        # In an env that a group shares, the others' records are theirs to open.
        if name.endswith(".json") and stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid():
            if stat.S_IMODE(status.st_mode) | 0o644 & ~mask != stat.S_IMODE(status.st_mode):
                os.chmod(path, stat.S_IMODE(status.st_mode) | 0o644 & ~mask)
            with open(path, encoding="utf-8") as stream:
                text = stream.read()
            if has_credentials(" ".join(_strings_with_address(text))):
                write_atomically(path, _record_without_credentials(text).encode())


# From an explicit file conda takes these out of the archive, without the channel's later corrections; libmamba 2.1.1 to 2.3.2
# leaves them empty (mamba-org/mamba#4052, #4070).
_FROM_CHANNEL = (
    "depends",
    "constrains",
    "license",
    "timestamp",
    "size",
    "noarch",
    "track_features",
    "build_number",
    "md5",
    "sha256",
)


def complete_record(prefix: str, solved: t.Mapping[str, t.Any]) -> None:
    """Write what the channel says of a package into its record, where an engine that read a list of addresses did not."""
    path = os.path.join(prefix, "conda-meta", "%s-%s-%s.json" % (solved["name"], solved["version"], solved["build"]))
    try:
        with open(path, encoding="utf-8") as stream:
            record = json.load(stream)
    except (OSError, ValueError):
        # Whether the right packages are there is looked at next.
        return
    told = {key: solved[key] for key in _FROM_CHANNEL if solved.get(key) not in (None, "")}
    if {key: record.get(key) for key in told} != told:
        write_atomically(path, (json.dumps(dict(record, **told), indent=2) + "\n").encode())


def _strings_with_address(text: str) -> t.Iterator[str]:
    # A record of a large package has megabytes of paths; patterns over all of it would take longer than the rest of a creation.
    at = text.find("://")
    while at != -1:
        end = text.find('"', at)
        yield text[text.rfind('"', 0, at) + 1 : end if end != -1 else len(text)]
        at = text.find("://", max(end, at + 3))


def _record_without_credentials(text: str) -> str:
    meta = json.loads(text)
    for key in ("url", "channel", "requested_spec"):
        if isinstance(meta.get(key), str):
            meta[key] = without_credentials(meta[key])
    if isinstance(meta.get("requested_specs"), list):
        meta["requested_specs"] = [without_credentials(str(spec)) for spec in meta["requested_specs"]]
    return json.dumps(meta, indent=2) + "\n"


def append_history(
    prefix: str, before: t.Collection[Package], after: t.Collection[Package], specs: t.Sequence[str]
) -> None:
    """Add a revision in the form that conda reads (``conda list --revisions``, its own solver's memory)."""
    old, new = {_dist(package) for package in before}, {_dist(package) for package in after}
    lines = [time.strftime("==> %Y-%m-%d %H:%M:%S <=="), "# cmd: hpc.pytorch.conda_env"]
    lines += ["-%s" % dist for dist in sorted(old - new)] + ["+%s" % dist for dist in sorted(new - old)]
    gone = {package.name for package in before} - {package.name for package in after}
    if gone:
        # Or conda would bring back what was once asked for.
        lines.append("# remove specs: %s" % json.dumps(sorted(gone)))
    if specs:
        lines.append("# update specs: %s" % json.dumps([without_credentials(spec) for spec in specs]))
    with open(os.path.join(prefix, "conda-meta", "history"), "a", encoding="utf-8") as stream:
        stream.write("\n".join(lines) + "\n")


def _dist(package: Package) -> str:
    folder = package.url.rsplit("/", 1)[0] if "/" in package.url else package.channel.rstrip("/")
    for address, name in _NAMED_CHANNELS:
        if folder.startswith(address):
            folder = name + folder[len(address) :]
    return "%s::%s-%s-%s" % (folder, package.name, package.version, package.build)
