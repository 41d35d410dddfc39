"""A real venv with a real wheel: it works at its path, and from a pip that found nothing of another user's."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engine_venv.declare import Options, declare_engine

CHECKOUT = pathlib.Path(__file__).resolve().parents[4]


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("tiny_wheels", CHECKOUT / "tests/site/tiny_wheels.py")
    tiny_wheels = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tiny_wheels)
    made = tiny_wheels.make_wheel(tmp_path / "wheels", "tool", "1.0")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    return made


def test_python_pip_and_its_scripts_work_at_the_prefix(tmp_path, home, wheel):
    prefix = tmp_path / "my site/engine"
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    text = "tool==1.0 --hash=sha256:%s\n"
    options = Options(str(prefix), sys.executable, text % ("0" * 64), None, None)
    with pytest.raises(UserError, match="packages with the hashes that the requirements name"):
        declare_engine(options, False)
    assert not prefix.exists()

    made = declare_engine(options._replace(requirements=text % digest), False)
    clean = {"PATH": "/usr/bin:/bin", "HOME": str(home)}
    for command in (
        [made["executable"], "-I", "-c", "import tool; print('pip', tool.VERSION)"],
        [made["executable"], "-m", "pip", "--version"],
        [str(prefix / "bin/pip"), "--version"],
        [str(prefix / "bin/pip"), "check"],
    ):
        done = subprocess.run(command, env=clean, capture_output=True, text=True, check=True)
        assert done.stdout.startswith(("pip", "No broken")), done
    # Every path that is written in it leads to the folder that it is in now.
    venv = made["venv"].encode()
    for folder, _folders, names in os.walk(made["venv"]):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                continue
            content = pathlib.Path(path).read_bytes()
            assert content.count(str(tmp_path).encode()) == content.count(venv), path
