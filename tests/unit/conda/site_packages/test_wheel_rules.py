"""pip is stopped before it downloads what the rules exclude."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env.request import WheelRules
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.site_packages.wheel_rules import Watch
from ansible_collections.hpc.pytorch.plugins.module_utils._files.progress import Progress

ASKED = ["--index-url https://user:pa55word@host/simple", "torch==2.13.0", "numpy"]
RULES = WheelRules(("nvidia-*",), 400)
CUDA = "Collecting nvidia-cublas-cu12==12.6.4.1 (from torch)\n"
LARGE = "  Downloading torch-2.13.0-cp311-cp311-linux_x86_64.whl (899.7 MB)\n"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (CUDA, "one that brings nvidia-cublas-cu12"),
        (LARGE, "torch-2.13.0-cp311-cp311-linux_x86_64.whl with 899 MB"),
    ],
)
def test_cuda_is_refused(line, found):
    with pytest.raises(UserError) as error:
        Watch(RULES, ASKED, Progress()).note(line)
    assert error.value.found == found and "a CPU build of torch==2.13.0, numpy" in error.value.expected
    assert "pa55word" not in str(error.value)


def test_without_rules_everything_is_taken():
    watch = Watch(WheelRules(), ASKED, Progress())
    watch.note(CUDA)
    watch.note(LARGE)
    assert watch.lines == [CUDA, LARGE]


def test_a_cpu_build_is_taken():
    watch = Watch(RULES, ASKED, Progress())
    watch.note("Processing /wheels/torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl\n")
    watch.note("  Downloading torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl (180.7 MB)\n")
    watch.note("ERROR: No matching distribution found for nvidia-cublas-cu12\n")
