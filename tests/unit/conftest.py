"""Make ``ansible_collections.hpc.pytorch`` importable from the checkout, as Ansible does; a server with a login."""

from __future__ import annotations

import base64
import functools
import http.server
import pathlib
import threading
import typing as t

import pytest
from ansible.module_utils import _internal
from ansible.module_utils.common import warnings
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]

_AnsibleCollectionFinder(paths=[str(CHECKOUT / ".collections")])._install()


@pytest.fixture(autouse=True)
def as_on_the_target(monkeypatch):
    """A module's warnings are in its result, whichever test has imported the controller's code or warned before."""
    monkeypatch.setattr(_internal, "is_controller", False)
    monkeypatch.setattr(warnings, "_global_warnings", {})


@pytest.fixture
def guard() -> t.Iterator[t.Callable[[pathlib.Path], str]]:
    """Serves a channel at ``/deep/chan`` to alice with pa55@word and, below ``/deep/t/TOKEN123``, to the token."""
    expected = "Basic " + base64.b64encode(b"alice:pa55@word").decode()
    servers = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            token = self.path.startswith("/deep/t/TOKEN123/chan/")
            if not token and self.headers.get("Authorization") != expected:
                # One write, or a client that hangs up early breaks the pipe.
                self.wfile.write(b"HTTP/1.0 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
                return
            # http.server's 304 has no date, which rattler does not take.
            del self.headers["If-Modified-Since"]
            self.path = self.path.replace("/deep/t/TOKEN123/chan", "").replace("/deep/chan", "")
            super().do_GET()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    def start(folder: pathlib.Path) -> str:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return "http://127.0.0.1:%d/deep/chan" % server.server_port

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
