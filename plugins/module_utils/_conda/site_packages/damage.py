# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is damaged in an env, if pip replaced some of its packages. Private to hpc.pytorch."""

from __future__ import annotations

import os
import typing as t

from ..env.verify import Damage, damaged_packages, examine
from .replaced import Contents, Replaced, not_meant
from .torch_version import contradicts, installed_torch


def examine_all(prefix: str, pip_lines: t.Sequence[str], replaced: t.Sequence[Replaced]) -> Damage:
    """Read every file of the env.

    :arg pip_lines: requirements; only the distributions that they lead to can be repaired.
    :arg replaced: what pip put in the place of packages. Such a package is damaged, unless it is left to pip.
    """
    wrong = not_meant(replaced, pip_lines)
    found = examine(prefix, pip_lines, [os.path.join(prefix, each.now.path) for each in wrong])
    packages = found.packages - {each.package for each in replaced} | {each.package for each in wrong}
    return found._replace(packages=packages)


def is_expected(prefix: str, expected: tuple[str, str] | None) -> bool:
    """Whether the env's torch may be the *expected* version and CUDA, or nothing is expected."""
    found = installed_torch(prefix) if expected else None
    return expected is None or found is None or not contradicts(found, *expected)


def examine_torch(
    prefix: str, expected: tuple[str, str] | None, pip_lines: t.Sequence[str], contents: Contents
) -> Damage:
    """Compare only the torch with the *expected* version and CUDA. One that pip put in conda's place is damage."""
    if is_expected(prefix, expected):
        return Damage()
    wrong = {each.package for each in not_meant(contents.replaced, pip_lines) if each.was.name == "torch"}
    # A wheel of the same version has the same name: then only the files tell.
    held = {package for package, each in contents.held if each.name == "torch"}
    return Damage(frozenset(wrong | (damaged_packages(prefix, held) if held else set())))
