"""The data that the collection ships, once as tables and once as it stands in the files."""

from __future__ import annotations

import pathlib

import pytest
import yaml
from ansible_collections.hpc.pytorch.plugins.plugin_utils._torch_build import load

DATA = pathlib.Path(__file__).resolve().parents[3] / "plugins" / "plugin_utils" / "_torch_build" / "data"


@pytest.fixture(scope="session")
def tables():
    return load.shipped()


@pytest.fixture(scope="session")
def raw():
    return {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in DATA.glob("*.yml")}
