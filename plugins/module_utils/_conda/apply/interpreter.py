# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs commands with an env's own interpreter: pip and byte-compiling. Private to hpc.pytorch."""

from __future__ import annotations

import json
import os
import re
import shutil
import typing as t

from ..._common.errors import UserError
from ..._common.lines import lines_of, with_line_feeds
from ..._common.process import follow, run
from ..._common.redact import has_credentials, without_credentials
from ..._files.environment import clean_environment
from ..._files.files import read_regular, require_regular
from ..._files.progress import Progress
from ..._files.scratch import scratch_folder
from ..._files.trust import require_trusted, require_trusted_env
from ..._source.answers import answers
from ..._source.git import without_git_credentials
from ..._source.pip_start import engines_pip, pip_for
from ..env.pip_records import damaged_distributions, has_distribution, lines_for, remove_credentials, repairable
from ..env.prefix import site_packages_folders
from ..env.request import WheelRules
from ..site_packages import no_match
from ..site_packages.constraints import constraint_lines, left_to_pip
from ..site_packages.distributions import Metadata
from ..site_packages.pip_conflict import beyond_settings, causes, conflict
from ..site_packages.wheel_rules import Watch


def env_python(prefix: str) -> str:
    """The env's interpreter.

    :raises UserError: the env has no Python, or root must not execute it.
    """
    python = os.path.join(prefix, "bin", "python")
    if not os.path.exists(python):
        raise UserError("an env with Python at %s" % prefix, "no bin/python", "add python to packages")
    require_trusted(python, "an interpreter of the env at")
    require_trusted_env(prefix, "an env at")
    return python


# The distributions that pip must leave as they are, each with the conda package that brought it.
Held = t.Sequence[t.Tuple[str, Metadata]]


class Pip(t.NamedTuple):
    """How pip works.

    :arg rules: what it must not bring.
    :arg compiles: whether it compiles what it installs, one file after the other.
    """

    rules: WheelRules = WheelRules()
    progress: Progress = Progress()
    compiles: bool = True


_PLAIN = Pip()


def pip_install(prefix: str, requirements: t.Sequence[str], upgrade: bool, held: Held = (), pip: Pip = _PLAIN) -> None:
    """Install *requirements* (lines of a requirements file) into the env.

    :raises UserError: with the requirement that needs another version of what is *held*, or pip's last error lines.
    """
    arguments = (["--upgrade"] if upgrade else []) + ([] if pip.compiles else ["--no-compile"])
    with scratch_folder() as folder:
        _pip(prefix, requirements, arguments, folder, held, pip)
    remove_credentials(prefix)


def pip_would_install(
    prefix: str, requirements: t.Sequence[str], upgrade: bool, held: Held, pip: Pip = _PLAIN
) -> list[tuple[str, str]]:
    """Name and version of what :func:`pip_install` would install. Needs pip 22.2 or newer in the env.

    :raises UserError: as :func:`pip_install`.
    """
    with scratch_folder() as folder:
        path = os.path.join(folder, "report")
        # Not to standard output, which has the reason if it fails.
        arguments = ["--dry-run", "--report", path] + (["--upgrade"] if upgrade else [])
        _pip(prefix, requirements, arguments, folder, held, pip)
        report = json.loads(read_regular(path))
    return [(item["metadata"]["name"], item["metadata"]["version"]) for item in report.get("install", [])]


# .pyc files that came with a package are kept, with their hard links. New ones are checked by hash (PEP 552), since a
# copy or a network file system may change a file's time.
_COMPILE_MISSING = """
import compileall, concurrent.futures, functools, importlib.util, os, py_compile, sysconfig
found = [os.path.join(top, name) for top, _, names in os.walk(sysconfig.get_path("stdlib")) for name in names]
bytecode = importlib.util.cache_from_source
missing = [path for path in found if path.endswith(".py") and not os.path.exists(bytecode(path))]
mode = py_compile.PycInvalidationMode.CHECKED_HASH
compile_one = functools.partial(compileall.compile_file, quiet=2, force=True, invalidation_mode=mode)
if __name__ == "__main__" and missing:
    with concurrent.futures.ProcessPoolExecutor() as pool:
        list(pool.map(compile_one, missing, chunksize=32))
"""


def compile_bytecode(prefix: str) -> None:
    """Write the missing .pyc files, which users of a shared env cannot write themselves.

    Files that do not compile (templates, Python 2, dangling links) are skipped, and so is an env without Python.

    :raises UserError: compiling did not finish.
    """
    if not os.path.exists(os.path.join(prefix, "bin", "python")):
        return
    command = [env_python(prefix), "-I", "-c", _COMPILE_MISSING]
    done = run(command, clean_environment())
    if done.returncode != 0:
        raise UserError(
            "a finished compilation of the modules of %s" % prefix,
            done.last_error,
            "check space and memory, then run again",
        )


