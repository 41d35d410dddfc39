# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A web server on this machine that serves a channel, with one fault on request."""

from __future__ import annotations

import contextlib
import functools
import http.server
import pathlib
import threading
import typing as t

# The faults of an answer for a file whose path holds ``word``.
FAULTS = ("status 503", "status 404", "truncated", "wrong hash", "silent in the middle", "never answers")


class Server:
    """Serves *folder* until the context ends; ``fault`` and ``word`` may be set at any time."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.fault: str | None = None
        self.word = ""
        self._over = threading.Event()
        self._server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(_handler(self), directory=str(folder))
        )
        self._server.daemon_threads = True
        self.address = "http://127.0.0.1:%d" % self._server.server_port

    def __enter__(self) -> Server:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def silence(self) -> None:
        """Send nothing until the server ends."""
        self._over.wait()

    def answer_wrongly(self, handler: http.server.SimpleHTTPRequestHandler) -> bool:
        """Answer with the fault if it concerns the request; returns whether it did."""
        if self.fault is None or self.word not in handler.path:
            return False
        path = pathlib.Path(handler.translate_path(handler.path))
        if self.fault.startswith("status ") or not path.is_file():
            handler.send_error(int(self.fault.split()[1]) if self.fault.startswith("status ") else 404)
        elif self.fault == "never answers":
            self.silence()
        else:
            content = path.read_bytes()
            handler.send_response(200)
            if self.fault == "wrong hash":
                # A complete archive, but another one.
                content = next(
                    other for other in sorted(path.parent.glob("*" + path.suffix)) if other != path
                ).read_bytes()
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            with contextlib.suppress(ConnectionError):
                handler.wfile.write(content if self.fault == "wrong hash" else content[: len(content) // 3])
                handler.wfile.flush()
            if self.fault == "silent in the middle":
                self.silence()
        return True


def _handler(server: Server) -> t.Any:
    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            # http.server's 304 lacks the headers that rattler needs of one.
            del self.headers["If-Modified-Since"]
            if not server.answer_wrongly(self):
                with contextlib.suppress(ConnectionError):
                    super().do_GET()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    return Handler
