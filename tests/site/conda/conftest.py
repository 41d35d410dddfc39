"""A channel with Python and pip, an env of it, and an index with a password.

The tests with a real conda are collected only on request, since it is on no package index.
"""

from __future__ import annotations

import base64
import functools
import http.server
import os
import pathlib
import sys
import threading
import typing as t

import pytest
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

if "ansible_collections" not in sys.modules:
    # For tests that call the code of a module without Ansible around it.
    _AnsibleCollectionFinder(paths=[str(pathlib.Path(__file__).resolve().parents[3] / ".collections")])._install()

collect_ignore = [] if os.environ.get("HPC_TEST_CONDA") else ["test_real_conda.py"]


@pytest.fixture(scope="session")
def _python_channel(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return tmp_path_factory.mktemp("python-channel") / "channel"


@pytest.fixture
def python_channel(_python_channel: pathlib.Path, play: t.Callable[..., t.Any]) -> pathlib.Path:
    """A channel with this interpreter and pip, published by the first test that needs it. Copy it to change it."""
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


@pytest.fixture
def env(tmp_path: pathlib.Path, python_channel: pathlib.Path, play: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    """Runs conda_env on ``tmp_path/env``, an env with Python, with the options of the call."""

    def call(*arguments: str, **options: t.Any) -> t.Any:
        task = {
            "prefix": str(tmp_path / "env"),
            "packages": ["python"],
            "channels": ["file://%s" % python_channel],
            "package_cache": str(python_channel.parent / "pkgs"),
            "register_envs": False,
            **options,
        }
        return play([{"hpc.pytorch.conda_env": task}], {}, "-v", "--diff", *arguments)

    return call


@pytest.fixture
def index(tmp_path: pathlib.Path) -> t.Iterator[str]:
    """The address of the folder ``tmp_path/indexes``, which needs the user alice and the password pa55word."""
    expected = "Basic " + base64.b64encode(b"alice:pa55word").decode()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Authorization") == expected:
                super().do_GET()
            else:
                self.send_error(401)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    folder = tmp_path / "indexes"
    folder.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield "http://127.0.0.1:%d" % server.server_port
    server.shutdown()
    server.server_close()
