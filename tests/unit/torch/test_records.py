# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Interpreters that send what no probe sends: none is believed, waits, fills the memory or accuses the node."""

from __future__ import annotations

import json
import os
import sys

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._torch import run
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.asked import Asked
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.diagnose.verdict import result
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.records import KINDS, NotUnderstood, understood
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.report import parse_records

# One good record of each kind.
GOOD = {
    "step": {"step": "import torch", "task": None},
    "refused": {"expected": "a", "found": "b", "remedy": "c"},
    "exec_failed": {"path": "/e/bin/python", "error": "Exec format error"},
    "node": {
        "hostname": "n1",
        "kernel_module": True,
        "kernel_version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.86.15\nGCC version: 13\n",
        "uvm_module": True,
        "gpus": None,
        "files": ["nvidia0"],
        "variables": {"LD_LIBRARY_PATH": "/x:" * 3000},
        "place": {"container": None, "slurm": True, "wsl": False, "jetson": False, "kfd": None, "pci": 1},
    },
    "library_path": {"found": [["LD_LIBRARY_PATH", "/x/libcudart.so.12"]]},
    "python": {
        "version": "3.12.1",
        "executable": "/e/bin/python",
        "prefix": "/e",
        "user_site": None,
        "python_path": [],
        "conda": True,
        "added": [{"folder": "/home/u/code", "by": "PYTHONPATH"}],
    },
    "settings": {"settings": {"TORCH_LOGS": "+dynamo"}},
    "variables": {"variables": {"PYTHONPATH": "/home/u/code"}},
    "outside": {"modules": [{"name": "numpy", "path": "/home/u/code/numpy.py", "instead": None}]},
    "torch_missing": {"leftover": None},
    "torch_found": {"path": "/e/torch/__init__.py", "own": None},
    "import_failed": {
        "error": {"type": "ImportError", "text": "a\nb", "name": None},
        "files": ["/home/u/code/numpy.py"],
    },
    "torch": {"version": "2.9.0", "cuda": "12.8", "hip": None, "git": None, "path": "/caf\u00e9/torch", "seconds": 1.5},
    "cpu": {"passed": True, "error": None},
    "doubled": {
        "packages": [
            {
                "library": "nccl",
                "name": "nvidia-nccl-cu11",
                "version": "2.21.5",
                "record": "/e/x.dist-info",
                "wanted_by": ["fancy 1.0"],
            }
        ]
    },
    "numpy": {"version": "2.2.6", "path": None, "error": None, "own_error": None, "files": []},
    "cuda": {"available": True, "count": 8, "error": None, "warnings": [], "archs": ["sm_90"]},
    "device": {"index": 0, "name": "TITAN V", "compute_capability": "7.0", "memory": 12 * 10**9},
    "cudnn": {"version": 91002},
    "kernel": {"index": 0, "kernel": "matmul", "seconds": 0.1},
    "device_done": {"index": 0, "passed": True, "error": None, "seconds": 1},
    "nccl": {"version": "2.27.3"},
    "shadowed": {"libraries": [{"name": "a", "path": "/a", "instead": "/b"}]},
    "driver": {"library": True, "library_error": None, "path": None, "cuda": 12080, "init": None},
    "all_reduce": {"passed": True, "devices": [0, 1], "error": None, "seconds": 0.5},
    "files": {"opened": {"nvidia0": None, "nvidiactl": "EPERM"}},
    "nvml": {
        "error": None,
        "code": None,
        "devices": [
            dict.fromkeys(("uuid", "compute_mode", "mig", "instances", "fabric", "processes"), None) | {"index": 0}
        ],
    },
    "kernel_log": {"lines": ["NVRM: Xid 79"]},
}
# What takes a value's place.
ODD = {
    "text": "x",
    "number": 10**9,
    "huge": 10**25,
    "below": -(10**25),
    "flag": True,
    "list": [[]],
    "many": ["x"] * 3000,
    "mapping": {"x": {"x": {}}},
    "nothing": None,
}


def test_a_good_record_of_each_kind():
    assert set(GOOD) == set(KINDS)
    for kind, fields in GOOD.items():
        record = {"kind": kind, **fields}
        assert understood(record) == record, kind


PLACES = [(kind, key) for kind, fields in GOOD.items() for key in fields]


@pytest.mark.parametrize(("kind", "key"), PLACES)
def test_a_value_of_another_type(kind, key):
    refused = 0
    for odd in ODD.values():
        try:
            found = understood({"kind": kind, **GOOD[kind], key: odd})
        except NotUnderstood as error:
            refused += 1
            assert str(error).isprintable()
        else:
            # What is taken has a type that the key has in a good record, or may have.
            assert type(found[key]) is type(odd)
    assert refused >= 5


@pytest.mark.parametrize("kind", sorted(set(GOOD) - {"torch_missing"}))
def test_a_record_without_its_keys(kind):
    with pytest.raises(NotUnderstood, match="a record %s without" % kind):
        understood({"kind": kind})


