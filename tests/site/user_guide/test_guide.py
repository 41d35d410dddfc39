# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hpc.pytorch.guide on the inventories: the pages are written once, in check mode not at all."""

from __future__ import annotations

import json
import pathlib
import re
import sys
import typing as t

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
GOLDEN = CHECKOUT / "tests" / "unit" / "golden" / "user_guide"
PAGES = ["pytorch.html", "pytorch.md", "pytorch.zh.html", "pytorch.zh.md"]
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}


@pytest.fixture
def guide(playbook_run: t.Callable[..., t.Any], tmp_path: pathlib.Path) -> t.Callable[..., t.Any]:
    """Runs the playbook; the pages are in ``tmp_path / "docs"``."""

    def run(*arguments: str, inventory: str = "campus", **variables: t.Any) -> t.Any:
        given = {"user_guide_dest": str(tmp_path / "docs"), "user_guide_slurm": False, **variables}
        source = "inventories/%s" % inventory if (CHECKOUT / "inventories" / inventory).exists() else inventory
        return playbook_run("-i", source, "-e", json.dumps(given), "playbooks/guide.yml", *arguments)

    return run


def pages_in(folder: pathlib.Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted((folder / "docs").iterdir())}


def test_the_campus_gets_its_pages_and_a_second_run_changes_nothing(guide, tmp_path):
    checked = guide("--check", "--diff")
    assert checked.rc == 0 and checked.recap["changed"] == 1, checked.output
    assert "+source activate torch" in checked.output and not (tmp_path / "docs").exists()

    first = guide()
    assert first.rc == 0 and first.recap["changed"] == 1, first.output
    pages = pages_in(tmp_path)
    assert list(pages) == PAGES
    for path in GOLDEN.iterdir():
        assert pages[path.name] == path.read_text(encoding="utf-8")

    again = guide("--diff")
    assert again.rc == 0 and again.recap["changed"] == 0, again.output
    assert pages_in(tmp_path) == pages


@pytest.mark.parametrize(
    ("inventory", "partitions"),
    [("mixed", ["a100", "h100", "titan"]), ("local", ["here"]), ("slurm", ["tesla", "titan"])],
)
def test_the_other_inventories_get_pages_too(guide, tmp_path, inventory, partitions):
    run = guide(inventory=inventory, user_guide_formats=["markdown"], user_guide_languages=["zh"])
    assert run.rc == 0, run.output
    assert list(pages_in(tmp_path)) == ["pytorch.zh.md"]
    rows = [line for line in pages_in(tmp_path)["pytorch.zh.md"].split("\n") if re.match(r"\| `[\w-]+` \| `\d", line)]
    assert [row.split("`")[1] for row in rows] == partitions


def test_slurm_that_gives_no_answer_is_reported_and_the_pages_have_what_the_inventory_says(guide, tmp_path):
    run = guide(user_guide_slurm=True, user_guide_slurm_bin_dir=str(tmp_path), user_guide_languages=["en"], **LOCAL)
    assert run.rc == 0, run.output
    assert "The pages have no limits of the partitions, because Slurm gave no answer:" in " ".join(run.output.split())
    assert "a machine without it" not in run.output
    assert pages_in(tmp_path)["pytorch.md"].replace("[\u4e2d\u6587](pytorch.zh.md)\n\n", "") == (
        GOLDEN / "pytorch.md"
    ).read_text(encoding="utf-8").replace("[\u4e2d\u6587](pytorch.zh.md)\n\n", "")


