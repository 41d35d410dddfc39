# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check that an env is complete and that nothing was left behind. Functions return lists of problems."""

from __future__ import annotations

import csv
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / ".collections"))

from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env.describe import Options, describe_env
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env.own_record import listing_sha256, read_record
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env.records import package_records

# CACHEDIR.TAG is rattler's.
_OURS = re.compile(r"(CACHEDIR\.TAG|conda-meta/(history|hpc_pytorch\.(record|modes)|[^/]+\.json))\Z")


def state_of(prefix: pathlib.Path) -> str:
    """The state that conda_env_info returns."""
    return str(describe_env(Options(str(prefix), None, "", False))["state"])


def not_whole(prefix: pathlib.Path, versions: dict[str, str]) -> list[str]:
    """Why *prefix* is not a complete env whose modules have these versions."""
    found = describe_env(Options(str(prefix), None, "", True))
    wrong = list(found["problems"]) + ["damaged: %s" % name for name in found["damaged"] + found["damaged_pip"]]
    if found["state"] != "env":
        return wrong + ["the state is %s" % found["state"]]
    if read_record(str(prefix)).get("listing_sha256") != listing_sha256(str(prefix)):
        wrong.append("the record does not match the packages")
    code = "import sys\nfor name in sys.argv[1:]: print(name, __import__(name).__version__)"
    ran = subprocess.run(
        [str(prefix / "bin/python"), "-IBc", code, *versions], cwd="/", capture_output=True, text=True, check=False
    )
    wanted = "".join("%s %s\n" % pair for pair in versions.items())
    if ran.stdout != wanted:
        wrong.append("its Python prints %r, not %r: %s" % (ran.stdout, wanted, ran.stderr.strip()[-200:]))
    unowned = sorted(_files(prefix) - _owned(prefix))
    if unowned:
        wrong.append("%d files belong to no package, such as %s" % (len(unowned), unowned[0]))
    return wrong


def leftovers(cache: pathlib.Path, parent: pathlib.Path, prefix: pathlib.Path) -> list[str]:
    """What killed runs left in the package cache, next to the env and in its conda-meta."""
    found = [path for path in cache.glob(".*") if path.name != ".cache.lock"]
    found += [path for path in parent.iterdir() if path != prefix]
    found += [path for path in (prefix / "conda-meta").iterdir() if not _OURS.match("conda-meta/" + path.name)]
    return ["left behind: %s" % path for path in sorted(found)]


def _files(prefix: pathlib.Path) -> set[str]:
    found = set()
    for folder, folders, names in os.walk(prefix):
        names += [name for name in folders if os.path.islink(os.path.join(folder, name))]
        # The module tells which files our compile step and pip write next to it.
        found |= {
            os.path.relpath(os.path.join(folder, name), prefix)
            for name in names
            if not (os.path.basename(folder) == "__pycache__" and _has_module(folder, name))
        }
    return found


def _has_module(folder: str, name: str) -> bool:
    return os.path.exists(os.path.join(os.path.dirname(folder), name.split(".")[0] + ".py"))


def _owned(prefix: pathlib.Path) -> set[str]:
    owned = {path for path in _files(prefix) if _OURS.match(path)}
    for meta in package_records(str(prefix)):
        owned |= {str(path) for path in meta.get("files") or []}
    for record in prefix.glob("lib/python3*/site-packages/*.dist-info/RECORD"):
        with open(record, newline="", encoding="utf-8") as stream:
            for row in csv.reader(stream):
                owned.add(os.path.relpath(os.path.normpath(record.parents[1] / row[0]), prefix))
    return owned
