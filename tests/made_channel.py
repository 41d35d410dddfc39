# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Channels with a real Python and real wheels for benches and faults: made once, kept by what they are made of."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import typing as t

CHECKOUT = pathlib.Path(__file__).resolve().parents[1]
SYSTEM_PYTHON = "/usr/bin/python3"


def made_channel(*requests: t.Sequence[str]) -> pathlib.Path:
    """A channel with the system's Python and the wheels of each request, which pip resolves apart from the others."""
    version = subprocess.run([SYSTEM_PYTHON, "-V"], check=True, capture_output=True, text=True).stdout
    made_of = hashlib.sha256(json.dumps([version, requests]).encode())
    for path in sorted((CHECKOUT / "plugins/module_utils/_channel").glob("*.py")):
        made_of.update(path.read_bytes())
    cache = pathlib.Path(os.environ["HPC_TEST_CACHE"]) / "channels"
    channel = cache / made_of.hexdigest()[:16]
    if channel.exists():
        return channel
    staged = cache / ("%s.new.%d" % (channel.name, os.getpid()))
    try:
        for wheels in requests:
            print("publishing a channel with %s, once" % ", ".join(wheels), file=sys.stderr, flush=True)
            _publish(staged, wheels)
        # Another run may have been faster; both made the same.
        with contextlib.suppress(OSError):
            staged.rename(channel)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return channel


def _publish(folder: pathlib.Path, wheels: t.Sequence[str]) -> None:
    options = {"path": str(folder), "python": [SYSTEM_PYTHON], "wheels": list(wheels), "executable": sys.executable}
    done = subprocess.run(
        [
            str(pathlib.Path(sys.executable).with_name("ansible")),
            "localhost",
            "-i",
            "localhost,",
            "-c",
            "local",
            "-e",
            "ansible_python_interpreter=%s" % sys.executable,
            "-m",
            "hpc.pytorch.conda_channel",
            "-a",
            json.dumps(options),
        ],
        cwd=CHECKOUT,
        env=dict(os.environ, ANSIBLE_CONFIG=str(CHECKOUT / "ansible.cfg")),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(
            "expected conda_channel to publish %s; found: %s" % (", ".join(wheels), done.stdout + done.stderr)
        )
