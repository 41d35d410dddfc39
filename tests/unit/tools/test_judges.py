# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The differential test of tests/judges: the same seed makes the same scripts; its lists explain what they say."""

from __future__ import annotations

import importlib
import pathlib
import sys

import pytest
import yaml
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch.table import BY_DIRECTIVE, FLAGS
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch.taken import is_known, verdict

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "judges"


@pytest.fixture(name="judges")
def fixture_judges(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    yield {name: importlib.import_module(name) for name in ("directives", "slurm", "compare", "run")}
    for name in ("directives", "slurm", "compare", "run"):
        sys.modules.pop(name)


def load(name):
    return yaml.load((FOLDER / name).read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def test_the_same_seed_makes_the_same_scripts_and_more_of_them_begin_alike(judges):
    make = judges["directives"].make
    assert make(3, 80) == make(3, 80) and make(3, 80) == make(3, 160)[:80] and make(3, 80) != make(4, 80)
    # All kinds of scripts are among few.
    assert (
        {len(script.given) > 1 for script in make(3, 80)} == {script.plain for script in make(3, 80)} == {True, False}
    )


def test_every_option_is_tried_and_every_listed_one_is_there(judges):
    options = set(judges["directives"].options())
    assert options == {one.option for one in judges["directives"].catalog()}
    assert set(load("values.yml")["options"]) <= options
    for name, values in load("shapes.yml")["right"].items():
        for value in values:
            assert is_known(name, (22, 5)) and verdict(name, None if value == "~" else value, (22, 5)) == "right"


def test_a_refusal_about_the_site_is_told_from_one_about_the_form(judges):
    compare, given = judges["compare"], judges["directives"].Given
    script = judges["directives"].Script("", (given("gres", "gpu:1,scratch:1"),))
    other = script._replace(given=(given("gres", "gpu::1"),))
    verdict_of = judges["slurm"].Verdict
    message = "sbatch: error: Invalid generic resource (gres) specification"
    assert compare.outcome(verdict_of(0, ""), script) == "taken"
    assert compare.outcome(verdict_of(1, message), script) == "site"
    assert compare.outcome(verdict_of(1, message), other) == "refused"
    assert compare.outcome(verdict_of(255, "sbatch: error: Invalid --time specification"), script) == "refused"


@pytest.mark.parametrize(
    "name,value,text,slurm,errors",
    [("time", "1h", "--time=1h", 0, 1), ("time", "30", "--time=30", 1, 1), ("time", "30", "--time=30", 0, 0)],
)
def test_a_disagreement_is_one_in_either_direction(judges, name, value, text, slurm, errors):
    script = judges["directives"].Script(
        "#!/bin/bash\n#SBATCH %s\ntrue\n" % text, (judges["directives"].Given(name, value),)
    )
    said = judges["slurm"].Verdict(slurm, "sbatch: error: Invalid --time specification")
    found = judges["compare"].of_the_linter("22.05", (22, 5), [script], [said])
    assert len(found) == errors
    assert [judges["compare"].explained(one, load("standing.yml")) for one in found] == [None] * errors


def test_the_module_writes_what_it_takes_and_says_why_it_takes_nothing(judges):
    given = judges["directives"].Given
    ask = judges["compare"].by_the_module
    assert ask([given("nodes", "2"), given("hold", None)], (22, 5)) == (
        "#!/bin/bash\n#SBATCH --nodes=2\n#SBATCH --hold\ntrue\n",
        "",
    )
    text, message = ask([given("exclusive", "topo")], (22, 5))
    assert text is None and "exclusive" in message
    assert ask([given("exclusive", "topo")], (24, 11))[0] is not None


def test_each_entry_of_the_list_has_a_reason_and_examples_that_fit_it(judges):
    entries = load("standing.yml")
    assert len(judges["run"].examples()) == sum(len(entry["examples"]) for entry in entries)
    for entry in entries:
        assert entry["reason"] and entry["ours"] in ("sbatch_lint", "sbatch_script")
        assert entry["slurm"] in ("taken", "refused")


def test_no_entry_would_explain_away_that_a_right_value_is_refused(judges):
    compare, given = judges["compare"], judges["directives"].Given
    right = {name: [option.example.strip('"')] for name, option in BY_DIRECTIVE.items() if name not in FLAGS}
    for name, values in load("shapes.yml")["right"].items():
        right.setdefault(name, []).extend(value for value in values if value != "~")
    standing = load("standing.yml")
    for name, values in right.items():
        for value in values:
            script = judges["directives"].Script("", (given(name, value),), plain=True)
            for ours in ("sbatch_lint", "sbatch_script"):
                for release in ("22.05", "24.11"):
                    found = compare.Disagreement(ours, "taken", release, script, "expected another value")
                    assert compare.explained(found, standing) is None, (ours, release, name, value)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("nodes", "2", "right"),
        ("nodes", "+1", "spelling"),
        ("gpus", "a100:2", "right"),
        ("gpus", "a100", "spelling"),
        ("nodes", "two", "refused"),
        ("time", "-5", "odd"),
        ("hold", None, "right"),
        # No option of sbatch_script's table, which hands its value on.
        ("begin", "16:00", "right"),
    ],
)
def test_a_spelling_is_a_right_value_that_the_module_does_not_write(judges, name, value, says):
    compare = judges["compare"]
    assert compare.verdict_of(judges["directives"].Given(name, value), (24, 11)) == says


def test_a_run_fails_for_a_new_disagreement_and_for_an_entry_without_one(judges, monkeypatch, capsys):
    compare, run, given = judges["compare"], judges["run"], judges["directives"].Given
    script = judges["directives"].Script("text", (given("qos", "x y"),), plain=True)
    found = compare.Disagreement("sbatch_lint", "taken", "22.05", script, "bad-value")
    entry = {"ours": "sbatch_lint", "slurm": "taken", "options": "qos", "examples": [], "reason": "so it is"}
    monkeypatch.setattr(run, "load", lambda name: [entry])
    assert run.report([script], 1, {"22.05": [found]}) == 0
    assert run.report([script], 1, {"22.05": []}) == 1 and "none any more: so it is" in capsys.readouterr().out
    monkeypatch.setattr(run, "load", lambda name: [])
    assert run.report([script], 1, {"22.05": [found]}) == 1 and "qos='x y'" in capsys.readouterr().out
