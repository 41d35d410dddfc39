"""What a failed import blames and its remedy."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.diagnose.import_remedies import (
    OTHER_IMPORT_REMEDY,
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
    assert import_remedy("gremlins") == OTHER_IMPORT_REMEDY
    assert library_named("gremlins") is None


def test_last_line() -> None:
    assert last_line("a\n  b \n\n") == "b"
    assert last_line("\n") == ""
    assert len(last_line("x" * 10000)) == 500


def test_crash_site() -> None:
    output = 'Fatal\n\nCurrent thread 0x1 (most recent call first):\n  File "/e/a b.py", line 7 in f\n  File "<string>"'
    assert crash_site(output) == "in /e/a b.py, line 7"
    assert crash_site("nothing") is None
