"""Stands in for conda or mamba at the outermost edge: their command line and output around py-rattler.

What it prints has the form of the golden files in ``golden/cli``; what it solves, links and unlinks is real. It behaves
badly where the real ones do. Each writes every address into the history, and with its credentials into the package
cache. As conda it takes a folder with ``info/index.json`` for an unpacked package, makes it look so, and fails when it
links a half one; its classic solver (``CONDA_SOLVER``) updates what is not in the history. As mamba it leaves
``depends`` empty in records of explicit packages, starts the Python of a prefix that has a record of pip, and does not
say with ``--json`` which spec it cannot satisfy.

Called as ``fake_conda.py KIND LOG ARGUMENTS``; each call appends its arguments, variables, open files and the records
of the prefix to LOG.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import traceback
import urllib.parse
import urllib.request

import rattler
import rattler.package_streaming

KIND, LOG = sys.argv[1:3]
ARGUMENTS = sys.argv[3:]
CACHE = pathlib.Path(os.environ.get("CONDA_PKGS_DIRS") or pathlib.Path.home() / "fake-pkgs")


def option(name: str, default: str = "") -> str:
    return ARGUMENTS[ARGUMENTS.index(name) + 1] if name in ARGUMENTS else default


def words() -> list[str]:
    """The arguments that are neither options nor their values."""
    found, skip = [], False
    for argument in ARGUMENTS[1:]:
        if skip:
            skip = False
        elif argument in ("--prefix", "--channel", "--file"):
            skip = True
        elif not argument.startswith("--"):
            found.append(argument)
    return found


def say(document: object) -> None:
    print(json.dumps(document, indent=2))


def fail(name: str, message: str) -> None:
    if KIND == "conda":
        say({"caused_by": "None", "error": "%s: %s" % (name, message), "exception_name": name, "message": message})
    else:
        reason = (
            "" if "--json" in ARGUMENTS else "\n    The following package could not be installed\n    └─ " + message
        )
        print("critical libmamba Could not solve for environment specs" + reason, file=sys.stderr)
    sys.exit(1)


def fail_without_channel(urls: list[str]) -> None:
    if KIND == "conda":
        fail("UnavailableInvalidChannel", "HTTP 404 UNAVAILABLE OR INVALID for channel %s" % urls[0])
    errors = ["    Subdir %s/noarch not loaded!\n" % url for url in urls]
    print("critical libmamba Multiple errors occurred:\n" + "".join(errors), file=sys.stderr)
    sys.exit(1)


def fail_with_errors(messages: list[str]) -> None:
    """As conda does if several packages cannot be linked."""
    errors = [
        {"error": message, "exception_name": "CondaVerificationError", "message": message} for message in messages
    ]
    say({"error": "Multiple Errors Encountered.\n", "errors": errors, "exception_name": "CondaMultiError"})
    sys.exit(1)


def inspect_distributions(prefix: str) -> None:
    """As libmamba does whenever it reads a prefix (PrefixData::load_site_packages)."""
    if KIND == "conda" or not list(pathlib.Path(prefix).glob("conda-meta/pip-*.json")):
        return
    python = shutil.which("python", path=os.path.join(prefix, "bin")) or ""
    command = [python, "-q", "-m", "pip", "inspect", "--local"]
    try:
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError as error:
        print(
            "critical libmamba failed to run python command :\n  error: %s\n  command ran: %s\n-> output:\n\n"
            % (error.strerror, " ".join(command)),
            file=sys.stderr,
        )
        sys.exit(1)


def channel_url(name: str) -> str:
    condarc = os.environ.get("CONDARC")
    custom = json.loads(pathlib.Path(condarc).read_text())["custom_channels"] if condarc else {}
    return custom[name] + "/" + name if name in custom else name


def installed(prefix: str) -> list:
    return [rattler.PrefixRecord.from_path(path) for path in sorted(pathlib.Path(prefix, "conda-meta").glob("*.json"))]


def whole(record) -> dict:
    """As mamba prints a record, and conda one in FETCH."""
    channel, unused, filename = record.url.rpartition("/")
    return {
        "build": str(record.build),
        "build_number": record.build_number,
        "build_string": str(record.build),
        "channel": channel,
        "constrains": None,
        "depends": list(record.depends) or None,
        "fn": filename,
        "license": "None",
        "md5": (record.md5 or b"").hex(),
        "name": record.name.normalized,
        "sha256": (record.sha256 or b"").hex(),
        "size": record.size,
        "subdir": record.subdir,
        "timestamp": 1700000000000,
        "track_features": "",
        "url": record.url,
        "version": str(record.version),
    }


def short(record) -> dict:
    """As conda prints a record in LINK and UNLINK."""
    base, subdir, unused = record.url.rsplit("/", 2)
    return {
        "base_url": base,
        "build_number": record.build_number,
        "build_string": str(record.build),
        "channel": base.rsplit("/", 1)[1],
        "dist_name": "%s-%s-%s" % (record.name.normalized, record.version, record.build),
        "name": record.name.normalized,
        "platform": subdir,
        "version": str(record.version),
    }


def folder_of(record) -> pathlib.Path:
    """Where the package cache has it."""
    return CACHE / short(record)["dist_name"]


def listed(folder: pathlib.Path) -> list[str]:
    return [entry["_path"] for entry in json.loads((folder / "info/paths.json").read_text())["paths"]]


def is_cached(record) -> bool:
    folder = folder_of(record)
    if KIND == "conda":
        return (folder / "info/index.json").exists()
    whole_lists = all((folder / "info" / name).exists() for name in ("repodata_record.json", "paths.json"))
    return whole_lists and all((folder / path).exists() for path in listed(folder))


def write_cache_record(record) -> None:
    (folder_of(record) / "info/repodata_record.json").write_text(json.dumps(whole(record)))
    with open(CACHE / "urls.txt", "a") as stream:
        stream.write(record.url + "\n")
    if KIND == "conda":
        # What conda does with channels that have shards.
        (CACHE / "cache").mkdir(exist_ok=True)
        with contextlib.closing(sqlite3.connect(CACHE / "cache/repodata_shards.db")) as database:
            database.execute("CREATE TABLE IF NOT EXISTS shards (url TEXT PRIMARY KEY, package TEXT, shard BLOB)")
            database.execute("INSERT OR REPLACE INTO shards VALUES (?, ?, ?)", (record.url, record.file_name, b""))
            database.commit()


def load_cache() -> None:
    """conda completes each folder that has an info/index.json (PackageCacheData._make_single_record)."""
    for index in CACHE.glob("*/info/index.json") if KIND == "conda" else ():
        path = index.with_name("repodata_record.json")
        if not path.exists():
            name = index.parents[1].name
            (url,) = {url for url in (CACHE / "urls.txt").read_text().split() if "/%s." % name in url}
            channel, unused, filename = url.rpartition("/")
            archive = CACHE / filename
            known = {"md5": hashlib.md5(archive.read_bytes()).hexdigest()} if archive.exists() else {}
            record = dict(json.loads(index.read_text()), url=url, channel=channel, fn=filename, **known)
            path.write_text(json.dumps(record))


def unpack(record, digest: str) -> None:
    """Download and unpack a package into the cache, as all three do."""
    archive = CACHE / record.file_name
    CACHE.mkdir(parents=True, exist_ok=True)
    archive.write_bytes(downloaded(record.url))
    if digest.rpartition(":")[2] != hashlib.sha256(archive.read_bytes()).hexdigest():
        fail("ChecksumMismatchError", "Conda detected a mismatch for %s" % record.url)
    shutil.rmtree(folder_of(record), ignore_errors=True)
    rattler.package_streaming.extract(str(archive), str(folder_of(record)))
    write_cache_record(record)


def downloaded(url: str) -> bytes:
    parts = urllib.parse.urlsplit(url)
    request = urllib.request.Request(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl())
    if parts.username:
        login = "%s:%s" % (parts.username, urllib.parse.unquote(parts.password or ""))
        request.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def verify(records: list) -> None:
    """conda checks only whether each listed file exists."""
    if KIND == "conda":
        lost = [(record, path) for record in records for path in listed(folder_of(record))]
        lost = [(record, path) for record, path in lost if not os.path.lexists(folder_of(record) / path)]
        messages = [
            "The package for %s located at %s\nappears to be corrupted. The path '%s'\nspecified in the package "
            "manifest cannot be found.\n" % (record.name.normalized, folder_of(record), path)
            for record, path in lost
        ]
        if messages:
            fail_with_errors(messages)


def requested_before(prefix: str) -> set[str]:
    """The names in the history's last line of specs."""
    lines = pathlib.Path(prefix, "conda-meta/history").read_text().splitlines()
    specs = [json.loads(line.partition(": ")[2]) for line in lines if line.startswith("# update specs")]
    return {rattler.MatchSpec(spec).name.normalized for spec in specs[-1]} if specs else set()


