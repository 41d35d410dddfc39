# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report on the controller, written by root: not where another user can write, and never waiting for a fifo."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import typing as t

import pytest

RUN = pathlib.Path(__file__).with_name("run_report.py")
# What mallory does, what root has done, and the folder of the report. {p} is root's, {s} sticky, {m} hers.
FOLDERS = {
    "her home": ("", "", "{m}"),
    "a new folder in her home": ("", "", "{m}/report"),
    "her folder with a report": ("mkdir '{m}/r' && echo '{{}}' > '{m}/r/report.json'", "", "{m}/r"),
    "her link": ("ln -s '{t}' '{s}/l'", "", "{s}/l"),
    "a new folder below her link": ("ln -s '{t}' '{s}/l'", "", "{s}/l/report"),
    "her dangling link": ("ln -s '{t}/new' '{s}/l'", "", "{s}/l"),
    "her folder in a sticky one": ("mkdir '{s}/r'", "", "{s}/r"),
    "a sticky folder": ("", "", "{s}"),
    "a new folder in a sticky one": ("", "", "{s}/r"),
    "root's link to hers": ("", "ln -s '{m}' '{p}/l'", "{p}/l"),
    "everybody's": ("", "mkdir '{p}/r' && chmod 777 '{p}/r'", "{p}/r"),
    "a group's": ("", "mkdir '{p}/r' && chgrp nogroup '{p}/r' && chmod 775 '{p}/r'", "{p}/r"),
    "a fifo": ("", "mkdir '{p}/r' && mkfifo '{p}/r/report.json'", "{p}/r"),
    "a fifo as the page": ("", "mkdir '{p}/r' && mkfifo '{p}/r/report.html'", "{p}/r"),
    "a device": ("", "mkdir '{p}/r' && ln -s /dev/zero '{p}/r/report.json'", "{p}/r"),
    "a device as the page": ("", "mkdir '{p}/r' && ln -s /dev/zero '{p}/r/report.html'", "{p}/r"),
    "her link as the report": (
        "",
        "mkdir '{p}/r' && ln -s '{t}/passwd' '{p}/r/report.json' && chown -h {uid} '{p}/r/report.json'",
        "{p}/r",
    ),
    "her link as the page": (
        "",
        "mkdir '{p}/r' && ln -s '{t}/passwd' '{p}/r/report.html' && chown -h {uid} '{p}/r/report.html'",
        "{p}/r",
    ),
    "a folder as the report": ("", "mkdir -p '{p}/r/report.json'", "{p}/r"),
    "a sparse file": ("", "mkdir '{p}/r' && truncate -s 1T '{p}/r/report.json'", "{p}/r"),
    "a deep JSON": ("", "mkdir '{p}/r' && head -c 200000 /dev/zero | tr '\\0' '[' > '{p}/r/report.json'", "{p}/r"),
    "a file instead of a folder": ("", ": > '{p}/r'", "{p}/r"),
}


def run(folder: str) -> dict[str, t.Any]:
    done = subprocess.run(
        [sys.executable, str(RUN), folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A fifo that is waited for is found by this, and nothing else is.
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return t.cast("dict[str, t.Any]", json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("name", FOLDERS)
def test_a_report_is_refused(place, scratch, mallory, treasure, name):
    hers, roots, folder = FOLDERS[name]
    words = {"p": place, "s": scratch, "m": mallory.home, "t": treasure.path.parent, "uid": mallory.uid}
    mallory.does(hers.format(**words) or ":")
    subprocess.run(["/bin/sh", "-euc", roots.format(**words) or ":"], check=True)
    before = sorted(str(path) for path in place.rglob("*"))
    answer = run(folder.format(**words))
    assert "torch_check_report_dir" in answer["refused"] and "become_user" not in answer["refused"], answer
    assert treasure.is_untouched() and sorted(str(path) for path in place.rglob("*")) == before


@pytest.mark.parametrize("kind", ["missing", "root's link", "closed", "setgid", "with blanks"])
def test_a_report_is_written_in_a_healthy_place(place, kind, closed_umask):
    folder = place / ("my report" if kind == "with blanks" else "report")
    if kind == "root's link":
        (place / "data").mkdir()
        folder.symlink_to("data")
    elif kind != "missing":
        folder.mkdir()
        folder.chmod({"closed": 0o700, "setgid": 0o2775, "with blanks": 0o755}[kind])
    for _time in range(2):
        assert run(str(folder)) == {"wrote": ["report.html", "report.json"]}
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o644}
