"""The first driver that drives a GPU counts, not only the oldest that runs the build's CUDA."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.filter.torch_build import torch_build


def refused(*arguments: object, **keywords: object) -> str:
    with pytest.raises(AnsibleFilterError) as failure:
        torch_build(*arguments, **keywords)
    return str(failure.value)


@pytest.mark.parametrize(
    "gpu, driver, cuda, lowest",
    [
        ("rtx-5090", "570.124.06", "12.9", "570"),
        ("b200", "570.124.06", "12.9", "570"),
        ("b300", "580.95.05", "13.2", "580"),
        ("h100", "525.60.13", "12.6", "525.60.13"),
        ("h100", "520.61.05", "11.8", "520"),
        ("l40s", "520.61.05", "11.8", "520"),
        ("a100", "470.82.01", "11.8", "450.80.02"),
        ("t4", "410.48", "9.2", "410"),
    ],
)
def test_the_driver_of_the_answer_drives_the_gpu(gpu: str, driver: str, cuda: str, lowest: str) -> None:
    got = torch_build([gpu], driver=driver)
    assert (got["cuda"], got["driver"]) == (cuda, lowest)


@pytest.mark.parametrize(
    "gpu, driver, first",
    [
        ("b200", "535.183.01", "570"),
        ("rtx-5090", "565.57.01", "570"),
        ("b300", "575.57.08", "580"),
        ("h100", "515.105.01", "520"),
        ("rtx-4090", "470.82.01", "520"),
        ("t4", "396.37", "410"),
    ],
)
def test_a_driver_that_does_not_know_the_gpu_is_refused(gpu: str, driver: str, first: str) -> None:
    message = refused([gpu], driver=driver)
    assert "driver %s does not drive %s" % (driver, gpu) in message
    assert "yet, %s is the first that does" % first in message
    # The remedy keeps its promise.
    promised = message.split("update the driver to ")[1].split(" or newer")[0]
    assert torch_build([gpu], driver=promised)["torch"]


def test_with_several_drivers_the_newest_drives_the_newest_gpu() -> None:
    """Nodes of two generations: the oldest driver runs the build, and each GPU has a driver that drives it."""
    got = torch_build(["v100", "b200"], driver=["535.183.01", "570.124.06"])
    assert (got["torch"], got["cuda"], got["source"]) == ("2.13.0", "12.9", "conda-forge")
    assert "does not drive b200 (10.0) yet" in refused(["v100", "b200"], driver=["535.183.01", "550.54.15"])


def test_what_is_compiled_for_the_newest_gpu_is_compiled_by_the_newest_driver() -> None:
    question = {"gpus": ["v100", "b200"], "source": "conda-forge", "torch": "2.6"}
    assert torch_build(question, driver=["535.183.01", "570.124.06"])["cuda"] == "12.6"
    assert "550.54.15 cannot compile it for b200 (10.0)" in refused(question, driver=["535.183.01", "550.54.15"])


def test_gpus_that_no_driver_drives_together() -> None:
    got = torch_build(["k80", "h100"])
    assert got["driver"] == "520"
    assert (
        "no driver drives both k80 (3.7), driver 470 at most, and h100 (9.0), driver 520 at least:"
        " their nodes need different drivers"
    ) in got["warnings"]
    assert torch_build(["k80", "h100"], driver=["470.57.02", "535.183.01"])["torch"] == got["torch"]
    for driver in ("470.57.02", "535.183.01"):
        assert "give the drivers of all nodes: 470 at most for the oldest GPU, 520 or newer for the newest" in refused(
            ["k80", "h100"], driver=driver
        )
    assert not any("no driver" in text for text in torch_build(["v100", "b200"])["warnings"])
