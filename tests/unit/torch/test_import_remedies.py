"""What a failed import blames and its remedy."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.diagnose.import_remedies import (
    State,
    crash_site,
    import_remedy,
    library_named,
)
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.diagnose.reason import last_line

CASES = [
    ("libcudnn.so.9: cannot open shared object file: No such file or directory", "libcudnn.so.9", "LD_LIBRARY_PATH"),
    (
        "/e/lib/libcudnn_cnn.so.9: undefined symbol: x, version libcudnn_graph.so.9",
        "/e/lib/libcudnn_cnn.so.9",
        "LD_LIB",
    ),
    ("/e/torch/lib/libtorch_cpu.so: undefined symbol: iJIT_NotifyEvent", "/e/torch/lib/libtorch_cpu.so", "mkl<2024.1"),
    ("libmkl_intel_lp64.so.1: cannot open shared object file", "libmkl_intel_lp64.so.1", "mkl<2024.1"),
    (
        "/lib64/libc.so.6: version `GLIBC_2.28' not found (required by /e/torch/lib/libtorch.so)",
        "/lib64/libc.so.6",
        "C library is older",
    ),
    (
        "/usr/lib/libstdc++.so.6: version `GLIBCXX_3.4.29' not found (required by /e/x.so)",
        "/usr/lib/libstdc++.so.6",
        "libstdcxx-ng",
    ),
    ("libcuda.so.1: cannot open shared object file: No such file or directory", "libcuda.so.1", "NVIDIA driver"),
    ("No module named 'typing_extensions'", "typing_extensions", "install the module"),
    ("/e/libgomp.so.1: cannot allocate memory in static TLS block", "/e/libgomp.so.1", "LD_PRELOAD"),
    ("libfoo.so.3: cannot open shared object file: No such file or directory", "libfoo.so.3", "repair the environment"),
    ("the python of /e died by SIGILL at: import torch", None, "older processors"),
    ("the python of /e died by SIGKILL at: import torch", None, "more memory"),
]


@pytest.mark.parametrize("text, library, remedy", CASES)
def test_library_and_remedy(text: str, library: str | None, remedy: str) -> None:
    assert library_named(text) == library
    assert remedy in import_remedy(text)


def test_what_nobody_knows_has_a_remedy_too() -> None:
    assert "repair the environment" in import_remedy("gremlins")
    assert library_named("gremlins") is None


def test_last_line() -> None:
    assert last_line("a\n  b \n\n") == "b"
    assert last_line("\n") == ""
    assert len(last_line("x" * 10000)) == 500


def test_crash_site() -> None:
    output = 'Fatal\n\nCurrent thread 0x1 (most recent call first):\n  File "/e/a b.py", line 7 in f\n  File "<string>"'
    assert crash_site(output) == "in /e/a b.py, line 7"
    assert crash_site("nothing") is None


def test_a_remedy_fits_what_was_found() -> None:
    """A variable that is not set, or without which it fails as well, is not to be unset."""
    assert "its own" not in import_remedy("/usr/lib/libstdc++.so.6: version `GLIBCXX_3.4.29' not found (required by x)")
    own = "/e/lib/libstdc++.so.6: version `GLIBCXX_3.4.29' not found (required by /e/x.so)"
    node = "/usr/lib64/libstdc++.so.6: version `GLIBCXX_3.4.29' not found (required by /e/x.so)"
    alone, loaded = State("/e", True, []), State("/e", True, ["LD_PRELOAD"])
    assert "its own /e/lib/libstdc++.so.6 is too old" in import_remedy(own, loaded)
    for text in (own, node, "libcudnn.so.9: cannot open shared object file", "gremlins"):
        assert "unset" not in import_remedy(text, alone)
    for text in (node, "libcudnn.so.9: cannot open shared object file", "gremlins"):
        assert "unset LD_PRELOAD" in import_remedy(text, loaded)
        assert "LD_LIBRARY_PATH" not in import_remedy(text, loaded)
    assert import_remedy(node, State("/e", False, [])).startswith("install an older torch")
    assert "install torch again" in import_remedy("/e/libtorch_cuda.so: undefined symbol: ncclCommRegister", alone)


@pytest.mark.parametrize(
    "text, remedy",
    [
        ("ModuleNotFoundError: No module named 'torch._C'", "a part of it is missing"),
        ("ModuleNotFoundError: No module named 'numpy.core'", "a part of it is missing"),
        ("ModuleNotFoundError: No module named 'numpy'", "install the module that is named"),
        ("ImportError: numpy.core.multiarray failed to import", "install numpy again"),
    ],
)
def test_a_module_that_is_there_is_not_called_missing(text: str, remedy: str) -> None:
    assert remedy in import_remedy(text)
