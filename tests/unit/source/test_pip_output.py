"""What pip prints while it works. The lines are those of pip 23 and 26."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._source import pip_output


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Collecting torch==2.13.0 (from -r /tmp/x (line 1))\n", "torch"),
        ("Collecting nvidia-cublas-cu12==12.6.4.1 (from torch)\n", "nvidia-cublas-cu12"),
        ("  Collecting Jinja2>=3\n", "Jinja2"),
        ("Processing /wheels/torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl\n", "torch"),
        ("Collecting torch[extra]\n", "torch"),
        ("Requirement already satisfied: numpy in /x\n", None),
        ("Successfully installed torch-2.13.0\n", None),
    ],
)
def test_the_project_that_a_line_announces(line, name):
    assert pip_output.brought(line) == name


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (
            "  Downloading torch-2.13.0-cp311-cp311-linux_x86_64.whl (899.7 MB)\n",
            ("torch-2.13.0-cp311-cp311-linux_x86_64.whl", 899.7),
        ),
        ("Downloading six-1.16.0-py2.py3-none-any.whl (11 kB)\n", ("six-1.16.0-py2.py3-none-any.whl", 0.011)),
        ("Downloading torch-2.13.0-cp311-cp311-linux_x86_64.whl.metadata (30 kB)\n", None),
        ("Collecting torch\n", None),
    ],
)
def test_the_size_of_a_wheel(line, found):
    assert pip_output.downloaded(line) == found


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Collecting torch==2.13.0\n", ("find", "torch==2.13.0")),
        ("Processing /wheels/torch-2.13.0-cp311-none-any.whl\n", ("find", "torch-2.13.0-cp311-none-any.whl")),
        (
            "  Downloading https://host/a/six-1.16.0-py3-none-any.whl (11 kB)\n",
            ("download", "six-1.16.0-py3-none-any.whl"),
        ),
        ("Installing collected packages: mpmath, torch\n", ("install", "mpmath, torch")),
        ("   ━━━━━━━━━━━━━━━━ 130.0/130.0 kB 179.2 MB/s eta 0:00:00\n", None),
        ("    Uninstalling pip-23.0.1:\n", None),
        ("WARNING: Location 'file:///x/' is ignored\n", None),
    ],
)
def test_a_progress_line_has_no_text_of_pips(line, shown):
    assert pip_output.step(line) == shown


@pytest.mark.parametrize("name", ["nvidia-cublas-cu12", "NVIDIA_cublas.cu12", "cuda-bindings"])
def test_a_refused_project_is_recognised_however_it_is_written(name):
    assert pip_output.is_refused(name, ("nvidia-*", "cuda-*"))
    assert not pip_output.is_refused(name, ()) and not pip_output.is_refused("torch", ("nvidia-*", "cuda-*"))
