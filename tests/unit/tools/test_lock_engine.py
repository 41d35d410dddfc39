"""The engine's lock has every package that the engine's requirements name, with hashes, as the module takes it."""

from __future__ import annotations

import pathlib
import re
import runpy

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engine_venv.request import engine_request

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
FILES = CHECKOUT / "roles/conda/files"
TOOL = runpy.run_path(str(CHECKOUT / "tools/lock_engine.py"))


def pins(text: str) -> dict[str, str]:
    lines = re.findall(r"(?m)^([A-Za-z0-9._-]+)==([^\s;\\]+)", text)
    return {TOOL["canonical"](name): version for name, version in lines}


def test_the_lock_is_that_of_the_requirements():
    wanted, locked = (pins((FILES / name).read_text()) for name in ("engine-requirements.txt", "engine-lock.txt"))
    # Otherwise run tools/lock_engine.py.
    assert wanted and wanted.items() <= locked.items()


def test_every_package_has_hashes_and_the_module_accepts_all():
    text = (FILES / "engine-lock.txt").read_text()
    request = engine_request("/opt/engine", text, None)
    assert len(request.lines) == len(pins(text)) and all("--hash=sha256:" in line for line in request.lines)


@pytest.mark.parametrize(
    "name, right",
    [
        ("tool-1.0-py3-none-any.whl", True),
        ("Tool-1.0-py2.py3-none-any.whl", True),
        ("tool-1.0-cp310-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", True),
        ("tool-1.0-cp311-cp311-manylinux_2_28_aarch64.whl", True),
        ("tool-1.0-cp311-cp311-musllinux_1_2_x86_64.whl", True),
        ("tool-1.0-cp39-cp39-manylinux_2_28_aarch64.whl", False),
        ("tool-1.0-cp313-cp313t-manylinux_2_28_x86_64.whl", False),
        ("tool-1.0-pp310-pypy310_pp73-manylinux_2_28_x86_64.whl", False),
        ("tool-1.0-cp311-cp311-macosx_11_0_arm64.whl", False),
        ("tool-1.0-cp311-cp311-win_amd64.whl", False),
        ("tool-1.0-cp311-cp311-manylinux_2_28_ppc64le.whl", False),
        ("tool-1.0.1-py3-none-any.whl", False),
        ("tools-1.0-py3-none-any.whl", False),
        ("tool-1.0.tar.gz", False),
    ],
)
def test_which_files_of_a_release_count(name, right):
    assert TOOL["fits"](name, "tool", "1.0") is right
