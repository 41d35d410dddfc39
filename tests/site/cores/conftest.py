"""The versions of ansible-core, next to the one that runs pytest: venvs that HPC_TEST_CORES names."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest


def version_of(venv: pathlib.Path) -> str:
    """The version of ansible-core in a venv: ``2.21.5`` for ``.../ansible_core-2.21.5.dist-info``."""
    (found,) = venv.glob("lib/python3*/site-packages/ansible_core-*.dist-info")
    return found.name[len("ansible_core-") : -len(".dist-info")]


VENVS = [pathlib.Path(path) for path in os.environ.get("HPC_TEST_CORES", "").split(os.pathsep) if path]


@pytest.fixture(params=VENVS, ids=version_of, scope="module")
def core(request: pytest.FixtureRequest) -> pathlib.Path:
    """The venv of one ansible-core."""
    return t.cast(pathlib.Path, request.param)


@pytest.fixture
def series(core: pathlib.Path) -> str:
    """Its series, such as 2.21."""
    return ".".join(version_of(core).split(".")[:2])
