"""When the pip of the Python that is given installs the engine, instead of one in the venv."""

from __future__ import annotations

import os

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engine_venv import build
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engine_venv.request import EngineRequest


@pytest.mark.parametrize(
    ("user", "version", "requirements", "quick"),
    [
        (1000, "26.3", "pip==26.3\ntool==1.0\n", True),
        (1000, "23.0.1", "pip==26.3\n", True),
        (1000, "22.2", "pip==26.3\n", False),
        (1000, "", "pip==26.3\n", False),
        # The venv would have no pip.
        (1000, "26.3", "tool==1.0\n", False),
        # Another user may be able to change that pip.
        (0, "26.3", "pip==26.3\n", False),
    ],
)
def test_whose_pip(tmp_path, monkeypatch, user, version, requirements, quick):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\n%s\n" % ("echo %s /lib/pip" % version if version else "exit 1"))
    python.chmod(0o755)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    given = build._given_pip(EngineRequest("/opt/engine", requirements, None), str(python))
    assert given == ("/lib/pip" if quick else None)
