# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A package, and the difference between two sets of packages. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

Action = t.Dict[str, t.Optional[str]]


class Package(t.NamedTuple):
    """An installed or solved package. *url* has no credentials."""

    name: str
    version: str
    build: str
    channel: str
    url: str = ""

    def label(self) -> str:
        """``name version build``, a line of the diff."""
        return "%s %s %s" % (self.name, self.version, self.build)

    def as_result(self) -> dict[str, str]:
        """The package as modules return it."""
        return {"name": self.name, "version": self.version, "build": self.build, "channel": self.channel}


def actions_between(
    before: t.Iterable[Package], after: t.Iterable[Package], reinstall: t.Container[str] = ()
) -> list[Action]:
    """What turns *before* into *after*, by name: action (install, remove, change, reinstall), name, from, to.

    :arg reinstall: names of packages to install again in the same version.
    """
    old = {package.name: package for package in before}
    new = {package.name: package for package in after}
    actions: list[Action] = []
    for name in sorted(set(old) | set(new)):
        was, will = old.get(name), new.get(name)
        if was is None and will is not None:
            actions.append({"action": "install", "name": name, "from": None, "to": _version(will)})
        elif will is None and was is not None:
            actions.append({"action": "remove", "name": name, "from": _version(was), "to": None})
        elif was is not None and will is not None and _identity(was) != _identity(will):
            actions.append({"action": "change", "name": name, "from": _version(was), "to": _version(will)})
        elif was is not None and name in reinstall:
            actions.append({"action": "reinstall", "name": name, "from": _version(was), "to": _version(was)})
    return actions


def diff_between(before: t.Iterable[Package], after: t.Iterable[Package], header: str) -> dict[str, str]:
    """Ansible's diff of two package lists."""
    return {
        "before_header": header,
        "after_header": header,
        "before": _lines(before),
        "after": _lines(after),
    }


def _lines(packages: t.Iterable[Package]) -> str:
    return "".join(package.label() + "\n" for package in sorted(packages))


def _identity(package: Package) -> tuple[str, str]:
    # Without the channel: conda and rattler spell the same channel differently.
    return package.version, package.build


def _version(package: Package) -> str:
    return "%s %s" % (package.version, package.build)
