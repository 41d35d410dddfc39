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
import types
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._torch import report, run
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.plan import Plan
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.probe import kernels, libraries
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.report import KERNELS, parse_records
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.run import BOOTSTRAP, bundle

from .standin import standin

PARTS = dict(json.loads(bundle(Plan()))["parts"])
FOLDER = pathlib.Path(inspect.getfile(kernels)).parent
PYENV = pathlib.Path(os.environ.get("PYENV_ROOT") or "/nonexistent") / "versions"
# Every older Python this machine has; the grammar is checked without them.
OLDER = (
    [str(path) for minor in range(6, 11) for path in PYENV.glob("3.%d.*/bin/python" % minor)]
    if os.access(PYENV, os.R_OK | os.X_OK)
    else []
)
OLDER += [path for path in (shutil.which("python3.%d" % minor, path="/usr/bin") for minor in range(6, 11)) if path]


def test_every_file_of_the_probe_is_sent() -> None:
    assert {name + ".py" for name in PARTS} == {path.name for path in FOLDER.glob("*.py")} - {"__init__.py"}


def test_every_kind_of_record_is_read_and_only_those_that_exist_count_from_the_first_probe() -> None:
    calls = [node for text in (*PARTS.values(), inspect.getsource(run)) for node in ast.walk(ast.parse(text))]
    sent = {
        keyword.value.value
        for call in calls
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg == "kind" and isinstance(keyword.value, ast.Constant)
    }
    read = {node.value for node in ast.walk(ast.parse(inspect.getsource(report))) if isinstance(node, ast.Constant)}
    assert {"node", "nvml", "device_done"} < sent
    assert sent <= read, "report.py reads none of these"
    assert run.FIRST_COUNTS <= sent


@pytest.mark.parametrize("part", [*PARTS, "the bootstrap"])
def test_grammar_is_that_of_python_3_6(part: str) -> None:
    source = PARTS.get(part, BOOTSTRAP)
    assert source.isascii()
    tree = ast.parse(source, feature_version=(3, 6))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level], (
        "nothing of ours is there"
    )
    # What the parser lets through: the names that came later.
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {item.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for item in node.names}
    keywords = {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword)}
    assert not names & {"annotations", "removeprefix", "removesuffix", "fromisoformat", "isascii", "perf_counter_ns"}
    assert not keywords & {"capture_output", "text", "dirs_exist_ok", "missing_ok"}


def records_of(python: str, torch: str, folder: pathlib.Path) -> list[dict[str, t.Any]]:
    (folder / "torch").mkdir()
    (folder / "torch" / "__init__.py").write_text(torch)
    out, into = os.pipe()
    source_out, source_into = os.pipe()
    variables = dict(os.environ, PYTHONPATH=str(folder), PYTHONDONTWRITEBYTECODE="1")
    with subprocess.Popen(
        [python, "-c", BOOTSTRAP, str(into), str(source_out)], pass_fds=[into, source_out], env=variables
    ) as probe:
        os.close(into)
        os.close(source_out)
        with os.fdopen(source_into, "wb") as stream:
            stream.write(bundle(Plan(), str(folder)))
        with os.fdopen(out, "rb") as stream:
            records = parse_records(stream.read())
    assert probe.returncode == 0
    return records


@pytest.mark.parametrize("python", [sys.executable, *OLDER])
def test_it_runs(python: str, tmp_path: pathlib.Path) -> None:
    records = records_of(python, standin(count=2, faults={1: "no kernel image"}), tmp_path)
    kinds = [record["kind"] for record in records if record["kind"] not in ("step", "kernel", "cudnn")]
    assert kinds[:6] == ["node", "library_path", "python", "torch_found", "torch", "cpu"]
    # A device failed, so the node is checked for a cause.
    assert kinds[6:] == ["cuda"] + ["device", "device_done"] * 2 + [
        "nccl",
        "shadowed",
        "driver",
        "files",
        "kernel_log",
        "driver",
        "nvml",
    ]
    done = [record for record in records if record["kind"] == "device_done"]
    assert [record["passed"] for record in done] == [True, False]
    assert done[1]["error"]["kernel"] == "matmul"
    assert [record["kernel"] for record in records if record["kind"] == "kernel"] == list(KERNELS)
    assert records[-1] == {"kind": "step", "step": "end", "task": None}


@pytest.mark.parametrize("python", [sys.executable, *OLDER])
def test_a_passing_node_is_not_checked_for_causes(python: str, tmp_path: pathlib.Path) -> None:
    records = records_of(python, standin(count=2), tmp_path)
    tasks = {record["task"] for record in records if record["kind"] == "step"}
    assert tasks == {None, "device 0", "device 1", "all-reduce"}
    reduced = next(record for record in records if record["kind"] == "all_reduce")
    assert (reduced["passed"], reduced["devices"], reduced["error"]) == (True, [0, 1], None)
    assert next(record for record in records if record["kind"] == "nccl")["version"] == "2.4.8"


def test_the_product_tells_a_wrong_sum_from_a_right_one() -> None:
    left, right, product = kernels.operands()
    assert left != right and product not in (left, right)
    assert product[1][2] == sum(left[1][k] * right[k][2] for k in range(kernels.SIDE))
    assert len({value for row in product for value in row}) > 10
    image, mask, expected = kernels.convolution()
    assert expected[4][7] == sum(image[4 + j][7 + i] * mask[j][i] for j in range(3) for i in range(3))
    assert len({value for row in expected for value in row}) > 10


@pytest.mark.parametrize("found, said", [(2408, "2.4.8"), (21805, "2.18.5"), ((2, 30, 7), "2.30.7"), (None, None)])
def test_the_version_of_nccl(found: t.Any, said: str | None) -> None:
    names: dict[str, t.Any] = {}
    exec(standin(nccl=found), names)  # the stand-in's names, as torch's
    assert kernels.nccl_version(types.SimpleNamespace(**names)) == said


@pytest.mark.parametrize(
    "name, family",
    [
        ("libcudnn.so.9", ("libcudnn", "9")),
        ("libcudnn_cnn.so.9.1.0", ("libcudnn_cnn", "9")),
        ("libcublasLt.so.12", ("libcublasLt", "12")),
        # Old wheels have the names of their own libraries hashed.
        ("libcudart-1b201d85.so.10.1", ("libcudart", "10")),
        ("libnccl.so.2", ("libnccl", "2")),
        ("libcuda.so.1", None),
        ("libcurl.so.4", None),
        ("libtorch_cuda.so", None),
    ],
)
def test_the_families_of_libraries(name: str, family: tuple[str, str] | None) -> None:
    match = libraries.FAMILY.match(name)
    assert (match.groups() if match else None) == family


def test_records_survive_what_is_around_them() -> None:
    path = b"/caf\xe9".decode("utf-8", "surrogateescape")
    data = b'junk\n{"a": 1}\n[1]\n\xff\n' + json.dumps({"kind": "x", "path": path}).encode() + b'\n{"kind": "st'
    assert parse_records(data) == [{"kind": "x", "path": "/caf?"}]
