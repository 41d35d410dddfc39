# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hpc.pytorch.guide with user_guide_run: the page's commands on a login node, and their outputs in the pages.

The site is a stand-in: a base whose activate finds an environment of the user, and Slurm's commands in its bin.
"""

from __future__ import annotations

import json
import os
import pathlib
import pwd
import shutil
import tempfile
import typing as t

import pytest
import yaml

# Root runs the tests as this user.
USER = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
PROGRAMS = {
    "activate": """
        [ "$1" = -h ] || PATH="$HOME/.conda/envs/$1/bin:$PATH"
    """,
    "sinfo": """
        echo 'titan* 1:00:00 2 gpu:2'
    """,
    "sbatch": """
        for name in slurm-7 array-0 array-1 multi-gpu-7 multi-node-7; do echo "output of $name" > $name.out; done
        echo Submitted batch job 7
    """,
    "srun": """
        while case $1 in -*) ;; *) false ;; esac; do shift; done
        exec "$@"
    """,
    "scontrol": """
        case $2 in
            config)
                echo 'ClusterName = campus'
                echo 'MinJobAge = 300 sec'
                echo 'AccountingStorageType = accounting_storage/none' ;;
            *)
                echo "JobId=7 JobName=x UserId=x($(id -u)) JobState=COMPLETED ExitCode=0:0 Restarts=0 NodeList=n1" ;;
        esac
    """,
    "squeue": """
        exit 0
    """,
}


class Site(t.NamedTuple):
    """The user's home directory, the folder of the pages, and a run of the playbook."""

    home: pathlib.Path
    docs: pathlib.Path
    run: t.Callable[..., t.Any]

    @property
    def pages(self) -> dict[str, str]:
        return {path.name: path.read_text(encoding="utf-8") for path in sorted(self.docs.iterdir())}


@pytest.fixture
def site(playbook_run: t.Callable[..., t.Any]) -> t.Iterator[Site]:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hpc-guide-"))
    folder.chmod(0o755)
    home, conda = folder / "home", folder / "conda"
    python = home / ".conda/envs/torch/bin/python"
    for path in (conda / "bin", python.parent, folder / "docs"):
        path.mkdir(parents=True)
    for name, text in PROGRAMS.items():
        (conda / "bin" / name).write_text("#!/bin/sh\n" + text)
        (conda / "bin" / name).chmod(0o755)
    jupyter = folder / "jupyter/bin/conda"
    jupyter.parent.mkdir(parents=True)
    jupyter.write_text("#!/bin/sh\necho conda 26.1.0\n")
    jupyter.chmod(0o755)
    python.write_text("#!/bin/sh\necho 'stand-in python 1.0'\n")
    python.chmod(0o755)
    for path in [home, *home.rglob("*")]:
        os.chown(path, USER.pw_uid, USER.pw_gid)
    variables: dict[str, t.Any] = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "/usr/bin/python3",
        "conda_prefix": str(conda),
        "conda_method": "rattler",
        "conda_base_packages": ["python", "pip"],
        "conda_expose": ["bashrc"],
        "torch_env_torch": "2.13.0",
        "job_script_partition": "titan",
        "job_script_gres": "gpu:1",
        "hpc_gpu_count": 2,
        "user_guide_dest": str(folder / "docs"),
        "user_guide_slurm": False,
        "user_guide_run": True,
    }
    if os.geteuid() == 0:
        # With a home directory, which the user database does not have for "nobody".
        variables.update(ansible_become=True, ansible_become_user=USER.pw_name, ansible_become_method="su")
        variables.update(ansible_become_flags="-p -s /bin/sh")
    inventory = folder / "hosts.json"

    def run(*arguments: str, **changed: t.Any) -> t.Any:
        groups = {
            "login": {"hosts": {"login01": {}}},
            "compute": {"children": {"titan": {"hosts": {"n1": {}}}}},
            "jupyter": {"hosts": {"lab01": {"conda_prefix": str(jupyter.parent.parent)}}},
        }
        inventory.write_text(json.dumps({"all": {"vars": {**variables, **changed}, "children": groups}}))
        environment = {"HOME": str(home), "ANSIBLE_HOME": str(folder / "ansible")}
        return playbook_run("-i", str(inventory), "playbooks/guide.yml", *arguments, environment=environment)

    yield Site(home, folder / "docs", run)
    shutil.rmtree(folder)


def changes(run: t.Any) -> int:
    return run.recap["changed"]


def test_the_outputs_come_into_every_page_and_a_second_run_changes_nothing(site):
    first = site.run()
    assert first.rc == 0, first.output
    pages = site.pages
    outputs = yaml.safe_load(pages.pop("outputs.yml"))
    assert sorted(pages) == ["pytorch.html", "pytorch.md", "pytorch.zh.html", "pytorch.zh.md"]
    assert outputs["torch-version"] == "stand-in python 1.0\n" and outputs["submit"] == "Submitted batch job 7\n"
    assert outputs["conda-check"] == "%s/bin/activate\n" % (site.docs.parent / "conda")
    # From the JupyterLab host, and at its place on the page.
    assert list(outputs)[0] == "jupyter-conda" and outputs["jupyter-conda"] == "conda 26.1.0\n"
    for name, text in pages.items():
        assert "stand-in python 1.0" in text and "Submitted batch job 7" in text, name
    for name in ("pytorch.md", "pytorch.zh.md"):
        assert "<!-- output torch-version -->\n```text\nstand-in python 1.0\n```" in pages[name]
        commands = [line.split()[2] for line in pages[name].split("\n") if line.strip().startswith("<!-- run ")]
        assert commands == list(outputs)
    # The user's own files are as before, and what the page used of them is still there.
    assert sorted(path.name for path in site.home.iterdir()) == [".conda"]
    assert (site.home / ".conda/envs/torch/bin/python").exists()
    again = site.run("--diff")
    assert again.rc == 0 and changes(again) == 0, again.output
    assert {name: text for name, text in site.pages.items() if name != "outputs.yml"} == pages


def test_check_mode_runs_no_command(site):
    checked = site.run("--check")
    assert checked.rc == 0 and site.pages == {} and sorted(path.name for path in site.home.iterdir()) == [".conda"]
    assert site.run().rc == 0
    before = site.pages
    checked = site.run("--check")
    assert checked.rc == 0 and changes(checked) == 0 and site.pages == before, checked.output


def test_a_command_that_fails_leaves_the_outputs_of_before(site):
    assert site.run().rc == 0
    before = site.pages
    (site.home / ".conda/envs/torch/bin/python").write_text("#!/bin/sh\necho no torch >&2; exit 1\n")
    failed = site.run()
    text = " ".join(failed.output.split())
    assert failed.rc == 2 and "(torch-version); found exit status 1; its output ends with: no torch" in text
    assert site.pages == before


def test_an_environment_that_is_missing_is_named_before_the_first_command(site):
    shutil.rmtree(site.home / ".conda")
    failed = site.run()
    text = " ".join(failed.output.split())
    assert failed.rc == 2 and "expected ~/.conda/envs/torch, which the commands of the page use; found nothing" in text


@pytest.mark.parametrize("folder", ["", None, ["/srv/docs"]])
def test_what_is_no_folder_is_named(site, folder):
    failed = site.run("--check", user_guide_dest=folder)
    assert failed.rc == 2 and "expected user_guide_dest to be the path of a folder" in " ".join(failed.output.split())


def test_html_alone_has_no_commands_to_run(site):
    failed = site.run(user_guide_formats=["html"])
    assert failed.rc == 2 and "expected user_guide_formats with markdown" in " ".join(failed.output.split())
    assert site.pages == {}
