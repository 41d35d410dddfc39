"""Reads an env as conda does, since conda itself is on no package index.

The fields and patterns are those of conda's own ``models/records.py`` (PrefixRecord), ``core/prefix_data.py``,
``history.py`` and ``core/envs_manager.py``, of conda 4.x to 25.x. Standard library only, and no import within
functions: a child process that has given up root runs this too.
"""

from __future__ import annotations

import ast
import csv
import email.parser
import fnmatch
import json
import os
import re
import typing as t

# Fields of PackageRecord and PrefixRecord: name, types, whether conda demands it.
FIELDS: tuple[tuple[str, t.Any, bool], ...] = (
    ("name", str, True),
    ("version", str, True),
    ("build", str, True),
    ("build_number", int, True),
    # Not demanded by type, but conda falls back to what it guesses from others.
    ("channel", str, True),
    ("subdir", str, True),
    ("fn", str, True),
    ("url", str, True),
    ("depends", list, False),
    ("constrains", list, False),
    ("files", list, True),
    ("paths_data", dict, True),
    ("link", dict, False),
    ("sha256", str, False),
    ("md5", str, False),
    ("size", int, False),
    ("timestamp", int, False),
    ("noarch", str, False),
    ("license", str, False),
    ("extracted_package_dir", str, False),
    ("package_tarball_full_path", str, False),
    ("requested_spec", str, False),
    ("requested_specs", list, False),
)
PATH_TYPES = {"hardlink", "softlink", "directory", "linked_package_record", "pyc_file", "unix_python_entry_point"}
SEPARATOR = re.compile(r"==>\s*(.+?)\s*<==")
COMMAND = re.compile(r"#\s*cmd:\s*(.+)")
SPECS = re.compile(r"#\s*(\w+)\s*specs:\s*(.+)?")
DIST = re.compile(
    r"(?P<channel>.+)/(?P<subdir>noarch|linux-64|linux-aarch64)::(?P<name>.+)-(?P<version>[^-]+)-(?P<build>[^-]+)"
)
ANCHORS = (".egg-info/PKG-INFO", ".dist-info/RECORD", ".egg-info")


def packages(prefix: str) -> dict[str, dict[str, t.Any]]:
    """``conda list``: every record by name."""
    found = {}
    folder = os.path.join(prefix, "conda-meta")
    for name in fnmatch.filter(os.listdir(folder), "*.json"):
        with open(os.path.join(folder, name), encoding="utf-8") as stream:
            record = json.load(stream)
        for field, kind, needed in FIELDS:
            assert field in record or not needed, "%s: no %s" % (name, field)
            value = record.get(field)
            assert value is None and not needed or isinstance(value, kind), "%s: %s is %r" % (name, field, value)
        assert tuple(name[: -len(".json")].rsplit("-", 2)) == (record["name"], record["version"], record["build"]), name
        assert record["url"].endswith("/%s/%s" % (record["subdir"], record["fn"])), record["url"]
        paths = record["paths_data"]
        assert isinstance(paths["paths_version"], int)
        for entry in paths["paths"]:
            assert isinstance(entry["_path"], str) and entry["path_type"] in PATH_TYPES, entry
            assert entry.get("file_mode") in (None, "text", "binary"), entry
        assert sorted(record["files"]) == sorted(entry["_path"] for entry in paths["paths"]), name
        found[record["name"]] = record
    return found


def history(prefix: str) -> tuple[set[str], dict[str, str]]:
    """``conda list --revisions``: the packages of the last revision; and the specs that a user requested."""
    state: set[str] = set()
    asked: dict[str, str] = {}
    started = False
    with open(os.path.join(prefix, "conda-meta", "history"), encoding="utf-8") as stream:
        lines = [line.strip() for line in stream.read().splitlines()]
    for line in filter(None, lines):
        if SEPARATOR.match(line):
            started = True
            continue
        assert started, "a line before the first date: %s" % line
        if line.startswith("#"):
            specs = SPECS.match(line)
            if specs:
                names = ast.literal_eval(specs.group(2))
                for spec in names:
                    name = re.split(r"[ =<>!~\[]", spec.rpartition("::")[2], maxsplit=1)[0]
                    if specs.group(1) == "remove":
                        asked.pop(name, None)
                    else:
                        assert specs.group(1) in ("update", "install", "create")
                        asked[name] = spec
            else:
                assert COMMAND.match(line), line
        else:
            assert line[0] in "+-" and DIST.fullmatch(line[1:]), line
            (state.add if line[0] == "+" else state.discard)(line[1:])
    return state, asked


def dist(record: t.Mapping[str, t.Any]) -> str:
    """A record as the history names it, for a channel that conda knows by no shorter name."""
    return "%s/%s::%s-%s-%s" % (
        record["channel"].rstrip("/"),
        record["subdir"],
        record["name"],
        record["version"],
        record["build"],
    )


def known_envs(home: str) -> list[str]:
    """``conda env list``: what environments.txt names and is an env, and the envs in ``~/.conda/envs``."""
    found = []
    catalog = os.path.join(home, ".conda", "environments.txt")
    if os.path.exists(catalog):
        with open(catalog, encoding="utf-8") as stream:
            found = [line.strip() for line in stream if line.strip() and not line.startswith("#")]
    envs = os.path.join(home, ".conda", "envs")
    found += [os.path.join(envs, name) for name in (os.listdir(envs) if os.path.isdir(envs) else [])]
    return sorted({path for path in found if os.path.isfile(os.path.join(path, "conda-meta", "history"))})


def pip_distributions(prefix: str) -> dict[str, dict[str, str]]:
    """The lines of ``conda list`` that come from ``<pip>``: name, version, installer of what no record owns."""
    records = packages(prefix)
    short = "lib/python%s/site-packages" % ".".join(records["python"]["version"].split(".")[:2])
    owned = {
        path
        for record in records.values()
        for path in record["files"]
        if path.endswith(ANCHORS) and "site-packages" in path
    }
    there = {
        "%s/%s/RECORD" % (short, name)
        for name in os.listdir(os.path.join(prefix, short))
        if name.endswith(".dist-info")
    }
    assert owned <= there, "conda drops a package whose anchor file is missing: %s" % (owned - there)
    found = {}
    for anchor in there - owned:
        folder = os.path.dirname(os.path.join(prefix, anchor))
        with open(os.path.join(folder, "METADATA"), encoding="utf-8") as stream:
            message = email.parser.Parser().parse(stream, headersonly=True)
        with open(os.path.join(prefix, anchor), newline="", encoding="utf-8") as stream:
            for path, digest, _unused in csv.reader(stream):
                assert os.path.lexists(os.path.join(prefix, short, path)) and (
                    not digest or digest.startswith("sha256=")
                ), path
        with open(os.path.join(folder, "INSTALLER"), encoding="utf-8") as stream:
            installer = stream.read().strip()
        found[str(message["Name"])] = {"version": str(message["Version"]), "installer": installer}
    return found
