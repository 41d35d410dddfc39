"""A channel with Python and pip; and what is collected here only on request, as a real conda is on no package index."""

from __future__ import annotations

import os
import pathlib
import sys
import typing as t

import pytest

collect_ignore = [] if os.environ.get("HPC_TEST_CONDA") else ["test_real_conda.py"]


@pytest.fixture(scope="session")
def _python_channel(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return tmp_path_factory.mktemp("python-channel") / "channel"


@pytest.fixture
def python_channel(_python_channel: pathlib.Path, play: t.Callable[..., t.Any]) -> pathlib.Path:
    """A channel with this interpreter and pip, published by the first test that asks. Not to be changed: copy it."""
    if not _python_channel.exists():
        published = play(
            [
                {
                    "hpc.pytorch.conda_channel": {
                        "path": str(_python_channel),
                        "python": [sys.executable],
                        "wheels": ["pip"],
                        "executable": sys.executable,
                    }
                }
            ],
            {},
        )
        assert published.rc == 0, published.output
    return _python_channel