async def solve(prefix: str) -> None:
    urls = [channel_url(ARGUMENTS[index + 1]) for index, word in enumerate(ARGUMENTS) if word == "--channel"]
    before = installed(prefix)
    locked = before
    if os.environ.get("CONDA_SOLVER") == "classic":
        asked = {rattler.MatchSpec(spec).name.normalized for spec in words()} - requested_before(prefix)
        locked = [record for record in before if record.name.normalized not in asked]
    overrides = rattler.VirtualPackageOverrides.from_env()
    # Not kept: py-rattler takes the 304 of a plain server for an error.
    gateway = rattler.Gateway(cache_dir=pathlib.Path(tempfile.mkdtemp(dir=pathlib.Path.home())))
    try:
        after = await rattler.solve(
            [rattler.Channel(url) for url in urls],
            [rattler.MatchSpec(spec) for spec in words()],
            gateway=gateway,
            locked_packages=locked,
            virtual_packages=rattler.VirtualPackage.detect(overrides),
        )
    except Exception as error:
        if "could not find subdir" in str(error):
            fail_without_channel(urls)
        fail("LibMambaUnsatisfiableError", str(error))
    old, new = {record.url: record for record in before}, {record.url: record for record in after}
    kept = {record.name.normalized for record in before if record.url in new}
    # The tools remove only what they are asked to remove.
    names = {record.name.normalized for record in after}
    unlink = [record for url, record in old.items() if url not in new and record.name.normalized in names]
    link = [record for url, record in new.items() if url not in old]
    assert not kept & {record.name.normalized for record in link}
    form = short if KIND == "conda" else whole
    actions = {
        "LINK": [form(record) for record in link],
        "UNLINK": [form(record) for record in unlink],
        "PREFIX": prefix,
    }
    actions["FETCH"] = [whole(record) for record in link if not is_cached(record)]
    if link or unlink:
        say(
            {
                "actions": {key: value for key, value in actions.items() if value},
                "dry_run": True,
                "prefix": prefix,
                "success": True,
            }
        )
    elif KIND == "conda":
        say({"message": "All requested packages already installed.", "success": True})


