# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give the tests, benches and faults a home and an environment of their own.

No test may depend on what a user has in ``~/.conda``, ``~/.condarc``, ``~/.netrc`` or in variables such as CONDA_PREFIX
and PIP_TARGET, and none may write there. From the caller come only: how a package index is reached, the programs on
PATH, where Pythons and temporary files are, the cache of the commands of the Makefile, and the variables HPC_*.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import pathlib
import pwd
import re
import shutil
import stat
import sys
import tempfile
import time
import types
import typing as t

CHECKOUT = pathlib.Path(__file__).resolve().parents[1]
# Says that the environment is ours already: in a process that such a run has started, such as a worker of pytest-xdist.
MARK = "HPC_TEST_HOME"
# What is made once and kept is below this folder.
CACHE = "HPC_TEST_CACHE"

# Servers of this machine are reached without a proxy, whatever the caller's says.
_NETWORK = (
    *("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)
_OUR_PREFIXES = ("HPC_", "BENCH_", "PYTEST_", "COVERAGE_")
# Where version managers keep the Pythons that they have built, which tests run modules with.
_PYTHONS = (("PYENV_ROOT", ".pyenv"), ("ASDF_DATA_DIR", ".asdf"), ("UV_PYTHON_INSTALL_DIR", ".local/share/uv/python"))
_SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_CONDA = ("conda", "mamba", "micromamba")


def move_in() -> None:
    """Change this process: its environment, umask and time zone. Its home directory goes when it ends."""
    if not os.environ.get(MARK) or os.environ[MARK] != os.environ.get("HOME"):
        caller = dict(os.environ)
        os.environ.pop("TMPDIR", None)
        os.environ.update(temporary_of(caller))
        tempfile.tempdir = None
        folder = pathlib.Path(tempfile.mkdtemp(prefix="hpc-pytorch-tests-"))
        atexit.register(_remove, folder, os.getpid())
        settings = folder / "pip.conf"
        tool = _pip_settings()
        # While the caller's environment is still there.
        sections = tool.present()
        sections["global"]["cache-dir"] = str(cache_of(caller) / "pip")
        tool.write(settings, sections)
        home = folder / "home"
        home.mkdir()
        # git lists the checkout's files; the checkout may belong to another user.
        (home / ".gitconfig").write_text(
            "[user]\n\tname = Tests\n\temail = tests@example.org\n[safe]\n\tdirectory = %s\n" % CHECKOUT
        )
        os.environ.clear()
        os.environ.update(environment(caller, home, settings))
        sys.path[:] = [path for path in sys.path if path not in _python_path(caller)]
    os.umask(0o022)
    time.tzset()


def environment(caller: t.Mapping[str, str], home: pathlib.Path, pip_settings: pathlib.Path) -> dict[str, str]:
    """All variables of the tests: a fixed list, so that none is forgotten that some tool reads."""
    user = pwd.getpwuid(os.geteuid()).pw_name if _has_account() else "nobody"
    kept = {
        name: value for name, value in caller.items() if name in _NETWORK or name.startswith(_OUR_PREFIXES) and value
    }
    exceptions = [name for key in ("no_proxy", "NO_PROXY") for name in caller.get(key, "").split(",") if name]
    no_proxy = ",".join(dict.fromkeys(["127.0.0.1", "localhost", *exceptions]))
    theirs = pathlib.Path(caller.get("HOME") or pathlib.Path.home())
    for name, usual in _PYTHONS:
        root = caller.get(name) or str(theirs / usual)
        if os.path.isdir(root):
            kept[name] = root
    if caller.get("HPC_TEST_CONDA") and caller.get("CONDA_SOLVER"):
        kept["CONDA_SOLVER"] = caller["CONDA_SOLVER"]
    return {
        **kept,
        **temporary_of(caller),
        MARK: str(home),
        CACHE: str(cache_of(caller)),
        "HOME": str(home),
        "USER": user,
        "LOGNAME": user,
        "SHELL": "/bin/sh",
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PATH": path_of(caller, theirs),
        "no_proxy": no_proxy,
        "NO_PROXY": no_proxy,
        "PIP_CONFIG_FILE": str(pip_settings),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
        # What tests, benches and faults read of a run has each task and host. What a person sees has tests of its own.
        "ANSIBLE_STDOUT_CALLBACK": "default",
        # For "~" Ansible often asks the user database, not HOME. The shell that makes the folder puts in HOME.
        "ANSIBLE_REMOTE_TMP": "$HOME/.ansible/tmp",
        # Nothing is written into the checkout, where another run may be at work.
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def cache_of(caller: t.Mapping[str, str]) -> pathlib.Path:
    """The folder in which the commands of the Makefile keep what can be made again (see tools/setup.sh)."""
    if caller.get(CACHE):
        return pathlib.Path(caller[CACHE])
    base = caller.get("XDG_CACHE_HOME", "")
    home = caller.get("HOME") or str(pathlib.Path.home())
    return pathlib.Path(base if base.startswith("/") else home + "/.cache") / "hpc.pytorch"


def temporary_of(caller: t.Mapping[str, str]) -> dict[str, str]:
    """TMPDIR, if envs and sockets can be made there (no space, not too long) and other users of a test can enter it."""
    folder = pathlib.Path(caller.get("TMPDIR") or "relative")
    if not re.fullmatch(r"/[\w./+-]{,60}", str(folder), re.ASCII) or not os.access(folder, os.W_OK | os.X_OK):
        return {}
    if os.geteuid() == 0 and not all(each.stat().st_mode & stat.S_IXOTH for each in (folder, *folder.parents)):
        return {}
    return {"TMPDIR": str(folder)}


def path_of(caller: t.Mapping[str, str], home: pathlib.Path) -> str:
    """This Python's programs, then the caller's PATH without what is in *home* or holds a conda."""
    own = os.path.dirname(sys.executable)
    found = [own]
    for folder in (*caller.get("PATH", "").split(os.pathsep), *_SYSTEM_FOLDERS):
        below = pathlib.Path(os.path.realpath(home)) in pathlib.Path(os.path.realpath(folder)).parents
        conda = any(os.access(os.path.join(folder, name), os.X_OK) for name in _CONDA)
        if os.path.isabs(folder) and folder not in found and not conda and not (below and str(home) != "/"):
            found.append(folder)
    return os.pathsep.join(found)


def _has_account() -> bool:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return True


def _python_path(caller: t.Mapping[str, str]) -> set[str]:
    return {os.path.abspath(path) for path in caller.get("PYTHONPATH", "").split(os.pathsep) if path}


def _pip_settings() -> types.ModuleType:
    path = CHECKOUT / "tools" / "pip_settings.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _remove(folder: pathlib.Path, owner: int) -> None:
    """Only by the process that made it: a forked one ends as well. Published environments are read-only folders."""
    if os.getpid() != owner:
        return
    for here, names, _files in os.walk(folder):
        for name in names:
            path = os.path.join(here, name)
            if not os.path.islink(path):
                os.chmod(path, stat.S_IRWXU)
    shutil.rmtree(folder, ignore_errors=True)
