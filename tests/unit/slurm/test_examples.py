# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every job script of the documentation renders, passes bash -n, and our own linter has nothing against it."""

from __future__ import annotations

import pathlib
import re
import subprocess

import pytest
import yaml
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.lint import script as linter
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.script import parameters, render
from ansible_collections.hpc.pytorch.plugins.modules import sbatch_script

README = pathlib.Path(__file__).resolve().parents[3] / "roles/job_script/README.md"


def of_the_module():
    for task in yaml.safe_load(sbatch_script.EXAMPLES):
        yield task["name"], task["hpc.pytorch.sbatch_script"]


def of_the_role():
    for number, block in enumerate(re.findall(r"^```yaml\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)):
        for play in yaml.safe_load(block):
            given = play.get("vars") or play.get("roles", [{}])[0].get("vars", {})
            options = {name[len("job_script_") :]: value for name, value in given.items()}
            if "command" in options:
                known = sbatch_script.argument_spec()
                yield "role %d" % number, {name: value for name, value in options.items() if name in known}


EXAMPLES = [*of_the_module(), *of_the_role()]


@pytest.mark.parametrize("options", [options for _name, options in EXAMPLES], ids=[name for name, _options in EXAMPLES])
def test_an_example_is_a_script_that_bash_reads_and_the_linter_has_nothing_against(options):
    if "container" in options:
        options = dict(options, container=dict({"engine": "apptainer"}, **options["container"]))
    rendered = render.render(parameters.options_of(options), (22, 5))
    checked = subprocess.run(["bash", "-n"], input=rendered.content, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    if options.get("style") != "guide":
        assert rendered.warnings == []
        assert [finding.code for finding in linter.lint(rendered.content, (22, 5))] == []


def test_both_documents_have_examples():
    assert len(list(of_the_module())) >= 8 and len(list(of_the_role())) == 2
