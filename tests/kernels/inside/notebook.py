# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real JupyterLab or Jupyter server, its kernels by REST, and their cells by websocket, as the page does it."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import subprocess
import threading
import time
import typing as t
import urllib.error
import urllib.request
import uuid

TOKEN = "a-token-of-the-tests"
# A cell that takes longer than this hangs.
SECONDS = 120


class Server:
    """A running server.

    :arg log: what it and its kernels have printed.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.log: list[str] = []
        self.url = ""
        while not self.url:
            line = self._line()
            found = re.search(r"http://127\.0\.0\.1:\d+/", line)
            self.url = found.group() if found else ""
        # A full pipe would stop the server.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        # It prints its address before it listens there.
        while not self._listens():
            assert process.poll() is None, "the server ended: %s" % "".join(self.log)
            time.sleep(0.02)

    def _listens(self) -> bool:
        try:
            urllib.request.urlopen(self.url + "api", timeout=SECONDS).close()
        except urllib.error.URLError as error:
            if isinstance(error.reason, ConnectionRefusedError):
                return False
            raise
        return True

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the server ended: %s" % "".join(self.log)
        self.log.append(line)
        return line

    def _read(self) -> None:
        with contextlib.suppress(AssertionError, ValueError):
            while True:
                self._line()

    def ask(self, path: str, method: str = "GET", body: t.Any = None) -> t.Any:
        """The answer of the REST interface."""
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "token " + TOKEN},
        )
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def kernel(self, name: str) -> Kernel:
        """Start a kernel."""
        return Kernel(self, self.ask("api/kernels", "POST", {"name": name})["id"])


class Cell(t.NamedTuple):
    """A cell that was run.

    :arg text: all that is below it, of a figure or an error its text.
    """

    status: str
    text: str


class Kernel:
    """A kernel of a server, with a websocket of its own."""

    def __init__(self, server: Server, number: str) -> None:
        self.server, self.id = server, number
        self._session = uuid.uuid4().hex
        self._connect()

    def _connect(self) -> None:
        import websocket

        url = self.server.url.replace("http", "ws", 1)
        self._socket = websocket.create_connection(
            "%sapi/kernels/%s/channels?session_id=%s" % (url, self.id, self._session),
            header=["Authorization: token " + TOKEN],
            timeout=SECONDS,
        )

    def send(self, code: str) -> str:
        """Send a cell and return its number."""
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": True}
        return self._send("shell", "execute_request", dict(content, stop_on_error=True))

    def answer(self, text: str) -> None:
        """Give the cell what its input() waits for."""
        self._send("stdin", "input_reply", {"value": text})

    def _send(self, channel: str, kind: str, content: t.Any) -> str:
        number = uuid.uuid4().hex
        header = {"msg_id": number, "msg_type": kind, "session": self._session, "username": "t", "version": "5.3"}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": channel}
        self._socket.send(json.dumps(dict(message, buffers=[])))
        return number

    def messages(self, cell: str) -> t.Iterator[dict[str, t.Any]]:
        """The messages about a cell, as they come."""
        import websocket

        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            # With the pings: while they come, the socket alone never runs out of time.
            kind, frame = self._socket.recv_data_frame(control_frame=True)
            if kind in (websocket.ABNF.OPCODE_TEXT, websocket.ABNF.OPCODE_BINARY):
                message = json.loads(frame.data)
                if message["parent_header"].get("msg_id") == cell:
                    yield message
                    end = time.monotonic() + SECONDS

    def wait(self, cell: str, until: str = "") -> Cell:
        """Wait until the cell is done, or until the text below it has *until* in it."""
        status, text, idle = "", "", False
        for message in self.messages(cell):
            kind, content = message["msg_type"], message["content"]
            if kind == "execute_reply":
                status = content["status"]
            elif kind == "status":
                idle = content["execution_state"] == "idle"
            elif kind == "stream":
                text += content["text"]
            elif kind in ("execute_result", "display_data"):
                text += content["data"]["text/plain"]
            elif kind == "error":
                text += "\n".join(content["traceback"])
            elif kind == "clear_output":
                text = ""
            elif kind == "input_request":
                text += content["prompt"]
            if (until and until in text) or (idle and status):
                return Cell(status, text)
        raise AssertionError("nothing came for %d s; until then: %r" % (SECONDS, text))

    def run(self, code: str) -> Cell:
        """Run a cell."""
        return self.wait(self.send(code))

    def state(self) -> str:
        """What the server says about it: ``idle``."""
        return str(self.server.ask("api/kernels/" + self.id)["execution_state"])

    def restart(self) -> None:
        """Restart it, as the button does: the page connects again, and the server asks until it hears the kernel."""
        self.server.ask("api/kernels/%s/restart" % self.id, "POST", {})
        self._socket.close()
        self._connect()

    def interrupt(self) -> None:
        """Interrupt it, as the button does."""
        self.server.ask("api/kernels/%s/interrupt" % self.id, "POST", {})

    def shut_down(self) -> None:
        """End it, as closing the notebook does. Twice is no error."""
        if self._socket.connected:
            self._socket.close()
            self.server.ask("api/kernels/" + self.id, "DELETE")


@contextlib.contextmanager
def server(
    python: str, home: pathlib.Path, variables: t.Mapping[str, str], program: str = "jupyter_server"
) -> t.Iterator[Server]:
    """Start a server below *home*, which is empty; end it with its kernels at the end.

    :arg program: ``jupyter_server`` or ``jupyterlab``.
    """
    command = [python, "-m", program, "--no-browser", "--ip=127.0.0.1", "--port=0", "--ServerApp.port_retries=0"]
    command += ["--allow-root", "--ServerApp.root_dir=%s" % home]
    own = {"HOME": str(home), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "JUPYTER_TOKEN": TOKEN}
    process = subprocess.Popen(
        command,
        env={**own, **variables},
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        yield Server(process)
    finally:
        process.terminate()
        process.wait(SECONDS)
