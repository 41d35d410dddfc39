# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of conda and pip: what is wrong with each, the line that works, and right lines next to wrong ones."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.filter.guide_lint import guide_lint
from ansible_collections.hpc.pytorch.plugins.filter.guide_lint_files import guide_lint_files
from ansible_collections.hpc.pytorch.plugins.module_utils._guide.page import lint_page
from ansible_collections.hpc.pytorch.plugins.module_utils._guide.release_table import ROWS

WHEELS = "https://download.pytorch.org/whl/"
FORGE = "CONDA_OVERRIDE_CUDA=12.9 conda install -c conda-forge pytorch-gpu"


def line_findings(line: str) -> list[tuple[str, str]]:
    return [(each.code, each.remedy) for each in lint_page("```\n%s\n```\n" % line)]


@pytest.mark.parametrize(
    "line, code, right",
    [
        ("conda install -c pytorch pytorch", "channel-ended", "conda install -c conda-forge pytorch"),
        ("conda install -c pytorch -c nvidia pytorch pytorch-cuda=12.4", "channel-ended", FORGE),
        ("conda install --channel=pytorch pytorch", "channel-ended", "conda install -c conda-forge pytorch"),
        ("conda install pytorch=2.7.1 -c pytorch", "channel-ended", "conda install pytorch=2.7 -c conda-forge"),
        ("conda install torchvision -c pytorch", "channel-ended", "conda install torchvision -c conda-forge"),
        (
            "conda install pytorch=2.1.0 pytorch-cuda=12.6 -c pytorch -c nvidia",
            "no-such-cuda",
            "conda install pytorch=2.1.0 pytorch-cuda=12.1 -c pytorch -c nvidia",
        ),
        (
            "conda install pytorch=2.2.0 cudatoolkit=11.8 -c pytorch",
            "cudatoolkit-unused",
            "conda install pytorch=2.2.0 pytorch-cuda=11.8 -c pytorch -c nvidia",
        ),
        (
            "conda install pytorch=2.2.0 cudatoolkit=11.8 pytorch-cuda=11.8 -c pytorch -c nvidia",
            "cudatoolkit-twice",
            "conda install pytorch=2.2.0 pytorch-cuda=11.8 -c pytorch -c nvidia",
        ),
        (
            "conda install pytorch=1.12.1 cudatoolkit=11.7 -c pytorch",
            "cudatoolkit-unused",
            "conda install pytorch=1.12.1 cudatoolkit=11.6 -c pytorch",
        ),
        ("conda install pytorch::pytorch", "channel-ended", "conda install conda-forge::pytorch"),
        (
            "conda install -c https://mirrors.example.org/anaconda/cloud/pytorch/ pytorch torchvision",
            "channel-ended",
            "conda install -c https://mirrors.example.org/anaconda/cloud/conda-forge/ pytorch torchvision",
        ),
        ("conda install pytorch -c pytorch-nightly", "channel-ended", "conda install pytorch -c conda-forge"),
        ("srun -p gpu pip install torch==2.4.2", "no-such-release", "srun -p gpu pip install torch==2.4.1"),
        ("uv add torch==2.4.2", "no-such-release", "uv add torch==2.4.1"),
        ("pip install torch==2.0.2 torchvision", "no-such-release", "pip install torch==2.0.1 torchvision"),
        (
            "pip install torch==2.1.2 torchvision==0.15.2",
            "never-together",
            "pip install torch==2.1.2 torchvision==0.16.2",
        ),
        (
            "pip install torch==2.1.2+cu117 torchvision==0.16.2+cu117 --index-url %scu117" % WHEELS,
            "no-such-wheel",
            "pip install torch==2.1.2+cu118 torchvision==0.16.2+cu118 --index-url %scu118" % WHEELS,
        ),
        (
            "pip install torch --index-url %scu123" % WHEELS,
            "no-such-wheel",
            "pip install torch --index-url %scu121" % WHEELS,
        ),
        ("pip install 'torch==2.4.2'", "no-such-release", "pip install torch==2.4.1"),
        ("!pip install torch==2.4.2", "no-such-release", "pip install torch==2.4.1"),
        ("python3 -m pip install -U torch==1.14", "no-such-release", "python3 -m pip install -U torch==1.13.1"),
        ("pip install pytorch", "pip-pytorch", "pip install torch"),
        ("conda create -n a pytorch=1.13 python=3.12", "python-mismatch", "conda create -n a pytorch=1.13 python=3.11"),
        (
            "source activate /work/envs/a",
            "source-activate",
            'source "$(conda info --base)/etc/profile.d/conda.sh" && conda activate /work/envs/a',
        ),
    ],
)
def test_a_line_that_does_not_work_and_the_one_that_does(line: str, code: str, right: str) -> None:
    assert line_findings(line) == [(code, "write: " + right)]
    assert line_findings(right) == []