@pytest.mark.parametrize("text", ["\x1b[2J", "\x9b", "\u202e", "\x00", "\r", "\x85", "\u2028"], ids=ascii)
def test_control_characters_are_escapes(text):
    found = understood({"kind": "device", **GOOD["device"], "name": text})
    assert found["name"].isprintable() and found["name"]
    found = understood(
        {"kind": "import_failed", "error": {"type": text, "text": "a\n" + text, "name": None}, "files": []}
    )
    assert found["error"]["text"].split("\n")[0] == "a" and found["error"]["text"].split("\n")[1].isprintable()


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 100000,
        b'{"a":' * 50000,
        b"1" * 10**6,
        b'{"kind": "cuda", "count": NaN}',
        b'{"kind": 5}',
        b"\xff\x00",
        b"",
        b'"kind"',
    ],
    ids=lambda line: repr(line[:12]),
)
def test_a_line_that_is_no_record_is_left_out(line):
    assert parse_records(line + b'\n{"kind": "step", "step": "end"}\n') == [{"kind": "step", "step": "end"}]


# An interpreter: gets the probe's own arguments, of which the last but one is where records go.
LIAR = """#!{python} -IS
import os, sys, time
out = int(sys.argv[-2])
def send(data):
    while data:
        data = data[os.write(out, data):]
{body}
"""
END = 'send(b\'{"kind": "step", "step": "end"}\\n\')\n'
TRUE = "".join(
    "send(%r)\n" % (json.dumps(dict(GOOD[kind], kind=kind)) + "\n").encode()
    for kind in ("python", "torch", "cpu", "driver")
)
LIES = {
    "a billion devices": TRUE + 'send(b\'{"kind": "cuda", "available": true, "count": 1000000000, "error": null,'
    ' "warnings": [], "archs": []}\\n\')\n' + END,
    "a billionth device": TRUE + 'send(b\'{"kind": "device", "index": 1000000000, "name": "x"}\\n\')\n' + END,
    "a step without a name": TRUE + 'send(b\'{"kind": "step"}\\n\')\n' + END,
    "a failure without an error": TRUE + 'send(b\'{"kind": "cpu", "passed": "no"}\\n\')\n' + END,
    "an error that is a text": TRUE + 'send(b\'{"kind": "cpu", "passed": false, "error": "x"}\\n\')\n' + END,
    "records without an end": TRUE + 'while True: send(b\'{"kind": "step", "step": "x"}\\n\' * 1000)\n',
    "a line without an end": TRUE + "while True: send(b'x' * 65536)\n",
    "a text of ten million": TRUE + 'send(b\'{"kind": "step", "step": "\' + b"x" * 10**7 + b\'"}\\n\')\n' + END,
    "a device's error without a kernel": TRUE
    + 'send(b\'{"kind": "device_done", "index": -1, "passed": false, "error": {}}\\n\')\n',
    "cuda that is a list": TRUE + 'send(b\'{"kind": "cuda", "count": [1]}\\n\')\n' + END,
    "seconds without an end": TRUE
    + 'send(b\'{"kind": "kernel", "index": 0, "kernel": "copy", "seconds": 1e999}\\n\')\n'
    + END,
    "a torch of numbers": TRUE + 'send(b\'{"kind": "torch", "version": 2, "cuda": 12, "path": []}\\n\')\n' + END,
}


def lie(folder, body):
    python = folder / "bin" / "python"
    python.parent.mkdir()
    python.write_text(LIAR.format(python=sys.executable, body=body))
    python.chmod(0o755)
    # Of that size it would have eaten the machine: the test fails first.
    return result(run.run_probe(None, str(python), timeout=20), Asked(None, str(python)))


@pytest.mark.parametrize("body", LIES.values(), ids=LIES)
def test_an_interpreter_that_lies(tmp_path, body):
    found = lie(tmp_path, body)
    assert found["verdict"] == "failed" and [reason["code"] for reason in found["reasons"]] == ["import_failed"]
    assert "gave an answer that is not understood" in found["summary"] and found["devices"] == []
    # It says nothing about the node.
    assert "driver" not in found["reasons"][0]["remedy"] and len(json.dumps(found)) < 20000


PRINTED = {
    "escapes": "os.write(1, b'\\x1b[2J\\x9b\\x07\\r' * 9)",
    "binary": "os.write(2, bytes(range(256)) * 1000)",
    "without a line": "os.write(1, b'x' * 10**6)",
}


@pytest.mark.parametrize("body", PRINTED.values(), ids=PRINTED)
def test_what_an_interpreter_prints_is_seen(tmp_path, body):
    found = lie(tmp_path, body + "\nos._exit(3)\n")
    assert found["reasons"][0]["code"] == "import_failed" and len(found["output"]) < 20000
    assert found["summary"].isprintable() and all(
        line.replace("\t", "").isprintable() for line in found["output"].split("\n")
    )


def test_the_time_limit_holds_for_one_that_says_nothing(tmp_path):
    assert os.path.isabs(sys.executable)
    python = tmp_path / "python"
    python.write_text(LIAR.format(python=sys.executable, body="time.sleep(600)"))
    python.chmod(0o755)
    report = run.run_probe(None, str(python), timeout=1)
    assert report.ending.how == "timeout" and not report.ending.odd
