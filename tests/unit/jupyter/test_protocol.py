# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jupyter's messages, the lines between launcher and node, and the answers of a kernel that does not run."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._jupyter.protocol import answers, connection, messages, wire

SIGNER = messages.Signer(b"a key")


def request(kind: str, **content: t.Any) -> messages.Message:
    frames = messages.make(SIGNER, kind, content, {}, [b"client"], "session")
    found = messages.read(frames, SIGNER)
    assert found is not None
    return found


def test_a_message_is_read_as_it_was_made() -> None:
    found = request("execute_request", code="1")
    assert (found.kind, found.identities, found.content) == ("execute_request", (b"client",), {"code": "1"})


@pytest.mark.parametrize("at", range(2, 7))
def test_a_changed_message_is_nobodys(at: int) -> None:
    frames = messages.make(SIGNER, "shutdown_request", {}, {}, [b"client"], "session")
    assert messages.read(frames, messages.Signer(b"another key")) is None
    frames[at] = frames[at].replace(b"}", b" }") if at > 2 else b"0" * 64
    assert messages.read(frames, SIGNER) is None


@pytest.mark.parametrize("frames", [[], [b"x"], [messages.DELIMITER], [messages.DELIMITER, b"", b"{", b"", b"", b""]])
def test_what_is_no_message(frames: list[bytes]) -> None:
    assert messages.read(frames, messages.Signer(b"")) is None
    assert messages.read(frames, None) is None


def test_without_a_key_nothing_is_signed() -> None:
    frames = messages.make(messages.Signer(b""), "status", {}, {}, [], "session")
    assert frames[1] == b""
    assert messages.read(frames, messages.Signer(b"")) is not None


def test_lines_are_cut_however_they_come() -> None:
    lines = [wire.Line("frames", "shell", (b"", b"\n\0\xff", b"x" * 3000)), wire.Line("hello", content={"job": "7"})]
    data = b"a prolog prints\n" + b"".join(map(wire.encode, lines)) + b"rest"
    for size in (1, 7, 5000):
        cut = wire.Lines()
        raw = [line for at in range(0, len(data), size) for line in cut.feed(data[at : at + size])]
        assert [wire.decode(line) for line in raw] == [None, *lines]
        assert cut.rest() == b"rest"


@pytest.mark.parametrize("raw", [b"", b"\x1e", b"\x1e{}", b"\x1e[]", b"\x1e[1", b'\x1e["frames", "shell", [1]]', b"[]"])
def test_other_lines_are_not_ours(raw: bytes) -> None:
    assert wire.decode(raw) is None


def test_a_connection_file_is_read_as_it_was_written() -> None:
    place = connection.in_folder("/tmp/x", SIGNER)
    assert connection.from_text(connection.as_text(place), "f") == place
    assert place.address("shell") == "ipc:///tmp/x/k-1"
    assert place._replace(transport="tcp", ip="127.0.0.1").address("hb") == "tcp://127.0.0.1:5"


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"key": 1}'])
def test_what_is_no_connection_file(text: str) -> None:
    with pytest.raises(UserError, match="expected a connection file of Jupyter at f"):
        connection.from_text(text, "f")


def kinds(found: t.Sequence[answers.Answer]) -> list[str]:
    return [kind if kind != "status" else content["execution_state"] for kind, content, _all in found]


def test_each_request_to_a_failed_kernel_has_an_answer() -> None:
    cell = answers.failed(request("execute_request", code="1"), "Headline.", "a\nb")
    assert kinds(cell) == ["busy", "error", "execute_reply", "idle"]
    assert cell[1][1]["traceback"] == ["a", "b"] and cell[2][1]["status"] == "error"
    silent = answers.failed(request("execute_request", code="1", silent=True), "Headline.", "a")
    assert kinds(silent) == ["busy", "execute_reply", "idle"]
    assert kinds(answers.failed(request("kernel_info_request"), "H", "a")) == ["busy", "kernel_info_reply", "idle"]
    assert kinds(answers.failed(request("complete_request"), "H", "a")) == ["busy", "complete_reply", "idle"]
    assert kinds(answers.failed(request("debug_request"), "H", "a")) == ["busy", "debug_reply", "idle"]
    assert kinds(answers.failed(request("comm_msg"), "H", "a")) == ["busy", "idle"]
