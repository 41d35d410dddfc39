# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A torch env made by conda_env from a warm package cache, compared with a py-rattler script that makes the same."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from functools import partial

from run import Row, paired

TESTS = pathlib.Path(__file__).resolve().parents[1]
CHECKOUT = TESTS.parent
sys.path.insert(0, str(TESTS))

from made_channel import made_channel
from real_tool import real_tools

PACKAGES = ["python", "pytorch", "numpy"]
# The shortest script that links the packages.
BARE = """
import asyncio, os, pathlib, sys
import rattler

async def main(channel, cache, prefix, *packages):
    records = await rattler.solve(
        [rattler.Channel(channel)],
        [rattler.MatchSpec(package) for package in packages],
        gateway=rattler.Gateway(cache_dir=pathlib.Path(cache, "repodata")),
        virtual_packages=rattler.VirtualPackage.detect(rattler.VirtualPackageOverrides.from_env()),
        add_pip_as_python_dependency=True,
    )
    packages = rattler.PackageCache(pathlib.Path(cache, "pkgs"))
    await rattler.install(records, prefix, package_cache=packages, show_progress=False)

asyncio.run(main(*sys.argv[1:]))
# py-rattler 0.28's threads sometimes crash an interpreter that ends while they run.
os._exit(0)
"""


def run(rounds: int) -> list[Row]:
    """Time pairs, one more than requested, since the first one fills the cache. Removing the env is not timed."""
    channel = made_channel(["torch==2.13.0", "numpy==2.4.*", "pip"])
    # Not in /tmp itself, which every user can write: root makes no env there.
    with tempfile.TemporaryDirectory(prefix="hpc.pytorch-bench-") as name:
        folder = pathlib.Path(name)
        address, cache, prefix = "file://%s" % channel, folder / "cache", folder / "env"
        options = {
            "prefix": str(prefix),
            "packages": PACKAGES,
            "channels": [address],
            "package_cache": str(cache / "pkgs"),
        }
        environment = dict(
            os.environ, HOME=str(folder), XDG_CACHE_HOME=str(folder / "home"), PYTHONDONTWRITEBYTECODE="1"
        )
        ansible = str(pathlib.Path(sys.executable).with_name("ansible"))
        adhoc = ["localhost", "-i", "localhost,", "-c", "local", "-e", "ansible_python_interpreter=%s" % sys.executable]

        process = [sys.executable, str(TESTS / "module_process.py"), "conda_env"]

        def start(*command: str) -> None:
            done = subprocess.run(
                command,
                cwd=CHECKOUT,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode or not (prefix / "conda-meta").is_dir():
                raise SystemExit("expected a torch env; found: %s" % (done.stdout + done.stderr))
            # The next run starts without an env too; only a rename is timed.
            prefix.rename(folder / ("old%d" % len(list(folder.glob("old*")))))

        def bare() -> None:
            start(sys.executable, "-c", BARE, address, str(cache), str(prefix), *PACKAGES)

        def module() -> None:
            start(*process, json.dumps(options))

        def task() -> None:
            start(ansible, *adhoc, "-m", "hpc.pytorch.conda_env", "-a", json.dumps(options))

        def imports() -> None:
            prefix.joinpath("conda-meta").mkdir(parents=True)
            start(sys.executable, "-c", "import rattler, ansible.module_utils.basic")

        def ping() -> None:
            prefix.joinpath("conda-meta").mkdir(parents=True)
            start(ansible, *adhoc, "-m", "ansible.builtin.ping")

        bare_times, module_times = (times[1:] for times in paired(bare, module, rounds + 1))
        import_times, _unused = paired(imports, imports, rounds)
        ping_times, task_times = paired(ping, task, rounds)
        tool_rows = []
        for tool in real_tools():
            pkgs, solver = str(folder / "tool" / tool.kind), tool.environment()
            environment.update(solver, CONDA_PKGS_DIRS=pkgs)
            create = [tool.executable, "create", "--yes", "--quiet", "--override-channels", "--channel", address]
            by_tool = dict(options, engine=tool.kind, executable=tool.executable, package_cache=pkgs)
            alone = partial(start, *create, "--prefix", str(prefix), *PACKAGES)
            own = partial(start, *process, json.dumps(by_tool))
            create_times, rattler_times = (times[1:] for times in paired(alone, module, rounds + 1))
            create_again, own_times = (times[1:] for times in paired(alone, own, rounds + 1))
            tool_rows += [
                Row("%s create" % tool.name, create_times),
                Row("conda_env with engine rattler, in turns with it", rattler_times, create_times),
                Row("conda_env with engine %s, in turns with it" % tool.kind, own_times, create_again),
            ]
        shutil.rmtree(cache)
    return [
        Row("py-rattler alone", bare_times),
        Row("conda_env, the module's process", module_times, bare_times, "goal: at most 1.3"),
        Row("imports of py-rattler and AnsibleModule", import_times, note="neither can be spared"),
        Row("ansible with ping", ping_times),
        Row("ansible with conda_env", task_times, bare_times, "ansible's own start is in it"),
        *tool_rows,
    ]
