# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role job_script has the module's options with its prefix, and the data it ships is what its note says."""

from __future__ import annotations

import csv
import gzip
import hashlib
import pathlib

import yaml
from ansible.parsing.plugin_docs import read_docstring
from ansible_collections.hpc.pytorch.plugins.modules import sbatch_script

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
ROLE = CHECKOUT / "roles" / "job_script"
OF_THE_ROLE = {"example", "example_name"}


def load(name):
    return yaml.safe_load((ROLE / name).read_text())


def test_the_role_takes_the_modules_options_with_its_prefix():
    module = sbatch_script.argument_spec()
    role = {
        name[len("job_script_") :]: option
        for name, option in load("meta/argument_specs.yml")["argument_specs"]["main"]["options"].items()
    }
    assert set(role) - OF_THE_ROLE == set(module)
    for name, option in module.items():
        for key in ("type", "choices", "elements", "required"):
            assert role[name].get(key) == option.get(key), (name, key)


def test_the_modules_documentation_is_its_options():
    doc = read_docstring(str(CHECKOUT / "plugins/modules/sbatch_script.py"), verbose=False, ignore_errors=False)["doc"]
    module = sbatch_script.argument_spec()
    assert set(doc["options"]) == set(module)
    for name, option in module.items():
        for key in ("type", "choices", "elements", "required", "default"):
            assert doc["options"][name].get(key) == option.get(key), (name, key)


def test_the_role_hands_every_option_on():
    (task,) = load("tasks/write.yml")
    assert task["hpc.pytorch.sbatch_script"] == {
        name: "{{ job_script_%s | default(omit) }}" % name for name in sbatch_script.argument_spec()
    }


def test_the_role_knows_its_variables():
    specs = load("meta/argument_specs.yml")["argument_specs"]
    names = {name for entry in specs.values() for name in entry["options"]}
    assert set(load("vars/main.yml")["__job_script_known"]) == names | {"job_script_job", "job_script_result"}


def test_the_examples_data_is_what_its_note_says():
    data = (ROLE / "files" / "digits.csv.gz").read_bytes()
    note = (ROLE / "files" / "digits.LICENSE.txt").read_text()
    assert hashlib.sha256(data).hexdigest() in note and "Attribution 4.0" in note
    rows = [[int(float(number)) for number in row] for row in csv.reader(gzip.decompress(data).decode().splitlines())]
    assert len(rows) == 1797 and {len(row) for row in rows} == {65}
    assert {row[-1] for row in rows} == set(range(10)) and {pixel for row in rows for pixel in row[:-1]} == set(
        range(17)
    )