def repair_distributions(prefix: str, lines: t.Sequence[str]) -> None:
    """Install the damaged distributions that the requirements *lines* ask for again, in the same versions.

    :raises UserError: with pip's last error lines.
    """
    damaged = repairable(damaged_distributions(prefix), lines, prefix)
    for each in damaged:
        if not each.finished:
            # Without its dist-info pip takes it for not installed, and writes every file again.
            shutil.rmtree(each.dist_info)
    finished = [each for each in damaged if each.finished]
    if finished:
        with scratch_folder() as folder:
            _pip(prefix, lines_for(finished, lines), ["--force-reinstall", "--no-deps"], folder)
        remove_credentials(prefix)


def _pip_command(prefix: str) -> list[str]:
    """The env's own pip; without one, the engine's."""
    python, engines = env_python(prefix), engines_pip()
    if engines is None or has_distribution(prefix, "pip"):
        return [python, "-I", "-m", "pip"]
    return pip_for(python, engines)


def _pip_environment(requirements: t.Iterable[str]) -> dict[str, str]:
    # pip does not see an env as a venv: its rule on venvs must not apply here, nor a user's default of --user.
    environment = clean_environment(PIP_REQUIRE_VIRTUALENV="0", PIP_USER="0", PYTHONNOUSERSITE="1")
    if any("?" in line and has_credentials(line) for line in requirements):
        # pip writes the address of what it builds into its cache, with the query string.
        environment["PIP_NO_CACHE_DIR"] = "1"
    return environment


def _pip_settings(prefix: str) -> list[str]:
    """The files that pip reads before it does anything. Source: "Configuration files" in pip's documentation."""
    home = os.path.expanduser("~")
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    named = [os.environ.get(name, "") for name in ("PIP_CONFIG_FILE", "NETRC")]
    found = [os.path.join(folder, "pip.conf") for folder in (os.path.join(config, "pip"), prefix)]
    found += [os.path.join(home, name) for name in (".pip/pip.conf", ".netrc", "_netrc")]
    return [path for path in named + found if path]


def _python_version(prefix: str) -> str | None:
    """The env's Python: ``3.11`` for ``lib/python3.11``."""
    found = (re.search(r"/python(3\.\d+)/", folder + "/") for folder in site_packages_folders(prefix))
    return next((match.group(1) for match in found if match), None)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _pip(
    prefix: str,
    requirements: t.Sequence[str],
    arguments: t.Sequence[str],
    folder: str,
    held: Held = (),
    pip: Pip = _PLAIN,
) -> None:
    """Run ``pip install``.

    :arg folder: a private one, for the files that pip reads and writes.
    """
    command = [*_pip_command(prefix), "--no-input", "--disable-pip-version-check", "install"]
    require_regular(_pip_settings(prefix), "pip")
    index = pip.rules.cpu_index
    if index and answers(index):
        requirements = ["--extra-index-url %s" % index, *requirements]
    # In a private file, since an address may hold a password and every user can read a command line.
    environment = dict(_pip_environment(requirements), PYTHONUNBUFFERED="1")
    lines, for_git = without_git_credentials(requirements, environment)
    path, constraints = os.path.join(folder, "pip"), os.path.join(folder, "constraints")
    held_lines = constraint_lines(held, left_to_pip(requirements))
    written = {path: lines, **({constraints: held_lines} if held_lines else {})}
    for name, content in written.items():
        with open(name, "w", encoding="utf-8", opener=_private) as stream:
            stream.write("\n".join(content) + "\n")
    watch = Watch(pip.rules, requirements, pip.progress)
    status = follow(
        [
            *command,
            *["--progress-bar", "off"],
            *arguments,
            *(["--constraint", constraints] if held_lines else []),
            *["--requirement", path],
        ],
        dict(environment, **{name: secret.reveal() for name, secret in for_git.items()}),
        watch.note,
        stops=True,
    )
    if status != 0:
        output = with_line_feeds("".join(watch.lines))
        asked = conflict(without_credentials(output), held) or beyond_settings(without_credentials(output))
        if asked is not None:
            raise asked
        errors = [line for line in lines_of(output) if line.startswith("ERROR")] or lines_of(output)[-3:]
        no_match.require_an_answer(lines_of(output), errors)
        errors += causes(output)[:5]
        raise UserError(
            "pip requirements that can be installed: %s" % without_credentials(", ".join(requirements)),
            # It is the option pip to the user.
            without_credentials(" ".join(errors)).replace("-r %s" % path, "pip") or "pip exit status %d" % status,
            no_match.remedy(errors, _python_version(prefix), *no_match.here())
            or "correct pip, or add pip to packages if the env has none",
        )
