"""Choosing wheels with pip: its output is read, and refused projects stop it."""

from __future__ import annotations

import pathlib
import socket
import sys
import time

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._channel.python import interpreter
from ansible_collections.hpc.pytorch.plugins.module_utils._channel.wheels import pip_index
from ansible_collections.hpc.pytorch.plugins.module_utils._channel.wheels.pip_index import Index
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.redact import Address
from ansible_collections.hpc.pytorch.plugins.module_utils._files.progress import Progress
from ansible_collections.hpc.pytorch.plugins.module_utils._source.answers import answers

from .conftest import make_wheel

CPU = Index(refuse=("nvidia-*", "cuda-*"), max_megabytes=400)


@pytest.mark.parametrize(
    "line",
    [
        "Collecting nvidia-cublas-cu12==12.1.3.1 (from torch)\n",
        "Collecting NVIDIA_cudnn_cu12 (from torch)\n",
        "  Collecting cuda-bindings<14,>=13 (from torch)\n",
        "Processing /w/nvidia_nccl_cu13-2.30.7-py3-none-any.whl (from torch)\n",
        "  Downloading torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl (899.7 MB)\n",
        "  Downloading torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl (1.2 GB)\n",
    ],
)
def test_a_line_that_announces_cuda_stops_pip(line: str) -> None:
    with pytest.raises(UserError) as caught:
        pip_index.check_line(line, ["torch"], CPU)
    assert "channel_cpu_index" in str(caught.value)
    pip_index.check_line(line, ["torch"], Index())


@pytest.mark.parametrize(
    "line",
    [
        "Collecting numpy>=2\n",
        "Collecting pynvidia-thing\n",
        "  Downloading torch-2.13.0%2Bcpu-cp311-cp311-manylinux_2_28_x86_64.whl (191.8 MB)\n",
        "  Downloading torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl.metadata (29 kB)\n",
        "Processing /opt/wheels/torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl\n",
        "Looking in indexes: https://example.org/nvidia-x\n",
    ],
)
def test_other_lines_do_not(line: str) -> None:
    pip_index.check_line(line, ["torch"], CPU)


def test_report() -> None:
    item = {
        "metadata": {"name": "Torch", "version": "2.13.0+cpu", "requires_dist": ["filelock"]},
        "download_info": {
            "url": "https://x/torch-2.13.0%2Bcpu-cp311-cp311-linux_x86_64.whl",
            "archive_info": {"hashes": {"sha256": "ab"}},
        },
        "requested_extras": ["opt"],
    }
    (wheel,) = pip_index.read_report({"install": [item]})
    assert (wheel.name, wheel.version, wheel.sha256, wheel.extras) == ("torch", "2.13.0+cpu", "ab", ("opt",))
    assert wheel.file_name == "torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl"
    item["download_info"] = {"url": "https://user:secret@x/torch-1.tar.gz"}
    with pytest.raises(UserError) as caught:
        pip_index.read_report({"install": [item]})
    assert "secret" not in str(caught.value)


def test_options_stand_in_a_file_and_not_in_argv() -> None:
    index = Index(Address("http://u:p@x/simple"), Address("http://cpu/"), (Address("/w w"),))
    assert "u:p" not in repr(index)
    assert index.lines() == ["--index-url http://u:p@x/simple", "--extra-index-url http://cpu/", "--find-links /w w"]
    assert index._replace(no_index=True).lines() == ["--no-index", "--find-links /w w"]


def test_an_index_that_never_answers_is_decided_quickly(serve: object, tmp_path: pathlib.Path) -> None:
    assert answers(serve(tmp_path))  # type: ignore[operator]
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        started = time.monotonic()
        assert not answers("http://127.0.0.1:%d" % silent.getsockname()[1], 0.3)
        assert time.monotonic() - started < 60
    assert not answers("http://127.0.0.1:9/", 0.3)
    assert not answers("nonsense", 0.3)


@pytest.fixture(scope="module")
def here() -> interpreter.Interpreter:
    return interpreter.inspect_python(sys.executable)


def choose(
    here: interpreter.Interpreter, folder: pathlib.Path, links: pathlib.Path, *names: str
) -> list[pip_index.Wheel]:
    folder.mkdir()
    index = Index(find_links=(Address(str(links)),), no_index=True, refuse=CPU.refuse, max_megabytes=400)
    return pip_index.choose(here, names, index, str(folder), Progress())


def test_pip_chooses_for_the_interpreter(
    here: interpreter.Interpreter, tmp_path: pathlib.Path, wheels: pathlib.Path
) -> None:
    chosen = choose(here, tmp_path / "f", wheels, "alpha")
    assert [(wheel.name, wheel.version) for wheel in chosen] == [
        ("alpha", "1.0+cpu"),
        ("beta", "2.0"),
        ("gamma-ray", "1.5+cpu"),
    ]
    assert not list((tmp_path / "f").iterdir())


def test_cuda_is_refused_before_it_is_read(here: interpreter.Interpreter, tmp_path: pathlib.Path) -> None:
    links = tmp_path / "links"
    make_wheel(links, "fast", metadata=["Requires-Dist: nvidia-blas"])
    make_wheel(links, "nvidia_blas")
    with pytest.raises(UserError) as caught:
        choose(here, tmp_path / "f", links, "fast")
    assert "a CPU wheel for fast" in caught.value.expected and "nvidia" in caught.value.found
    assert "\n" not in str(caught.value)
    # Both halves of the remedy are needed: a wheel for CUDA is large, and brings projects that are refused.
    assert caught.value.remedy.endswith("""-e '{"channel_wheel_refuse": [], "channel_wheel_max_megabytes": 0}'""")
    index = Index(find_links=(Address(str(links)),), no_index=True)
    (tmp_path / "g").mkdir()
    chosen = pip_index.choose(here, ["fast"], index, str(tmp_path / "g"), Progress())
    assert [wheel.name for wheel in chosen] == ["fast", "nvidia-blas"]


def test_a_large_wheel_has_the_same_remedy() -> None:
    with pytest.raises(UserError) as caught:
        pip_index.check_line("  Downloading torch-2.13.0-cp311-cp311-linux_x86_64.whl (899.7 MB)\n", ["torch"], CPU)
    assert caught.value.remedy.endswith("""-e '{"channel_wheel_refuse": [], "channel_wheel_max_megabytes": 0}'""")


def test_what_cannot_be_found_is_one_line(
    here: interpreter.Interpreter, tmp_path: pathlib.Path, wheels: pathlib.Path
) -> None:
    with pytest.raises(UserError) as caught:
        choose(here, tmp_path / "f", wheels, "no-such-thing==1")
    assert "No matching distribution found for no-such-thing==1" in caught.value.found
    assert "\n" not in str(caught.value)


def test_a_wheel_that_changed_since_it_was_chosen_is_refused(
    here: interpreter.Interpreter, tmp_path: pathlib.Path
) -> None:
    links = tmp_path / "links"
    path = make_wheel(links, "one")
    chosen = choose(here, tmp_path / "f", links, "one")
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(UserError, match="with sha256"):
        pip_index.fetch(here, chosen, Index(no_index=True), str(tmp_path / "f"), Progress())
