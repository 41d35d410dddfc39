# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role user_tools and playbook lint on this machine: check mode, run, rerun, removal, and a user of the commands."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import typing as t

import pytest

ROLE = [{"name": "Run", "ansible.builtin.include_role": {"name": "hpc.pytorch.user_tools"}}]
BAD = "#!/bin/bash\n#SBATCH --gers=gpu:1\n#SBATCH --mem=1G --time=1:00:00 --cpus-per-task=1\npython train.py\n"
ERROR = "train.sh:2: error: sbatch does not know --gers [misspelt-option]; write --gres"


def shell(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "--norc", "-c", script, "bash", *arguments],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def site(tmp_path: pathlib.Path) -> dict[str, t.Any]:
    """The variables of a site below the test's folder."""
    return {"conda_prefix": str(tmp_path / "app/conda"), "user_tools_python": sys.executable}


def test_a_site_gets_them_once(play, site, tmp_path, tree_of) -> None:
    app = tmp_path / "app"
    checked = play(ROLE, site, "--check", "--diff")
    assert checked.rc == 0 and checked.recap["changed"] == 1 and not app.exists(), checked.output
    assert "+prepend-path PATH %s/hpc.pytorch/tools/bin" % app in checked.output
    first = play(ROLE, site)
    assert first.rc == 0 and first.recap["changed"] == 1, first.output
    assert sorted(str(path.relative_to(app)) for path in app.rglob("*") if path.is_file()) == [
        "hpc.pytorch/tools/bin/guide-lint",
        "hpc.pytorch/tools/bin/sbatch-lint",
        "hpc.pytorch/tools/bin/torch-verdict",
        "hpc.pytorch/tools/share/man/man1/guide-lint.1",
        "hpc.pytorch/tools/share/man/man1/sbatch-lint.1",
        "hpc.pytorch/tools/share/man/man1/torch-verdict.1",
        "modulefiles/hpc-pytorch-tools",
        "modulefiles/hpc-pytorch-tools.lua",
    ]
    before = tree_of(app)
    for arguments in ((), ("--check",)):
        again = play(ROLE, site, *arguments)
        assert again.rc == 0 and again.recap["changed"] == 0, again.output
    assert tree_of(app) == before
    # Every user may run them, whatever the umask was.
    assert {path.stat().st_mode & 0o777 for path in (app / "hpc.pytorch/tools/bin").iterdir()} == {0o755}

    (tmp_path / "train.sh").write_text(BAD)
    use = 'cd "$1"; module use app/modulefiles; module load hpc-pytorch-tools'
    lmod = shell(". /usr/share/lmod/lmod/init/bash; %s; sbatch-lint train.sh" % use, str(tmp_path))
    assert (lmod.returncode, lmod.stdout.splitlines()[0]) == (1, ERROR), lmod
    # man finds pages next to bin by itself, and a MANPATH of ours alone would hide all others.
    path = shell(". /usr/share/lmod/lmod/init/bash; unset MANPATH; %s; echo ${MANPATH-unset}" % use, str(tmp_path))
    assert path.stdout == "unset\n", path
    tcl = subprocess.run(
        ["tclsh"],
        input="proc module-whatis x {}\nproc prepend-path {n v} {puts $n=$v}\n"
        "source %s/modulefiles/hpc-pytorch-tools\nModulesHelp\n" % app,
        capture_output=True,
        text=True,
        check=True,
    )
    assert tcl.stdout == "PATH=%s/hpc.pytorch/tools/bin\n" % app
    assert tcl.stderr == "sbatch-lint, torch-verdict, guide-lint: each explains itself with --help and man.\n"


def test_they_are_removed_again(play, site, tmp_path) -> None:
    assert play(ROLE, site).rc == 0
    (tmp_path / "app/hpc.pytorch/tools/bin/mine").touch()
    absent = dict(site, user_tools_state="absent")
    for arguments, changed in ((("--check",), 1), ((), 1), ((), 0)):
        run = play(ROLE, absent, *arguments)
        assert run.rc == 0 and run.recap["changed"] == changed, run.output
    assert [path.name for path in (tmp_path / "app").rglob("*") if path.is_file()] == ["mine"]


def test_a_user_gets_them_in_the_home_directory(play, tmp_path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".local/bin").mkdir(parents=True)
    variables = {"user_tools_scope": "user", "user_tools_names": ["sbatch-lint"]}
    run = play(ROLE, variables, environment={"HOME": str(home)})
    assert run.rc == 0 and run.recap["changed"] == 1, run.output
    assert sorted(path.name for path in (home / ".local").rglob("*") if path.is_file()) == [
        "sbatch-lint",
        "sbatch-lint.1",
    ]
    done = shell('"$1" --list', str(home / ".local/bin/sbatch-lint"))
    assert done.returncode == 0 and done.stdout.startswith("no-shebang (error): ")