@pytest.mark.parametrize(
    "line",
    [
        "source activate",
        "source ./activate a",
        "conda install -c conda-forge -c pytorch pytorch",
        "conda install pytorch torchvision",
        "conda install pytorch=2.6 -c pytorch -c conda-forge",
        "conda install 'pytorch<2.6' -c pytorch",
        "conda install pytorch=2.5 pytorch-cuda=12.4 -c pytorch -c nvidia",
        "conda install pytorch torchvision pytorch-cuda=12.1 -c nvidia",
        "conda install faiss-gpu -c pytorch",
        "conda install pytorch=1.10 cudatoolkit=11.1 -c pytorch -c nvidia",
        "pip install torch==1.8.0+cu101 -f https://download.pytorch.org/whl/torch_stable.html",
        "pip install torch==2.13.0 torchaudio==2.11.0",
        "pip install torch==1.0.1.post2",
        "pip install torch==2.9.0.dev20250801 --index-url https://download.pytorch.org/whl/nightly/cu129",
        "pip download torch==2.4.2",
        "pip install torch==$VERSION",
        "pip install -r torch==2.4.2",
        "conda search pytorch -c pytorch",
        "conda create -n a 'python>=3.13' pytorch=2.1",
    ],
)
def test_a_line_that_works_is_left_alone(line: str) -> None:
    assert line_findings(line) == []


@pytest.mark.parametrize("torch", [torch for torch in ROWS if ROWS[torch][4]])
def test_the_official_lines_of_every_release_are_right(torch: str) -> None:
    vision, _audio, _python, channel, wheels, _forge, _index = (text.split() for text in ROWS[torch])
    for cuda in wheels:
        tag = "cu" + cuda.replace(".", "")
        for each in vision:
            line = "pip install torch==%s+%s torchvision==%s+%s --index-url %s%s" % (torch, tag, each, tag, WHEELS, tag)
            assert line_findings(line) == []
    newer = "pytorch-cuda" if int(torch.split(".")[0]) > 1 or torch.startswith("1.13") else "cudatoolkit"
    for cuda in channel:
        line = "conda install pytorch==%s torchvision==%s %s=%s -c pytorch" % (torch, vision[0], newer, cuda)
        assert line_findings(line) == []


@pytest.mark.parametrize(
    "prose, line, right",
    [
        ("The driver is 535.183.01.", "pip install torch", "pip install torch --index-url %scu129" % WHEELS),
        (
            "NVIDIA driver 470 on all nodes.",
            "pip install torch==2.1.0",
            "pip install torch==2.1.0 --index-url %scu118" % WHEELS,
        ),
        ("驱动版本：535.104.05", "pip3 install torch", "pip3 install torch --index-url %scu129" % WHEELS),
        (
            "Driver Version: 535.54.03",
            "pip install torch==2.14.0 --index-url %scu130" % WHEELS,
            "pip install torch==2.14.0 --index-url %scu126" % WHEELS,
        ),
        ("The driver is 570.26.", "pip install torch==2.7.1", ""),
        ("The driver is 590.44.01.", "pip install torch", ""),
        ("This needs driver 535.54.03 or newer.", "pip install torch", ""),
        ("Driver 525+ is enough.", "pip install torch", ""),
        ("需要驱动 525.60.13 以上", "pip install torch", ""),
        ("The old nodes have driver 470.57.02, the new ones driver 590.44.01.", "pip install torch", ""),
        ("Our nodes have 535 GPUs.", "pip install torch", ""),
        (
            "The driver is 470.57.02.",
            "pip install torch -r requirements.txt --index-url https://mirror.example.org/simple",
            "",
        ),
        ("The driver is 470.57.02.", "conda install pytorch -c conda-forge", ""),
    ],
)
def test_the_driver_that_the_page_names(prose: str, line: str, right: str) -> None:
    def found(text: str) -> list[tuple[str, str]]:
        return [(each.code, each.remedy) for each in lint_page("%s\n\n```\n%s\n```\n" % (prose, text))]

    assert found(line) == ([("driver-too-old", "write: " + right)] if right else [])
    assert not right or found(right) == []


def test_a_release_after_the_table_is_not_called_wrong() -> None:
    assert line_findings("pip install torch==99.1.0 torchvision==9.9.9") == []


@pytest.mark.parametrize("text", ["", "\n", "```", "<pre>", "x::", "---", "> ```\n> a", "\0", "\\", "```\n\\"])
@pytest.mark.parametrize("shape", ["markdown", "rst", "html"])
def test_any_text_is_read(text: str, shape: str) -> None:
    assert lint_page(text, shape) == []


def test_the_filter() -> None:
    (found,) = guide_lint("`pip install torch==2.4.2`", ignore=["channel-ended"])
    assert (found["line"], found["code"], found["severity"]) == (1, "no-such-release", "error")
    assert guide_lint("`pip install torch==2.4.2`", ignore=["no-such-release"]) == []
    with pytest.raises(AnsibleFilterError, match="guide_lint: expected format to be one of markdown, rst, html"):
        guide_lint("", format="word")
    with pytest.raises(AnsibleFilterError, match="expected the input to be the text of a page; found list"):
        guide_lint([])


def test_the_filter_of_files(tmp_path) -> None:
    page = tmp_path / "a.rst"
    page.write_text("Type::\n\n  pip install torch==2.4.2\n")
    (found,) = guide_lint_files([str(tmp_path)], slurm_version="unknown")
    assert (found["file"], found["line"], found["code"]) == (str(page), 3, "no-such-release")
    with pytest.raises(AnsibleFilterError, match="guide_lint_files: expected a page at"):
        guide_lint_files([str(tmp_path / "none.md")])
