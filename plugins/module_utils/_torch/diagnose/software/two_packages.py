# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two packages of an environment with the same CUDA library: what to report. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from ...report import Report


class Doubled(t.NamedTuple):
    """Two packages or more with the same library, for a sentence.

    :arg found: ``two packages have nccl: nvidia-nccl-cu11 2.21.5 (/e/...), ...``
    :arg remedy: the commands that leave one.
    """

    found: str
    remedy: str


def doubled(report: Report, error: str) -> Doubled | None:
    """Return what to report of the packages whose library *error* names; None if there is only one.

    Two packages are harmless as long as torch works, and no cause of an error of something else.
    """
    packages = [item for item in report.doubled if item["library"] in error.lower()]
    if not packages:
        return None
    library = packages[0]["library"]
    packages = [item for item in packages if item["library"] == library]
    mine = [item for item in packages if _is_of_torch(item)] or _of_conda(packages)
    other = [item for item in packages if item not in mine]
    found = "the environment has %s from %s" % (
        library,
        " and ".join(
            "%s %s (%s%s)"
            % (item["name"], item["version"], item["record"], ", which torch requires" if item in mine else "")
            for item in packages
        ),
    )
    if not mine or not other:
        return Doubled(found, "keep the one that torch requires (python -m pip show torch), and uninstall the other")
    steps = [_uninstall(item) for item in other] + [_reinstall(item) for item in mine]
    wanted = sorted({name for item in other for name in item["wanted_by"]})
    remedy = ", then ".join(steps)
    if wanted:
        remedy += "; do without %s, which requires %s" % (
            " and ".join(wanted),
            " and ".join(item["name"] for item in other),
        )
    return Doubled(found, remedy)


def _is_of_torch(item: t.Mapping[str, t.Any]) -> bool:
    return any(name.split(" ")[0] == "torch" for name in item["wanted_by"])


def _of_conda(packages: t.Sequence[t.Mapping[str, t.Any]]) -> list[t.Mapping[str, t.Any]]:
    """Return the packages of conda, which conda's torch uses: it requires none of pip's."""
    return [item for item in packages if item["record"].endswith(".json")]


def _uninstall(item: t.Mapping[str, t.Any]) -> str:
    if item["record"].endswith(".json"):
        return "take %s out of the environment's conda packages" % item["name"]
    return "python -m pip uninstall -y %s" % item["name"]


def _reinstall(item: t.Mapping[str, t.Any]) -> str:
    """The command that brings back what the other one took away with itself."""
    if item["record"].endswith(".json"):
        return "repair the environment with hpc.pytorch.conda_env and verify: true"
    return "python -m pip install --force-reinstall --no-deps %s==%s" % (item["name"], item["version"])
