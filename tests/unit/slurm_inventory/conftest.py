# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scontrol that prints what one printed, and an ssh that runs what it is given on this machine."""

from __future__ import annotations

import pathlib

import pytest

DATA = pathlib.Path(__file__).resolve().parents[1] / "slurm" / "data"


@pytest.fixture
def recorded():
    """The text of a release."""
    return lambda release: (DATA / ("%s.txt" % release)).read_text(encoding="utf-8")


@pytest.fixture
def commands(tmp_path, monkeypatch, recorded):
    """A folder with scontrol and ssh, first on PATH; what they were called with is in the file calls."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (tmp_path / "output").write_text(recorded("25.11"), encoding="utf-8")
    for name, body in {
        # Each of the three asks for one part.
        "scontrol": 'case "$*" in *config) sed -n "/^Conf/,/^Slurmctld(/p";;'
        ' *partition) sed -n "/^Part/,/^Node/p" | sed "/^Node/d";;'
        ' *node) sed -n "/^Node/,\\$p";; esac < %s/output' % tmp_path,
        # The other side's shell gets one string, as sshd hands it over.
        "ssh": 'for word in "$@"; do last=$word; done; exec sh -c "$last"',
    }.items():
        (folder / name).write_text('#!/bin/sh\nprintf "%%s\\n" "%s $*" >> %s/calls\n%s\n' % (name, tmp_path, body))
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", "%s:/usr/bin:/bin" % folder)
    return folder
