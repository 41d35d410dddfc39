# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges, for each part of a site, whether its role would change anything. Changes nothing. Private to hpc.pytorch.

The judgement of each step is the one with which its own module begins. Where it needs a solver, an engine or the
network, or finds an error, the part does not stand: then its role runs, and says what there is to say.
"""

from __future__ import annotations

import os
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .._channel import declare as channel
from .._common.errors import UserError
from .._conda.apply import declare as env
from .._conda.apply.options import ARGUMENTS as ENV_ARGUMENTS, Options as EnvOptions
from .._conda.engine_venv import declare as engine
from .._cuda.info import describe
from .._cuda.toolkit import Toolkit
from .._host import declare as host
from .._host.look import read_trusted
from .._host.request import ARGUMENTS as FILE_ARGUMENTS, Options as FileOptions
from .._node.request import TOOLKIT
from .._users.accounts import describe_accounts
from .settings import holds
from .toolkit import filled, find

Values = t.Mapping[str, t.Any]
# Why a step is not known to have nothing to do; None if it is.
Reason = t.Optional[str]


def look_at(parts: t.Sequence[Values], users: t.Any = None) -> dict[str, t.Any]:
    """The result of module site_look for its options.

    :raises UserError: two parts have the same name, or *users* has a name that is not a user of this machine.
    """
    if users is not None:
        describe_accounts(users)
    names = [part["name"] for part in parts]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError("each part under a name of its own", "%s twice" % twice[0], "rename one of the two")
    judged = {part["name"]: _judge(part) for part in parts}
    reasons = {name: reason for name, (reason, _toolkit) in judged.items() if reason is not None}
    toolkits = [toolkit for _reason, toolkit in judged.values() if toolkit is not None]
    return {
        "changed": False,
        "stands": {name: name not in reasons for name in judged},
        "reasons": reasons,
        "toolkit": describe(toolkits[-1]) if toolkits else None,
    }


def _judge(part: Values) -> tuple[Reason, Toolkit | None]:
    """Why *part* does not stand; or if it does, None and its toolkit."""
    toolkit = None
    if part["cuda_toolkit"] is not None:
        try:
            toolkit = find(_arguments({"argument_spec": TOOLKIT}, part["cuda_toolkit"]))
            part = dict(part, host_files=filled(part["host_files"], toolkit))
        except (UserError, OSError, ValueError) as error:
            return "cuda_toolkit: %s" % error, None
    reason = _why_not(part, toolkit)
    return reason, None if reason is not None else toolkit


def _why_not(part: Values, found: Toolkit | None) -> Reason:
    steps = [(kind, each) for kind in _KINDS for each in _given(part[kind])]
    if not steps and found is None:
        return "no step to judge"
    for kind, given in steps:
        try:
            reason = _KINDS[kind](given)
        except (UserError, OSError, ValueError) as error:
            # Its role says so, at its own place and with its own words.
            reason = str(error)
        if reason is not None:
            return "%s: %s" % (kind, reason)
    return None


def _given(value: t.Any) -> list[t.Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _arguments(specification: Values, given: Values) -> dict[str, t.Any]:
    """*given* as a module with these arguments would have them.

    :raises ValueError: it would refuse them.
    """
    result = ArgumentSpecValidator(**specification).validate(dict(given))
    if result.error_messages:
        raise ValueError("; ".join(result.error_messages))
    return dict(result.validated_parameters)


def _channel(given: Values) -> Reason:
    options = channel.Options.of(_arguments(channel.ARGUMENTS, given))
    return None if channel.channel_stands(options) else "differs from its record, or is to be resolved again"


def _engine(given: Values) -> Reason:
    options = engine.Options(**_arguments(engine.ARGUMENTS, given))
    return None if engine.engine_stands(options) else "is not there, or was made from other requirements"


def _env(given: Values) -> Reason:
    options = EnvOptions(**_arguments(ENV_ARGUMENTS, given))
    return None if env.env_stands(options) else "differs from its record, or is to be solved again"


def _existing(path: str) -> Reason:
    return None if os.path.lexists(path) else "%s is not there" % path


def _files(given: Values) -> Reason:
    given = dict(given)
    instead = given.pop("unless_exists", None)
    if instead is not None and os.path.lexists(instead):
        return None
    digests, given["files"] = _digests_apart(given.get("files", []))
    options = FileOptions.of(_arguments(FILE_ARGUMENTS, given))
    files = tuple(file._replace(sha256=digest) for file, digest in zip(options.files, digests))
    result = host.declare(options._replace(files=files), write=False, with_diff=False)
    differing = [file["path"] for file in result["files"] if file["changed"]]
    return "%s differs" % differing[0] if differing else None


def _digests_apart(files: t.Any) -> tuple[list[str], t.Any]:
    """The digest of each file, empty without one, and the files as host_files takes them."""
    if not isinstance(files, list) or not all(isinstance(file, dict) for file in files):
        return [], files
    digests = [str(file.get("sha256", "")) for file in files]
    plain = [
        dict({name: value for name, value in file.items() if name != "sha256"}, content="") if digest else file
        for file, digest in zip(files, digests)
    ]
    return digests, plain


def _settings(given: Values) -> Reason:
    path = given["path"]
    content = read_trusted(path)
    if content is None:
        return "%s is not there" % path
    return None if holds(content.decode("utf-8"), given["settings"]) else "%s has other settings" % path


# In the order in which a role takes these steps.
_KINDS: dict[str, t.Callable[[t.Any], Reason]] = {
    "conda_channel": _channel,
    "conda_engine": _engine,
    "existing": _existing,
    "conda_env": _env,
    "host_files": _files,
    "settings": _settings,
}
