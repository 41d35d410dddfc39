"""The probe's text: what the oldest Python that it must run on can read and run."""

from __future__ import annotations

import ast
import inspect
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._torch import probe
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.report import parse_records

from .standin import standin

SOURCE = inspect.getsource(probe)
PYENV = pathlib.Path(os.environ.get("PYENV_ROOT") or pathlib.Path.home() / ".pyenv") / "versions"
# Every older Python this machine has; the grammar is checked without them.
OLDER = [str(path) for minor in range(6, 11) for path in PYENV.glob("3.%d.*/bin/python" % minor)] if os.access(PYENV, os.R_OK | os.X_OK) else []
OLDER += [path for path in (shutil.which("python3.%d" % minor, path="/usr/bin") for minor in range(6, 11)) if path]


def test_grammar_is_that_of_python_3_6() -> None:
    assert SOURCE.isascii()
    tree = ast.parse(SOURCE, feature_version=(3, 6))
    # What the parser lets through: the names that came later.
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {item.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for item in node.names}
    keywords = {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword)}
    assert not names & {"annotations", "removeprefix", "removesuffix", "fromisoformat", "isascii", "perf_counter_ns"}
    assert not keywords & {"capture_output", "text", "dirs_exist_ok", "missing_ok"}


@pytest.mark.parametrize("python", [sys.executable, *OLDER])
def test_it_runs(python: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text(standin(count=2, faults={1: "no kernel image"}))
    out, into = os.pipe()
    variables = dict(os.environ, PYTHONPATH=str(tmp_path), PYTHONDONTWRITEBYTECODE="1")
    subprocess.run([python, "-", str(into)], input=SOURCE.encode(), check=True, pass_fds=[into], env=variables)
    os.close(into)
    with os.fdopen(out, "rb") as stream:
        records = parse_records(stream.read())
    kinds = [record["kind"] for record in records if record["kind"] != "step"]
    assert kinds == ["python", "torch_found", "torch", "cpu", "cuda"] + ["device", "device_done"] * 2 + ["driver"]
    done = [record for record in records if record["kind"] == "device_done"]
    assert [record["passed"] for record in done] == [True, False]
    assert done[1]["error"]["kernel"] == "matmul"
    assert records[-1] == {"kind": "step", "step": "end"}


def test_the_product_tells_a_wrong_sum_from_a_right_one() -> None:
    left, right, product = probe.operands()
    assert left != right and product not in (left, right)
    assert product[1][2] == sum(left[1][k] * right[k][2] for k in range(probe.SIDE))
    assert len({value for row in product for value in row}) > 10


def test_records_survive_what_is_around_them() -> None:
    path = b"/caf\xe9".decode("utf-8", "surrogateescape")
    data = b'junk\n{"a": 1}\n[1]\n\xff\n' + json.dumps({"kind": "x", "path": path}).encode() + b'\n{"kind": "st'
    assert parse_records(data) == [{"kind": "x", "path": "/caf?"}]
