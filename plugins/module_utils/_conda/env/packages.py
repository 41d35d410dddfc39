# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One package, and what separates two sets of them. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t


class Package(t.NamedTuple):
    """What identifies an installed or solved package. *url* carries no credentials."""

    name: str
    version: str
    build: str
    channel: str
    url: str = ""

    def label(self) -> str:
        """``name version build``, a line of the diff."""
        return "%s %s %s" % (self.name, self.version, self.build)

    def as_result(self) -> dict[str, str]:
        """As modules return it."""
        return {"name": self.name, "version": self.version, "build": self.build, "channel": self.channel}


def actions_between(
    before: t.Iterable[Package], after: t.Iterable[Package], reinstall: t.Container[str] = ()
) -> list[dict[str, str | None]]:
    """What turns *before* into *after*, by name: action (install, remove, change, reinstall), name, from, to.

    :arg reinstall: names whose files must be laid down again although the package stays the same.
    """
    old = {package.name: package for package in before}
    new = {package.name: package for package in after}
    actions: list[dict[str, str | None]] = []
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
    # Not the channel: conda and rattler write one channel's name in different ways.
    return package.version, package.build


def _version(package: Package) -> str:
    return "%s %s" % (package.version, package.build)