async def record_at(url: str):
    channel, subdir, filename = url.rsplit("/", 2)
    name = filename.rsplit("-", 2)[0]
    with tempfile.TemporaryDirectory() as folder:
        gateway = rattler.Gateway(cache_dir=pathlib.Path(folder))
        found = await gateway.query([rattler.Channel(channel)], [rattler.Subdir(subdir)], [name], recursive=False)
    return next(record for records in found for record in records if record.file_name == filename)


async def lay_down(records: list, prefix: str) -> None:
    await rattler.install(
        records, prefix, package_cache=rattler.PackageCache(str(CACHE) + "-links"), show_progress=False
    )


async def install_explicit(prefix: str) -> None:
    lines = [
        line for line in pathlib.Path(option("--file")).read_text().splitlines() if not line.startswith(("@", "#"))
    ]
    records = []
    for line in lines:
        url, unused, digest = line.partition("#")
        record = await record_at(url)
        if not is_cached(record):
            unpack(record, digest)
        records.append(record)
    verify(records)
    if KIND != "conda" and "--download-only" in ARGUMENTS:
        return
    before = installed(prefix)
    await lay_down(before + records, prefix)
    with open(os.path.join(prefix, "conda-meta/history"), "a") as stream:
        stream.write("==> 2026-01-01 00:00:00 <==\n# update specs: %s\n" % json.dumps(lines))
    for record in records if KIND != "conda" else ():
        path = pathlib.Path(prefix, "conda-meta", short(record)["dist_name"] + ".json")
        path.write_text(json.dumps(dict(json.loads(path.read_text()), depends=[])))


def main() -> None:
    with open(LOG, "a") as stream:
        opened = [os.readlink(path) for path in pathlib.Path("/proc/self/fd").iterdir() if os.path.lexists(path)]
        records = sorted(path.name for path in pathlib.Path(option("--prefix")).glob("conda-meta/*.json"))
        call = {"argv": ARGUMENTS, "variables": dict(os.environ), "opened": opened, "records": records}
        stream.write(json.dumps(call) + "\n")
    load_cache()
    if ARGUMENTS[0] == "info":
        say({"pkgs_dirs" if KIND == "conda" else "package cache": [str(CACHE)]})
        return
    inspect_distributions(option("--prefix"))
    if ARGUMENTS[0] == "remove":
        prefix, leaving = option("--prefix"), words()
        asyncio.run(lay_down([record for record in installed(prefix) if record.name.normalized not in leaving], prefix))
        say({"success": True})
    elif "--dry-run" in ARGUMENTS:
        asyncio.run(solve(option("--prefix")))
    else:
        asyncio.run(install_explicit(option("--prefix")))


try:
    main()
    status = 0
except SystemExit as ended:
    status = int(ended.code or 0)
except Exception:
    traceback.print_exc()
    status = 1
sys.stdout.flush()
# Without Python's own end, during which py-rattler's threads may still call into it.
os._exit(status)
