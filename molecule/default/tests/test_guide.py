"""The guide that alice has read (side_effect.yml): each command was run, and its table is what Slurm says."""

from __future__ import annotations

import json
import os
import pathlib
import re

import pytest
import yaml

FOLDER = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
PAGES = ("pytorch.md", "pytorch.zh.md")
# The blocks that nobody runs here, each with a part of its reason.
NOT_RUN = {
    "more-packages": "the reader chooses",
    "kernel": "downloads packages",
}


def page(name: str) -> str:
    return (FOLDER / "guide" / name).read_text(encoding="utf-8")


def outputs() -> dict[str, str]:
    return yaml.safe_load(page("outputs.yml"))


def marked(name: str, kind: str) -> list[str]:
    """The IDs of the blocks of a kind, in the order of the page."""
    return re.findall(r"^ *<!-- %s ([a-z0-9-]+)" % kind, page(name), re.MULTILINE)


def block(name: str, marker: str) -> str:
    """The text of the fence below a marker."""
    found = re.search(r"<!-- %s[^>]*-->\n```\w*\n(.*?)```" % re.escape(marker), page(name), re.DOTALL)
    assert found, marker
    return found.group(1)


@pytest.mark.parametrize("name", PAGES)
def test_every_command_of_the_page_was_run(name):
    ran = marked(name, "run")
    assert len(ran) > 10 and ran == list(outputs())


@pytest.mark.parametrize("name", PAGES)
def test_what_is_not_run_is_known_with_its_reason(name):
    assert sorted(marked(name, "not run")) == sorted(NOT_RUN)
    if name == "pytorch.md":
        for identifier, reason in NOT_RUN.items():
            assert re.search("<!-- not run %s: .*%s" % (identifier, reason), page(name)), identifier


def test_both_languages_have_the_same_commands():
    english, chinese = map(page, PAGES)
    fence = re.compile(r"^ *<!-- ((?:run|file) [^>]*) -->\n *```\w*\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
    assert fence.findall(english) == fence.findall(chinese) != []


@pytest.mark.parametrize("name", PAGES)
def test_the_real_outputs_are_in_the_page(name):
    for identifier, text in outputs().items():
        if text:
            assert block(name, "output " + identifier) == text, identifier
    html = page(name.replace(".md", ".html"))
    assert "2.13.0" in html


def test_the_outputs_are_those_of_this_cluster():
    found = outputs()
    assert re.match(r"2\.13\.0\S* None$", found["torch-version"]), found
    assert "release 13.5" in found["cuda-version"]
    assert re.match(r"Submitted batch job \d+$", found["submit"])
    # echo $CUDA_VISIBLE_DEVICES, then the program.
    assert re.match(r"[01]\n.*2\.13\.0", found["output"]), found["output"]
    assert found["lint"] == ""
    # srun may have had to wait.
    assert found["cuda-check"].split("\n")[-2] == "False"
    assert "cpu_only" in found["verdict"]
    assert not any("alice" in text for text in found.values())


def test_alices_own_files_are_as_they_were(alice):
    assert alice.ssh("ls -A ~ | grep -F hpc_pytorch.guide").out == ""
    # The role's lines alone: what the page appends was appended in a home directory of its own.
    assert alice.ssh("grep -c 'app/anaconda3/bin' ~/.bashrc").out == "1\n"
    assert alice.ssh("squeue --noheader --me").out == ""


@pytest.mark.parametrize("name", PAGES)
def test_the_table_of_partitions_is_what_slurm_says(name):
    slurm = json.loads((FOLDER / "guide-slurm.json").read_text(encoding="utf-8"))
    rows = [
        [cell.strip(" `") for cell in line.strip("|").split("|")] for line in page(name).split("\n") if "| `" in line
    ]
    table = {row[0]: row[1:] for row in rows if row[0] in ("titan", "tesla")}
    expected = {}
    for partition in slurm["partitions"]:
        nodes = [node for node in slurm["nodes"] if partition["name"] in node["partitions"]]
        (kind,) = {(gres["count"], gres["type"]) for node in nodes for gres in node["gres"]}
        (cpus,), (memory,) = {node["cpus"] for node in nodes}, {node["memory_mb"] for node in nodes}
        assert (partition["max_minutes"], partition["default_minutes"]) in ((60, None), (60, 60))
        # Nodes, GPUs of a node, longest job, without --time, CPUs and memory of a node.
        expected[partition["name"]] = [
            str(len(nodes)),
            "%d \N{MULTIPLICATION SIGN} %s" % kind,
            *("01:00:00", "01:00:00"),
            str(cpus),
            "%dM" % memory,
        ]
    assert sorted(table) == ["tesla", "titan"] and table == expected