@pytest.mark.parametrize("has_modules", [True, False])
def test_a_machine_without_slurm_gets_a_page_of_its_own(guide, tmp_path, monkeypatch, has_modules):
    home, root = tmp_path / "home", tmp_path / "root"
    home.mkdir()
    found = "module() { :; }\nexport MODULEPATH=/etc/modulefiles:%s/modulefiles" % root
    missing = "unset -f module"
    (home / ".bash_profile").write_text("%s\n" % (found if has_modules else missing), encoding="utf-8")
    monkeypatch.setenv("HOME", str(home))
    run = guide(inventory="local", user_guide_slurm=True, user_guide_slurm_bin_dir=str(tmp_path), local_root=str(root))
    assert run.rc == 0, run.output
    assert "If localhost has no Slurm, the pages are for a machine without it" in " ".join(run.output.split())
    for name, page in pages_in(tmp_path).items():
        assert "bash train.sh" in page and "sbatch train.sh" not in page and "--partition" not in page, name
        assert ("module load anaconda3" in page) == has_modules, name
        assert ("%s/tools/bin/torch-verdict" % root in page) == (not has_modules), name
    again = guide(
        inventory="local", user_guide_slurm=True, user_guide_slurm_bin_dir=str(tmp_path), local_root=str(root)
    )
    assert again.rc == 0 and again.recap["changed"] == 0, again.output


def test_modules_in_a_folder_that_is_not_searched_are_not_named(guide, tmp_path, monkeypatch):
    (tmp_path / ".bash_profile").write_text("module() { :; }\nexport MODULEPATH=/etc/modulefiles\n", encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    run = guide(inventory="local", user_guide_runner="bash", user_guide_languages=["en"], local_root=str(tmp_path))
    assert run.rc == 0 and "module load" not in pages_in(tmp_path)["pytorch.md"], run.output


def test_a_login_node_that_is_down_is_reported(guide, tmp_path):
    run = guide(user_guide_slurm=True, ansible_host="127.0.0.1", ansible_port=1, ansible_ssh_common_args="-F none")
    assert run.rc == 0, run.output
    assert "because Slurm gave no answer: " in " ".join(run.output.split()) and "no message" not in run.output
    assert list(pages_in(tmp_path)) == PAGES


def test_limits_come_from_slurm(guide, tmp_path):
    scontrol = tmp_path / "bin" / "scontrol"
    scontrol.parent.mkdir()
    saved = (CHECKOUT / "inventories" / "slurm" / "cluster.txt").read_text(encoding="utf-8").split("\n")
    parts = {
        "config": [line for line in saved if not line.startswith(("PartitionName=", "NodeName="))],
        "partition": [line for line in saved if line.startswith("PartitionName=")],
        "node": [line for line in saved if line.startswith("NodeName=")],
    }
    for name, lines in parts.items():
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    script = 'for word; do case $word in config|partition*|node*) exec cat "%s/${word%%s}" ;; esac; done' % tmp_path
    scontrol.write_text("#!/bin/sh\n%s\nexit 1\n" % script)
    scontrol.chmod(0o755)
    run = guide(user_guide_slurm=True, user_guide_slurm_bin_dir=str(scontrol.parent), **LOCAL)
    assert run.rc == 0 and "no answer" not in run.output, run.output
    page = pages_in(tmp_path)["pytorch.md"]
    assert "| `titan` | `2` | `2 \u00d7 titan` | `3-00:00:00` | `01:00:00` | `32` | `187G` |" in page
    assert "#SBATCH --gres=gpu:2" in page


def test_outputs_of_a_run_are_in_the_pages(guide, tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "outputs.yml").write_text("---\nconda-check: /opt/app/anaconda3/bin/conda\n", encoding="utf-8")
    assert guide().rc == 0
    for name, page in pages_in(tmp_path).items():
        assert (
            name == "outputs.yml"
            or page.count("/opt/app/anaconda3/bin/conda\n```" if name.endswith("md") else "<samp>") == 1
        )


def test_a_site_without_login_nodes_gets_no_guide(guide, tmp_path):
    inventory = tmp_path / "hosts.ini"
    inventory.write_text("[compute]\nn1\n", encoding="utf-8")
    run = guide(inventory=str(inventory))
    assert run.rc != 0 and "expected a host in group login to write its guide" in " ".join(run.output.split())


def test_a_wrong_value_is_refused_before_anything_is_written(guide, tmp_path):
    run = guide(user_guide_texts={"en": {"tipp": "x"}})
    assert run.rc != 0 and "expected a key of user_guide_texts" in " ".join(run.output.split())
    assert not (tmp_path / "docs").exists()