@pytest.mark.parametrize(
    "wrong, says",
    [
        ({"user_tools_prefix": "/opt/$(id)"}, "expected user_tools_prefix to consist of"),
        ({"user_tools_module_name": "a b"}, "expected user_tools_module_name to consist of"),
        ({"user_tools_names": ["sbatch"]}, "user_tools_names"),
        ({"user_tools_scope": "all"}, "user_tools_scope"),
        ({"user_tools_prefix": None}, "expected user_tools_prefix to consist of"),
        ({"user_tools_prefix": ["/opt/tools"]}, "expected user_tools_prefix to consist of"),
        ({"user_tools_module_name": ""}, "expected user_tools_module_name to consist of"),
        ({"conda_prefix": ["/opt/conda"]}, "expected user_tools_prefix to consist of"),
        ({"user_tools_prefix": "~/tools"}, "expected user_tools_prefix to be an absolute path"),
        ({"user_tools_python": "~/python/bin/python3"}, "expected user_tools_python to be an absolute path"),
    ],
)
def test_a_wrong_variable_is_named_and_nothing_is_written(play, site, tmp_path, wrong, says) -> None:
    run = play(ROLE, dict(site, **wrong))
    assert run.rc != 0 and says in run.output
    assert not (tmp_path / "app").exists()


@pytest.mark.parametrize("folder", ["", None])
def test_no_folder_is_not_the_root(play, site, folder) -> None:
    run = play(ROLE, dict(site, user_tools_modulefiles_dir=folder), "--check")
    assert run.rc != 0 and "expected user_tools_modulefiles_dir to consist of" in run.output


# --- playbooks/lint.yml ------------------------------------------------------------------------------------------


@pytest.fixture
def lint(playbook_run, tmp_path, monkeypatch) -> t.Callable[..., t.Any]:
    """Runs the playbook with these variables; any sbatch of this machine is hidden."""
    path = os.pathsep.join(
        part for part in os.environ["PATH"].split(os.pathsep) if not os.path.exists(part + "/sbatch")
    )

    def run(**variables: t.Any) -> t.Any:
        return playbook_run("hpc.pytorch.lint", "-e", json.dumps(variables), environment={"PATH": path})

    return run


def test_the_playbook_shows_each_mistake_and_fails_because_of_errors(lint, tmp_path) -> None:
    (tmp_path / "train.sh").write_text(BAD)
    (tmp_path / "good.sh").write_text(BAD.replace("--gers", "--gres"))
    run = lint(script=[str(tmp_path / "train.sh"), str(tmp_path / "good.sh")])
    assert run.rc != 0 and "%s/%s" % (tmp_path, ERROR) in run.output.splitlines(), run.output
    assert "expected no error in %s/train.sh, %s/good.sh; found 1; remedy: " % (tmp_path, tmp_path) in run.output
    good = lint(script=str(tmp_path / "good.sh"))
    assert good.rc == 0 and good.recap["changed"] == 0, good.output


def test_the_playbooks_other_variables(lint, tmp_path) -> None:
    script = tmp_path / "train.sh"
    script.write_text(BAD.replace("--gers", "--gres").replace("--mem=1G ", "--output=logs/%j.out "))
    old = lint(script=str(script), lint_slurm_version="22.05", lint_ignore=["no-mem"])
    assert old.rc == 0 and "[output-folder]" in old.output and "[no-mem]" not in old.output, old.output
    new = lint(script=str(script), lint_slurm_version="23.11", lint_fail_on="warning")
    assert new.rc != 0 and "[output-folder]" not in new.output and "expected no warning in" in new.output, new.output


def test_the_playbook_checks_the_pages_of_a_guide(lint, tmp_path) -> None:
    page = tmp_path / "docs" / "gpu.md"
    page.parent.mkdir()
    page.write_text("Type `pip install torch==2.4.2`.\n")
    run = lint(page=str(page.parent))
    line = "%s:1: error: torch 2.4.2 was never released [no-such-release]; write: pip install torch==2.4.1" % page
    assert run.rc != 0 and line in run.output.splitlines(), run.output
    assert "no mistakes" not in run.output
    page.write_text("Type `pip install torch==2.4.1`.\n")
    good = lint(page=str(page))
    assert good.rc == 0 and good.recap["changed"] == 0, good.output
    assert "no mistakes in %s" % page in good.output.splitlines(), good.output


@pytest.mark.parametrize(
    "variables, says",
    [
        ({"page": "/nowhere/gpu.md"}, "expected a page at /nowhere/gpu.md; found No such file"),
        ({}, "expected a job script to check; found none; remedy: name it"),
        ({"script": "/nowhere/train.sh"}, "expected a job script at /nowhere/train.sh; found No such file"),
        ({"script": "/etc/hostname", "lint_ignore": ["no-memory"]}, "expected ignore to hold codes of findings"),
        ({"script": "/etc/hostname", "lint_slurm_version": "new"}, "expected a version of Slurm such as 23.11"),
    ],
)
def test_the_playbook_names_what_is_wrong(lint, variables, says) -> None:
    run = lint(**variables)
    assert run.rc != 0 and says in run.output, run.output
