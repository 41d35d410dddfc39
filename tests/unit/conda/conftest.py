"""Real channels, a real engine, a temporary home: no test touches the user's."""

from __future__ import annotations

import functools
import http.server
import importlib.util
import pathlib
import sys
import threading
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.apply.declare import declare_env
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.apply.options import Options


def _helper(name: str) -> t.Any:
    spec = importlib.util.spec_from_file_location(name, pathlib.Path(__file__).with_name(name + ".py"))
    assert spec and spec.loader
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


tiny_channel = _helper("tiny_channel")
_helper("tiny_installer")
https = _helper("https_server")

DEFAULTS: dict[str, t.Any] = {
    "prefix": None,
    "name": None,
    "envs_dir": None,
    "packages": [],
    "prune": False,
    "pip": [],
    "channels": None,
    "channel_priority": None,
    "lock_file": None,
    "engine": "auto",
    "executable": None,
    "cuda": None,
    "package_cache": None,
    "compile": False,
    "register_envs": True,
    "verify": False,
    "state": "present",
    "progress_file": None,
}


@pytest.fixture(autouse=True)
def _no_real_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes ~/.conda, ~/.config or ~/.cache of the user that runs it."""
    monkeypatch.setenv("HOME", str(tmp_path_factory.getbasetemp()))
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A temporary home directory, with its caches in it."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in ("XDG_CACHE_HOME", "CONDARC", "CONDA_ROOT", "CONDA_OVERRIDE_CUDA"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def channel(tmp_path: pathlib.Path) -> pathlib.Path:
    """app 1.0 needs liba 1, app 2.0 needs liba 2; extra needs extradep; gpu needs __cuda 12."""
    folder = tmp_path / "channel"
    for version, needs in (("1.0", "liba >=1,<2"), ("2.0", "liba >=2")):
        tiny_channel.make_package(folder, "liba", version)
        script = "#!%s/bin/sh\n# app %s\n" % (tiny_channel.PLACEHOLDER, version)
        tiny_channel.make_package(folder, "app", version, depends=[needs], files={"bin/app": script})
    tiny_channel.make_package(folder, "extra", "1.0", depends=["extradep"])
    tiny_channel.make_package(folder, "extradep", "1.0")
    tiny_channel.make_package(folder, "gpu", "1.0", depends=["__cuda >=12"])
    return tiny_channel.index(folder)


@pytest.fixture
def declare(home: pathlib.Path, channel: pathlib.Path) -> t.Callable[..., dict[str, t.Any]]:
    """conda_env with its defaults, on the env ``~/.conda/envs/torch`` and the small channel."""

    def call(check_mode: bool = False, **params: t.Any) -> dict[str, t.Any]:
        given = (
            dict(DEFAULTS, channels=["file://%s" % channel], **params)
            if "channels" not in params
            else dict(DEFAULTS, **params)
        )
        if not given["prefix"] and not given["name"]:
            given["name"] = "torch"
        return declare_env(Options(**given), check_mode)

    return call


@pytest.fixture
def serve() -> t.Iterator[t.Callable[[pathlib.Path], str]]:
    """Serves a folder over HTTP; any user, password or token in the address is accepted."""
    servers = []

    def start(folder: pathlib.Path) -> str:
        class Handler(http.server.SimpleHTTPRequestHandler):
            def translate_path(self, path: str) -> str:
                return super().translate_path(path.replace("/t/TOKEN123", ""))

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return "http://127.0.0.1:%d" % server.server_port

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def https_server(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Callable[..., t.Any]]:
    """Serves one body over https on this machine."""
    servers = []
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)

    def start(body: bytes, folder: pathlib.Path = tmp_path) -> t.Any:
        servers.append(https.HttpsServer(folder, body))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def prefix(home: pathlib.Path) -> pathlib.Path:
    return home / ".conda" / "envs" / "torch"
