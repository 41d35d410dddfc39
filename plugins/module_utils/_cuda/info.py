# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cuda_info returns: the toolkit, the driver and the GPUs of this machine. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from .._common.errors import UserError
from .driver import find_driver
from .toolkit import Finder, Toolkit, check_version


class Options(t.NamedTuple):
    """The options of cuda_info.

    :arg timeout: how many seconds each command may take.
    """

    cuda_home: str | None
    expect_version: str | None
    timeout: float

    @classmethod
    def from_params(cls, params: t.Mapping[str, t.Any]) -> Options:
        """Return the options.

        :raises UserError: the timeout is out of range.
        """
        options = cls(**{name: params[name] for name in cls._fields})
        if not 0 < options.timeout <= 3600:
            raise UserError(
                "timeout to be more than 0 and at most 3600 seconds", "%g" % options.timeout, "give another timeout"
            )
        return options


def describe_cuda(
    options: Options, environment: t.Mapping[str, str], warn: t.Callable[[str], None]
) -> dict[str, t.Any]:
    """Return the result of cuda_info.

    :arg warn: called with each warning.
    :raises UserError: there is no toolkit at cuda_home, or another version than expected.
    """
    environment = dict(environment, LC_ALL="C")
    finder = Finder(environment, options.timeout)
    toolkit = finder.at(options.cuda_home) if options.cuda_home is not None else finder.anywhere()
    if options.expect_version is not None:
        check_version(toolkit, options.expect_version)
    machine = find_driver(environment, options.timeout)
    for warning in finder.warnings + (toolkit.conflicts if toolkit else []) + machine.warnings:
        warn(warning)
    return {
        "changed": False,
        "toolkit": describe(toolkit) if toolkit else None,
        "driver": machine.driver,
        "gpus": machine.gpus,
        "max_cuda": machine.driver["cuda_version"] if machine.driver else None,
    }


def describe(toolkit: Toolkit) -> dict[str, t.Any]:
    names = ("home", "version", "source", "nvcc", "lib_dir", "conflicts")
    return {name: getattr(toolkit, name) for name in names}
