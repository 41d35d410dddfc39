# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the launcher of a kernel knows: written by the role next to kernel.json. No I/O. Private to hpc.pytorch."""

from __future__ import annotations

import json
import typing as t

from .._common.errors import UserError, shown

NAME = "settings.json"
LOCAL, SLURM = "local", "slurm"


class Settings(t.NamedTuple):
    """The settings of a kernel.

    :arg display_name: what JupyterLab calls it.
    :arg start: ``local`` on JupyterLab's own machine, ``slurm`` in a job.
    :arg env: name or path of the environment, for messages.
    :arg expect_cuda: whether a kernel whose torch has no usable GPU counts as failed.
    :arg directives: options for srun, as ``--NAME=VALUE``.
    """

    display_name: str
    start: str
    env: str
    expect_cuda: bool
    directives: tuple[str, ...] = ()


def as_text(settings: Settings) -> str:
    """The content of the file."""
    return json.dumps(settings._asdict(), indent=1, sort_keys=True) + "\n"


def from_text(text: str, path: str) -> Settings:
    """The settings in the file's content.

    :arg path: of the file, for messages.
    :raises UserError: it is not what the role wrote.
    """
    try:
        given = json.loads(text)
        found = Settings(**dict(given, directives=tuple(given["directives"])))
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(
            "the settings of a kernel in %s" % path,
            shown(str(error)),
            "run the role hpc.pytorch.jupyter_kernel again",
        ) from error
    return found
