# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment variables of the programs that modules start. Private to hpc.pytorch.

An ordinary user's variables are that user's own. Root's may come from anywhere (sudo keeps some, ``sudo -E`` all), so
for root the environment is built from a list of names, and a variable that leads to a place that another user can
write has no effect.
"""

from __future__ import annotations

import os
import pwd
import re
import typing as t
import urllib.parse

from .paths import nearest_existing
from .trust import untrusted_because

_SAFE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What root's children may have: language, proxies, certificates, logins, caches, the configuration of pip and conda.
_ROOTS = re.compile(
    r"(?:LANG|LANGUAGE|LC_[A-Z]+|TZ|TERM|PATH|HOME|USER|LOGNAME|TMPDIR|TEMP|TMP|(?:https?|ftp|all|no)_proxy"
    r"|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|NETRC|XDG_(?:CACHE|CONFIG|DATA)_(?:HOME|DIRS)|MAX_JOBS"
    r"|TORCH_CUDA_ARCH_LIST|CUDA_[A-Z_]+|NVIDIA_[A-Z_]+|(?:PIP|CONDA|MAMBA|RATTLER)[A-Z_0-9]*)\Z",
    re.IGNORECASE,
)
# They would point an interpreter or pip at other packages, also a user's own.
_FOREIGN = re.compile(
    r"(?:PYTHON[A-Z_]*|VIRTUAL_ENV|PIP_(?:PREFIX|PYTHON|QUIET|REPORT|REQUIREMENT|REQUIRE_VIRTUALENV|ROOT|TARGET|USER"
    r"|VERBOSE))\Z"
)
# They make the loader, a C library, OpenSSL, git or a shell run other files, also relative ones.
_LOADING = re.compile(
    r"(?:LD|GCONV|OPENSSL|GIT|PERL5?|BASH|NODE|RUBY)_?[A-Z_0-9]*\Z|GLIBC_TUNABLES\Z|ENV\Z|LOCPATH\Z|NLSPATH\Z"
)
_LISTS = ("PATH", "LD_LIBRARY_PATH")
_FOLDERS_FOR_NEW = ("TMPDIR", "TEMP", "TMP")
_ON_THE_NETWORK = re.compile(r"(?:git\+)?(?:https?|ftps?|ssh|s3|gs|oci)://[^\s\"']*", re.IGNORECASE)
_FILE = re.compile(r"file://[^/\s]*/([^\s\"']*)", re.IGNORECASE)
_BETWEEN = re.compile(r"[\s:;,=@\"'|&()<>]+")


def clean_environment(**more: str) -> dict[str, str]:
    """The variables for a Python, pip or a conda tool, with *more*."""
    kept = {name: value for name, value in os.environ.items() if not _FOREIGN.match(name)}
    if os.geteuid() == 0:
        kept = roots_own({name: value for name, value in kept.items() if _ROOTS.match(name)})
        kept.setdefault("PATH", _SAFE_PATH)
    return dict(kept, PIP_NO_INPUT="1", PIP_DISABLE_PIP_VERSION_CHECK="1", PYTHONUTF8="1", **more)


def roots_own(variables: t.Mapping[str, str]) -> dict[str, str]:
    """*variables*; as root without those that lead to a place that another user can write.

    PATH and LD_LIBRARY_PATH keep their safe folders, and HOME becomes root's own.
    """
    if os.geteuid() != 0:
        return dict(variables)
    kept = {}
    for name, value in variables.items():
        if name in _LISTS:
            value = os.pathsep.join(filter(_is_safe_folder, value.split(os.pathsep)))
        elif name == "HOME":
            value = value if os.path.isdir(value) and _is_safe_folder(value) else pwd.getpwuid(0).pw_dir
        elif not _is_safe(name, value):
            continue
        if value or name not in _LISTS:
            kept[name] = value
    return kept


def set_own_environment() -> None:
    """Give this process what :func:`roots_own` leaves, without PYTHON* variables, before it runs itself again."""
    keep_roots_own()
    for name in [name for name in os.environ if name.startswith("PYTHON")]:
        del os.environ[name]
    os.environ.update(PYTHONNOUSERSITE="1", PYTHONSAFEPATH="1")


def keep_roots_own() -> None:
    """As root, give this process what :func:`roots_own` leaves: a library may start programs of its own."""
    kept = roots_own(os.environ)
    for name in set(os.environ) - set(kept):
        del os.environ[name]
    os.environ.update(kept)


def _is_safe_folder(path: str) -> bool:
    # One that is missing does no harm where only root can make it.
    return os.path.isabs(path) and untrusted_because(nearest_existing(path)) is None


def _is_safe(name: str, value: str) -> bool:
    """Whether no place that *value* names, in any of its parts, is one that another user can write."""
    if name in _FOLDERS_FOR_NEW:
        return os.path.isdir(value) and untrusted_because(value, for_new=True) is None
    if name.startswith("BASH_FUNC_"):
        return False
    if _LOADING.match(name) and os.sep not in value and name != "LD_LIBRARY_PATH":
        # A name without a folder is searched in places that this does not know.
        return False
    value = _ON_THE_NETWORK.sub("", value)
    # The host of a file address is this one.
    parts = [value, *_BETWEEN.split(value), *(os.sep + path for path in _FILE.findall(value))]
    parts += [urllib.parse.unquote(part) for part in parts if "%" in part]
    return all(untrusted_because(nearest_existing(place)) is None for part in parts for place in _places(part))


def _places(part: str) -> t.Iterator[str]:
    """The paths that a part of a variable's value may mean, if a program runs in ``/``."""
    if "\0" in part or len(part) > 4096:
        return
    for each in (part, os.path.expanduser(part)):
        here = _normal(os.path.join(os.sep, each))
        # A word such as `always` is no path unless there is a file of that name.
        if each and (os.path.isabs(each) or os.path.lexists(here)):
            yield here
        if os.sep in each:
            yield _normal(each[each.index(os.sep) :])


def _normal(path: str) -> str:
    # normpath keeps two leading slashes.
    return os.path.normpath(os.sep + path.lstrip(os.sep))
