# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write roles/conda/files/engine-lock.txt: the engine's packages and what they need, with the hashes of their wheels.

    .venv/bin/python tools/lock_engine.py

Run it after a change of engine-requirements.txt. pip chooses the versions for each Python that the engine runs on; the
hashes are those that the package index publishes for every wheel for Linux on x86_64 and aarch64. A site's mirror has
the same files. Needs the index.
"""

from __future__ import annotations

import importlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import typing as t
import urllib.request

FILES = pathlib.Path(__file__).resolve().parents[1] / "roles/conda/files"
REQUIREMENTS, LOCK = FILES / "engine-requirements.txt", FILES / "engine-lock.txt"
_SUPPORTED = dict(re.findall(r"(?m)^(\w+)=3\.(\d+)$", pathlib.Path(__file__).with_name("pythons.env").read_text()))
PYTHONS = ["3.%d" % each for each in range(int(_SUPPORTED["ENGINE_OLDEST"]), int(_SUPPORTED["ENGINE_NEWEST"]) + 1)]
MACHINES = ("x86_64", "aarch64")
# pip's own default has no other name.
INDEX = (
    os.environ.get("PIP_INDEX_URL") or importlib.import_module("pip._internal.models.index").PyPI.simple_url
).rstrip("/")
_WHEEL = re.compile(
    r"(?P<name>[^-]+)-(?P<version>[^-]+)(-\d[^-]*)?-(?P<python>[^-]+)-(?P<abi>[^-]+)-(?P<platform>[^-]+)\.whl\Z"
)
HEAD = """# Written by tools/lock_engine.py from engine-requirements.txt. Do not edit.
# What the engine's venv holds (one per site, conda_engine_prefix), with what that needs, for Python %s on
# %s. The hashes are those of the wheels on the package index; a mirror has the same files.
"""


def resolved(python: str, machine: str) -> dict[str, str]:
    """Name and version of each package that pip chooses for that Python and machine."""
    platforms = ["manylinux_2_28", "manylinux_2_17", "manylinux2014", "manylinux_2_5", "manylinux1"]
    command = [
        sys.executable,
        "-I",
        "-m",
        "pip",
        "install",
        "--dry-run",
        "--ignore-installed",
        "--quiet",
        "--report",
        "-",
    ]
    command += ["--only-binary=:all:", "--target", tempfile.gettempdir() + "/none", "--python-version", python]
    command += ["--implementation", "cp", "--abi", "cp" + python.replace(".", ""), "--abi", "abi3", "--abi", "none"]
    for platform in platforms:
        command += ["--platform", "%s_%s" % (platform, machine)]
    done = subprocess.run([*command, "--requirement", str(REQUIREMENTS)], stdout=subprocess.PIPE, check=True)
    metadata = [each["metadata"] for each in json.loads(done.stdout)["install"]]
    return {canonical(each["name"]): each["version"] for each in metadata}


def canonical(name: str) -> str:
    """The name as the index spells it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def wheels_of(name: str) -> list[dict[str, t.Any]]:
    """The files of a project on the index (PEP 691)."""
    accept = {"Accept": "application/vnd.pypi.simple.v1+json"}
    with urllib.request.urlopen(urllib.request.Request("%s/%s/" % (INDEX, name), headers=accept)) as answer:
        return t.cast("list[dict[str, t.Any]]", json.load(answer)["files"])


def fits(filename: str, name: str, version: str) -> bool:
    """Whether the file is a wheel of that release for CPython on Linux."""
    match = _WHEEL.match(filename)
    if not match or canonical(match["name"]) != name or match["version"] != version:
        return False
    ours = {"py3", *("cp" + python.replace(".", "") for python in PYTHONS)}
    # A t at the end: a Python without the global lock.
    if match["abi"].endswith("t") or match["abi"] != "abi3" and not ours & set(match["python"].split(".")):
        return False
    platform = match["platform"]
    return platform == "any" or ("linux" in platform and any(machine in platform for machine in MACHINES))


def main() -> None:
    found: dict[str, dict[str, list[str]]] = {}
    for python in PYTHONS:
        for machine in MACHINES:
            for name, version in resolved(python, machine).items():
                found.setdefault(name, {}).setdefault(version, []).append(python)
    text = HEAD % (", ".join(PYTHONS), " and ".join(MACHINES))
    for name, versions in sorted(found.items()):
        files = wheels_of(name)
        for version, pythons in sorted(versions.items()):
            marker = marker_of(sorted(set(pythons), key=PYTHONS.index))
            hashes = sorted(each["hashes"]["sha256"] for each in files if fits(each["filename"], name, version))
            if not hashes:
                raise SystemExit("no wheel of %s %s on %s" % (name, version, INDEX))
            text += "%s==%s%s" % (name, version, marker)
            text += "".join(" \\\n    --hash=sha256:%s" % digest for digest in hashes) + "\n"
    LOCK.write_text(text)


def marker_of(pythons: t.Sequence[str]) -> str:
    """The condition for those Pythons; empty for all."""
    if list(pythons) == list(PYTHONS):
        return ""
    return " ; " + " or ".join('python_version == "%s"' % python for python in pythons)


if __name__ == "__main__":
    main()
