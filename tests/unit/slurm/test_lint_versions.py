# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The linter of job scripts for one version of Slurm, and for an unknown one."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.filter.sbatch_lint import sbatch_lint
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.job.lint import findings
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.job.request import Request
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.lint.by_version import DEPENDENT
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.lint.script import lint
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.model.controller import settings_of
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script import declare, parameters, render

HEAD = "#!/bin/bash\n#SBATCH --time=1:00:00 --mem=8G --cpus-per-task=4\n"
FOLDER = HEAD + "#SBATCH --output=logs/%j.out\npython x.py\n"
SRUN = HEAD + "srun python x.py\n"
MAIL = HEAD + "#SBATCH --mail-type=begin\n#SBATCH --mail-type=END,FAIL\npython x.py\n"
VERSIONS = ["18.08", "21.08.8", "22.05.8", "23.02", "23.11.1", "24.11", "25.05", "26.05"]


@pytest.mark.parametrize(
    "text,code,which,with_it",
    [
        (FOLDER, "output-folder", "Slurm before 23.02", ["18.08", "21.08.8", "22.05.8"]),
        (SRUN, "srun-cpus", "Slurm 22.05 to 23.02", ["22.05.8", "23.02"]),
        (MAIL, "repeated-directive", "Slurm since 25.05", ["25.05", "26.05"]),
    ],
)
def test_a_finding_is_for_the_versions_that_have_the_trap(text, code, which, with_it):
    assert code in DEPENDENT
    for version in VERSIONS:
        found = sbatch_lint(text, slurm_version=version)
        assert [one["code"] for one in found] == ([code] if version in with_it else []), version
        assert all("Slurm %s" % version[:5] in one["message"] for one in found)
    unknown = sbatch_lint(text)
    assert [one["code"] for one in unknown] == [code] and which in unknown[0]["message"]
    assert lint(text, ()) == lint(text)


@pytest.mark.parametrize("version", [None, *VERSIONS])
def test_another_option_that_is_given_again_has_a_finding_in_every_version(version):
    found = sbatch_lint(HEAD + "#SBATCH -N1\n#SBATCH -N2\nsrun -c4 x\n", slurm_version=version)
    assert [one["code"] for one in found] == ["repeated-directive"]


def test_the_remedy_for_mail_types_gives_all_events_once():
    (found,) = lint(MAIL)
    assert found.remedy == "give all events once: --mail-type=BEGIN,END,FAIL"
    again = HEAD + "#SBATCH --mail-type=BEGIN,END,FAIL\npython x.py\n"
    assert all(sbatch_lint(again, slurm_version=version) == [] for version in VERSIONS)


@pytest.mark.parametrize("path", ["out-%j", "./%j", "/tmp/%j.out", "/dev/shm/%j", "/var/tmp/%j"])
def test_a_folder_that_is_there_has_no_finding(path):
    assert lint(HEAD + "#SBATCH --output=%s\npython x.py\n" % path) == []


@pytest.mark.parametrize(
    "path,remedy",
    [
        ("logs/%j.out", "make the folder before"),
        ("%x/%j.out", "make the folder before"),
        ("logs/%j/out", "put %j in the file's name"),
        ("%A/%a/out", "put %A_%a in the file's name"),
    ],
)
def test_a_folder_named_by_the_job_is_not_to_be_made_before(path, remedy):
    array = "#SBATCH --array=1-3\n" if "%A" in path else ""
    found = lint(HEAD + array + "#SBATCH --output=%s\npython x.py\n" % path)
    assert [one.code for one in found] == ["output-folder"] and remedy in found[0].remedy


@pytest.mark.parametrize(
    "path,right", [("%j", True), ("%A_%a", True), ("%a", True), ("%4a", True), ("%A", False), ("x", False)]
)
def test_each_task_of_an_array_has_a_job_id_of_its_own(path, right):
    found = lint(HEAD + "#SBATCH --array=1-3 --output=%s.out\npython x.py\n" % path)
    assert [one.code for one in found] == ([] if right else ["output-overwritten"])


def test_one_cpu_a_task_is_what_srun_gives():
    text = HEAD.replace("--cpus-per-task=4", "--cpus-per-task=1") + "srun python x.py\n"
    assert lint(text, (22, 5)) == []


@pytest.mark.parametrize("version", ["new", "22", "22.05.x", 22])
def test_the_filter_refuses_what_is_no_version(version):
    with pytest.raises(AnsibleFilterError, match="slurm_version"):
        sbatch_lint(FOLDER, slurm_version=version)


def request(text):
    return Request(path="/x/job.sh", digest="", job_name="x", comment="", arguments=(), text=text)


@pytest.mark.parametrize("version,codes", [((22, 5, 8), ["output-folder"]), ((23, 11), []), ((), ["output-folder"])])
def test_a_job_is_checked_for_its_own_slurm(version, codes):
    assert [one.code for one in findings(request(FOLDER), lambda: version)] == codes


def test_slurm_is_asked_only_if_a_finding_depends_on_it():
    def never():
        raise AssertionError("asked")

    assert findings(request(HEAD + "python x.py\n"), never) == []


@pytest.mark.parametrize(
    "config,version",
    [({"SLURM_VERSION": "22.05.8"}, (22, 5, 8)), ({"SLURM_VERSION": "21.08.8-2"}, (21, 8, 8)), ({}, ())],
)
def test_the_version_is_in_the_controllers_settings(config, version):
    assert settings_of(config).version == version


def written(params, slurm=None):
    return render.render(parameters.options_of(dict(params, dest="/x/job.sh", command="python x.py")), slurm)


@pytest.mark.parametrize(
    "given,asked,warned", [(None, None, True), ("22.05", None, True), ("23.02", None, False), (None, (23, 2), False)]
)
def test_sbatch_script_warns_of_a_missing_folder_where_slurm_does_not_make_it(given, asked, warned):
    script = written({"output": "/no/such/folder/%j.out", "slurm_version": given}, asked)
    found = list(declare._missing_folders(script, "/x/job.sh"))
    assert len(found) == (1 if warned else 0)
