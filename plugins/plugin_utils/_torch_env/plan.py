# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of one environment: which torch build, from which channels, with which packages. Private to hpc.pytorch."""

from __future__ import annotations

import hashlib
import json
import re
import typing as t

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.redact import without_credentials
from ansible_collections.hpc.pytorch.plugins.module_utils._common.values import listed
from ansible_collections.hpc.pytorch.plugins.module_utils._common.versions import is_version, key
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build.choose import choose

from . import specs
from .channels import source_of, with_mirrors

_USER_OR_TOKEN = re.compile(r"(://)[^/\s]*@|(?<=/)t/[^/\s]+/")


class Asked(t.NamedTuple):
    """The role's variables, without their prefix ``torch_env_``.

    ``channels`` is None if they are not set; then the environment has ``site_channels`` (``conda_channels``).
    ``cuda`` is kept as it was given: the name of an environment depends on it. ``glibc`` has the C libraries of the
    machines; it and ``platform`` may be missing.
    """

    python: str
    torch: str
    cuda: t.Any
    source: str
    gpus: list[t.Any]
    drivers: list[str]
    builds: t.Mapping[str, t.Any]
    wheels_url: str
    companions: list[str]
    packages: list[str]
    pip: list[str]
    channels: list[str] | None
    site_channels: list[str]
    glibc: list[str] = []
    platform: str = ""

    @classmethod
    def of(cls, values: t.Mapping[str, t.Any]) -> Asked:
        """The values that module torch_env_choice is given.

        :raises UserError: a value is missing, or is not one of these.
        """
        wrong = (set(values) ^ set(cls._fields)) - (set(cls._field_defaults) - set(values))
        if wrong:
            raise UserError("the keys %s" % ", ".join(cls._fields), ", ".join(sorted(wrong)), "correct the keys")
        return cls(
            python=str(values["python"]),
            torch=str(values["torch"]),
            cuda=values["cuda"],
            source=str(values["source"]),
            gpus=listed(values["gpus"]),
            drivers=listed(values["drivers"]),
            builds=values["builds"],
            wheels_url=str(values["wheels_url"]),
            companions=listed(values["companions"]),
            packages=_listed(values["packages"]),
            pip=_listed(values["pip"]),
            channels=None if values["channels"] is None else listed(values["channels"]),
            site_channels=listed(values["site_channels"]),
            glibc=_listed(values.get("glibc", [])),
            platform=str(values.get("platform", "")),
        )


def _listed(value: t.Any) -> list[t.Any]:
    """The items of a list. A text, as ``-e torch_env_pip="numpy<3,>=2"`` gives it, is one item."""
    return [value] if isinstance(value, str) else list(value)


class Plan(t.NamedTuple):
    """What to ask of conda_env, and the name of that request."""

    # The answer of the filter torch_build; empty if no build was chosen.
    build: dict[str, t.Any]
    # One line about the choice, and one for each warning.
    messages: list[str]
    packages: list[str]
    pip: list[str]
    channels: list[str]
    # What __cuda is taken to be, whatever driver the machine that solves has.
    cuda: t.Any
    # The SHA-256 of packages, channels, cuda and pip.
    key: str
    # The torch that must be in the environment in the end: version and cuda, each at most a first number or two.
    expect_torch: dict[str, str]


def plan(asked: Asked) -> Plan:
    """The plan for what is *asked*.

    :raises UserError: no build fits, or the asked packages would bring a second torch.
    """
    given = asked.site_channels if asked.channels is None else asked.channels
    wanted = _constraints(asked, given)
    build: dict[str, t.Any] = {}
    packages = specs.without_build(asked.python, asked.torch, str(asked.cuda))
    pip: list[str] = []
    cuda = asked.cuda
    if asked.source == specs.CPU_WHEELS:
        _require_no_cuda(asked)
        packages = ["python=" + asked.python if asked.python else "python", "pip"]
        pip = specs.cpu_wheels(asked.torch, asked.companions)
    elif wanted["source"]:
        # All drivers: the oldest one must run the build, and the newest one must drive the newest GPU.
        build = choose({**wanted, "driver": asked.drivers}, {"rows": asked.builds})
        specs.require_one_torch(build, asked.packages + asked.pip)
        packages = specs.of_companions(build["packages"], asked.companions)
        cuda = build["cuda_override"] or ("" if build["source"] == "wheels" else build["cuda"])
        pip = specs.pip_lines(build, asked.companions, asked.wheels_url)
    if "pip" in asked.pip:
        # It installs itself, with that of the engine.
        packages = [each for each in packages if each != "pip"]
    packages += asked.packages
    pip += asked.pip
    channels = asked.channels
    if channels is None:
        channels = with_mirrors(build.get("channels") or [], given)
    return Plan(
        build=build,
        messages=_messages(build, wanted),
        packages=packages,
        pip=pip,
        channels=channels,
        cuda=cuda,
        key=_key(packages, channels, cuda, pip),
        expect_torch=specs.expected_torch(build, asked.torch, str(asked.cuda)),
    )


def _require_no_cuda(asked: Asked) -> None:
    if str(asked.cuda):
        raise UserError(
            "no torch_env_cuda with torch_env_source %s, which is torch for the CPU" % asked.source,
            str(asked.cuda),
            "set torch_env_source to wheels, or leave torch_env_cuda out",
        )


def _constraints(asked: Asked, channels: t.Sequence[str]) -> dict[str, t.Any]:
    """What the build must fulfil, in the order in which the message names it."""
    is_declared = bool(str(asked.cuda) or asked.gpus or asked.drivers)
    return {
        "source": source_of(asked.source, channels, is_declared),
        "gpus": asked.gpus,
        "driver": lowest(asked.drivers),
        "cuda": str(asked.cuda),
        "python": asked.python,
        "torch": asked.torch,
        "glibc": lowest(asked.glibc),
        "platform": asked.platform,
    }


def lowest(versions: t.Sequence[str]) -> str:
    """The lowest of several versions, as numbers: ``lowest(["580.65", "70.1"])`` is ``"70.1"``.

    One that is not a version is returned first, so that the choice of the build refuses it.
    """
    return min(versions, key=lambda one: (is_version(one), key(one) if is_version(one) else ()), default="")


def _messages(build: t.Mapping[str, t.Any], wanted: t.Mapping[str, t.Any]) -> list[str]:
    """The choice in one line, and its warnings."""
    if not build:
        return []
    reasons = []
    for name, value in wanted.items():
        if value:
            reasons.append("%s %s" % (name, " ".join(map(str, value)) if isinstance(value, list) else value))
    choice = "torch {torch} for CUDA {cuda} with python {python} from {source}, the newest for ".format(**build)
    return [choice + ", ".join(reasons), *("warning: %s" % warning for warning in build["warnings"])]


def _key(packages: list[str], channels: list[str], cuda: t.Any, pip: list[str]) -> str:
    """The SHA-256 that names a site environment. A password or token that changes gives the same name."""
    request = [packages, [_nameless(each) for each in channels], cuda, [_nameless(line) for line in pip]]
    return hashlib.sha256(json.dumps(request).encode()).hexdigest()


def _nameless(address: str) -> str:
    """*address* without users and tokens, by the rule that named the environments that are published already."""
    # A query string is a secret too, which an earlier rule did not know.
    address = without_credentials(address) if "?" in address else address
    return _USER_OR_TOKEN.sub(lambda match: match.group(1) or "", address)
