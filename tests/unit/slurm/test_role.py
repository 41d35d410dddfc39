# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role job_script: texts generated from the options of sbatch_script, unknown variables, data of the example."""

from __future__ import annotations

import csv
import gzip
import hashlib
import importlib.util
import pathlib
import re
import subprocess
import sys

import pytest
import yaml
from ansible.parsing.plugin_docs import read_docstring
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch import table
from ansible_collections.hpc.pytorch.plugins.modules import sbatch_script

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
ROLE = CHECKOUT / "roles" / "job_script"


def load(name):
    return yaml.safe_load((ROLE / name).read_text())


@pytest.fixture(scope="module")
def generated():
    """The generator of the module's and the role's texts, with the function that fills a block."""
    found = {}
    for name in ("generate", "generators/job_script"):
        spec = importlib.util.spec_from_file_location(pathlib.PurePath(name).name, CHECKOUT / "tools" / (name + ".py"))
        found[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(found[name])
    return found["generators/job_script"], found["generate"].block


def test_the_texts_are_what_make_generate_writes(generated):
    generator, block = generated
    written = generator.outputs(lambda name: (CHECKOUT / name).read_text(), block)
    assert len(written) > 1
    assert {name: (CHECKOUT / name).read_text() for name in written} == written


def test_a_new_row_of_the_table_reaches_every_text(generated, monkeypatch):
    generator, block = generated
    row = table.OPTIONS[0]._replace(name="shine", description="Try: V(a|b), O(nodes=2) # 'it'.", choices=("no", 1))
    monkeypatch.setattr(table, "OPTIONS", (*table.OPTIONS, row))
    written = generator.outputs(lambda name: (CHECKOUT / name).read_text(), block)
    option = generator.documentation(written["plugins/modules/sbatch_script.py"])["options"]["shine"]
    assert option == {"description": [row.description], "type": row.type, "choices": ["no", 1]}
    specs = yaml.safe_load(written["roles/job_script/meta/argument_specs.yml"])["argument_specs"]["main"]["options"]
    assert specs["job_script_shine"]["description"] == ["Try: V(a|b), C(job_script_nodes: 2) # 'it'."]
    assert specs["job_script_shine"]["choices"] == ["no", 1]
    task, _of_users = yaml.safe_load(written["roles/job_script/tasks/write.yml"])
    assert task["hpc.pytorch.sbatch_script"]["shine"] == "{{ job_script_shine | default(omit) }}"


def documented(options):
    """The options of a documentation as an argument spec, without their texts."""
    keys = ("type", "choices", "elements", "required", "default")
    return {
        name: dict(
            {key: option[key] for key in keys if key in option},
            **({"options": documented(option["suboptions"])} if "suboptions" in option else {}),
        )
        for name, option in options.items()
    }


def test_the_modules_documentation_is_its_argument_spec():
    doc = read_docstring(str(CHECKOUT / "plugins/modules/sbatch_script.py"), verbose=False, ignore_errors=False)["doc"]
    assert documented(doc["options"]) == sbatch_script.argument_spec()


def test_a_variable_that_no_option_reads_is_unknown(tmp_path):
    known = {name for entry in load("meta/argument_specs.yml")["argument_specs"].values() for name in entry["options"]}
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {
            **dict.fromkeys(known),
            "job_script_job": {},
            "job_script_result": {},
            "job_script_gers": "gpu:1",
        },
        "tasks": [
            {"ansible.builtin.include_vars": str(ROLE / "vars/main.yml")},
            {"debug": {"var": "__job_script_unknown"}},
        ],
    }
    play["vars"]["role_path"] = str(ROLE)
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    ran = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", "-c", "local", str(tmp_path / "play.yml")],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.findall(r"job_script_\w+\b", ran.stdout.partition("__job_script_unknown")[2]) == ["job_script_gers"]


def test_the_examples_data_is_what_its_note_says():
    data = (ROLE / "files" / "digits.csv.gz").read_bytes()
    note = (ROLE / "files" / "digits.LICENSE.txt").read_text()
    assert hashlib.sha256(data).hexdigest() in note and "Attribution 4.0" in note
    rows = [[int(float(number)) for number in row] for row in csv.reader(gzip.decompress(data).decode().splitlines())]
    assert len(rows) == 1797 and {len(row) for row in rows} == {65}
    assert {row[-1] for row in rows} == set(range(10)) and {pixel for row in rows for pixel in row[:-1]} == set(
        range(17)
    )
