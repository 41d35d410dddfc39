# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is damaged in an env, if pip replaced some of its packages. Private to hpc.pytorch."""

from __future__ import annotations

import os
import typing as t

from ..env.verify import Damage, examine
from .replaced import Replaced, not_meant
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


def examine_torch(
    prefix: str, expected: tuple[str, str] | None, pip_lines: t.Sequence[str], replaced: t.Sequence[Replaced]
) -> Damage:
    """Compare only the torch with the *expected* version and CUDA. One that pip put in conda's place is damage."""
    found = installed_torch(prefix) if expected else None
    if expected is None or found is None or not contradicts(found, *expected):
        return Damage()
    return Damage(frozenset(each.package for each in not_meant(replaced, pip_lines) if each.was.name == "torch"))
