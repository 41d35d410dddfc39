# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages of a machine without Slurm have what that machine has; a cluster's pages stay as they are."""

from __future__ import annotations

import pathlib
import re

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_guide.machine import runner_of

from .sites import NO_SLURM, Inventory, campus, machine

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden" / "user_guide_machine"
# What a machine alone does not have, in both languages.
FOREIGN = re.compile(
    r"cluster|login node|compute node|partition|sbatch|srun|sinfo|squeue|module load|--gres|\bqueue\b(?!\.)"
    r"|\u96c6\u7fa4|\u8282\u70b9|\u5206\u533a|\u63d0\u4ea4",
    re.IGNORECASE,
)

DOWN = {"failed": True, "expected": "an answer from Slurm", "found": "Unable to contact slurm controller"}
NOT_SET_UP = {**DOWN, "found": "scontrol: fatal: Could not establish a configuration source"}
WITHOUT_FILE = {**DOWN, "found": "scontrol: fatal: Unable to process configuration file"}
UNREACHABLE = {"failed": True, "unreachable": True, "msg": "Connection refused"}
ANSWER = {"partitions": [], "nodes": [], "version": "24.11.1"}


def prose(page: str) -> str:
    """The text of a page, without code to run and the table of reason codes."""
    page = re.sub(r"<pre[\s\S]*?</pre>|<style[\s\S]*?</style>|<head[\s\S]*?</head>", "", page)
    page = re.sub(r"^(`{3,})[\s\S]*?^\1$", "", page, flags=re.MULTILINE)
    page = re.sub(r"^(\| `\w+` \||<!-- ).*$|<table[\s\S]*?</table>", "", page, flags=re.MULTILINE)
    return re.sub(r"<[^>]*>", "", page)


def english(inventory: Inventory) -> str:
    return inventory.pages(languages=["en"], formats=["markdown"])["pytorch.md"]


@pytest.mark.parametrize("name", ["pytorch.md", "pytorch.zh.md"])
def test_the_page_of_inventories_local(name):
    # Without the reason codes, which are those of every page.
    page = re.sub(r"^\| `\w+` \|.*\n", "", machine().pages()[name], flags=re.MULTILINE)
    assert page == (GOLDEN / name).read_text(encoding="utf-8")


def test_the_reasons_are_those_of_every_page_but_for_those_of_jobs():
    rows = [re.findall(r"^\| `(\w+)` \|", english(site), re.MULTILINE) for site in (machine(), campus())]
    assert [code for code in rows[1] if code not in rows[0]] == ["tesla", "titan", "slurm_cgroup"] and "mig" in rows[0]


@pytest.mark.parametrize("gpus", [None, 0, 1, 4])
def test_no_page_names_what_the_machine_does_not_have(gpus):
    pages = machine(gpus).pages()
    assert list(pages) == ["pytorch.md", "pytorch.html", "pytorch.zh.md", "pytorch.zh.html"]
    for name, page in pages.items():
        assert FOREIGN.findall(prose(page)) == [], name
        commands = page if name.endswith("md") else re.sub(r"<[^>]+>", "", page)
        assert "bash train.sh" in commands and "python pytorch_test.py" in commands
        assert not re.search(r"^(#SBATCH|sbatch|srun|sinfo|module) ", commands, re.MULTILINE), name
        assert "/srv/site/tools/bin/torch-verdict" in commands
    # So the words are found where they are.
    assert FOREIGN.search(prose(campus().pages()["pytorch.html"]))


@pytest.mark.parametrize(("gpus", "is_parallel"), [(None, False), (0, False), (1, False), (2, True)])
def test_several_gpus_where_the_machine_has_them(gpus, is_parallel):
    page = english(machine(gpus))
    assert ("\ntorchrun --standalone --nproc_per_node=2 ddp_test.py\n" in page) == is_parallel
    assert ('\ntrainer = Trainer(accelerator="gpu", devices=2, strategy="ddp")\n' in page) == is_parallel


def test_a_torch_before_torchrun_has_its_launcher():
    old = machine(2)
    page = english(old._replace(variables={**old.variables, "torch_env_torch": "1.8.1"}))
    assert "\npython -m torch.distributed.launch --use_env --nproc_per_node=2 ddp_test.py\n" in page


def test_modules_where_a_login_shell_has_them():
    page = english(machine(modules=True))
    assert "\nmodule load anaconda3\n" in page and "\nmodule load hpc-pytorch-tools\ntorch-verdict\n" in page
    assert "/srv/site/tools/bin" not in page and "another node" not in page


def test_the_modules_of_a_script_where_a_login_shell_has_them():
    given = machine()
    with_modules = {**given.variables, "job_script_modules": ["gcc/12"]}
    assert "module load gcc/12" not in english(given._replace(variables=with_modules))
    assert "module load gcc/12" in english(given._replace(variables=with_modules, more={"modules": True}))


def test_a_toolkit_that_a_module_alone_exposes_gets_lines():
    given = machine()
    cuda = {"cuda_home": "/usr/local/cuda", "cuda_version": "12.4", "cuda_expose": ["module"]}
    page = english(given._replace(variables={**given.variables, **cuda}))
    assert "\nexport PATH=/usr/local/cuda/bin:$PATH\n" in page and "This machine has CUDA `12.4`" in page


@pytest.mark.parametrize(
    ("given", "hosts", "slurm", "runner"),
    [
        ("", ["n1"], NO_SLURM, "bash"),
        ("", ["n1"], NOT_SET_UP, "bash"),
        ("", ["n1"], WITHOUT_FILE, "bash"),
        ("", ["n1", "n1"], NO_SLURM, "bash"),
        # One whose controller is down has a Slurm.
        ("", ["n1"], DOWN, "sbatch"),
        ("", ["n1"], UNREACHABLE, "sbatch"),
        ("", ["n1"], ANSWER, "sbatch"),
        # Slurm was not asked.
        ("", ["n1"], {}, "sbatch"),
        # The login node may get Slurm's commands by a module.
        ("", ["n1", "n2"], NO_SLURM, "sbatch"),
        ("bash", ["n1", "n2"], {}, "bash"),
        ("sbatch", ["n1"], NO_SLURM, "sbatch"),
    ],
)
def test_what_runs_a_script(given, hosts, slurm, runner):
    assert runner_of(given, hosts, slurm) == runner


def test_another_runner_is_refused():
    with pytest.raises(AnsibleFilterError, match="expected user_guide_runner to be sbatch or bash or empty; found"):
        machine(runner="srun").pages()


def test_texts_of_the_site_come_before_those_of_the_machine():
    pages = machine().pages(texts={"en": {"run_first": "Ask first.", "cluster_title": "Our workstation"}})
    assert "\nAsk first.\n" in pages["pytorch.md"] and "\n### Our workstation\n" in pages["pytorch.md"]
    with pytest.raises(AnsibleFilterError, match="a key of user_guide_texts"):
        campus().pages(texts={"en": {"run_first": "Ask first."}})


@pytest.mark.parametrize("more", [{}, {"runner": "sbatch", "modules": False, "tools_bin": "/opt/tools/bin"}])
def test_a_cluster_keeps_its_page(more):
    assert campus()._replace(more=more, slurm=NO_SLURM).pages() == campus().pages()
