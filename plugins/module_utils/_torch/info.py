# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What torch_info returns: the probe of an environment, and the verdict on it. Private to hpc.pytorch."""

from __future__ import annotations

import typing as t

from .._common.errors import UserError
from .._files.paths import require_absolute
from .asked import Asked
from .diagnose.verdict import no_expectations, require_sense, result
from .run import run_probe


class Options(t.NamedTuple):
    """The options of torch_info.

    :arg timeout: how many seconds the probe may take.
    :arg device_timeout: how many seconds each GPU may take.
    """

    asked: Asked
    timeout: int
    device_timeout: int

    @classmethod
    def from_params(cls, params: t.Mapping[str, t.Any]) -> Options:
        """Return the options.

        :raises UserError: a path is relative, a timeout is too short, or nothing can meet the expectations.
        """
        asked = Asked(**{name: params[name] for name in Asked._fields})
        require_absolute("prefix", asked.prefix, existing=True)
        require_absolute("python", asked.python, existing=True)
        require_sense(asked)
        options = cls(asked, params["timeout"], params["device_timeout"])
        for name, default in (("timeout", "two minutes"), ("device_timeout", "half a minute")):
            seconds = getattr(options, name)
            if seconds < 1:
                raise UserError("%s to be at least 1 second" % name, str(seconds), "leave it out for %s" % default)
        return options


def describe_torch(options: Options, warn: t.Callable[[str], None]) -> dict[str, t.Any]:
    """Return the result of torch_info.

    :arg warn: called with what the caller should know about the options.
    :raises UserError: there is no environment, or it must not be run.
    """
    asked = options.asked
    for text in no_expectations([asked]):
        warn(text)
    report = run_probe(asked.prefix, asked.python, options.timeout, options.device_timeout, asked.expect_devices)
    return dict(result(report, asked), changed=False)
