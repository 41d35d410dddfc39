# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tests/faults: the page lists what was done, a fault that was not survived fails, a broken env is noticed."""

from __future__ import annotations

import contextlib
import importlib
import json
import pathlib
import subprocess
import sys

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env.own_record import listing_sha256

FAULTS = pathlib.Path(__file__).resolve().parents[2] / "faults"


@pytest.fixture(name="faults")
def fixture_faults(monkeypatch):
    """run.py and its neighbours by name; what else has one of these names is left alone."""
    names = ("run", "lab", "page", "whole", "site_lab", "fault_site_kill")
    kept = {name: sys.modules.pop(name, None) for name in names}
    monkeypatch.setattr(sys, "path", [str(FAULTS), *sys.path])
    yield {name: importlib.import_module(name) for name in names}
    for name, module in kept.items():
        sys.modules.pop(name, None)
        if module is not None:
            sys.modules[name] = module


def test_every_family_says_what_it_does_and_an_unknown_one_is_refused(faults, capsys):
    of_a_site = {"site_disk", "site_kill", "site_together"}
    assert set(faults["run"].families()) == {"disk", "kill", "kill_tool", "server", "together"} | of_a_site
    for path in faults["run"].families().values():
        assert '"""' in path.read_text(encoding="utf-8")
    with pytest.raises(SystemExit):
        faults["run"].main(["no-such-fault"])
    assert "found no-such-fault" in capsys.readouterr().err


def families(tmp_path, survived):
    (tmp_path / "fault_one.py").write_text(
        '"""One."""\nfrom lab import Row\n'
        'def run(lab, moments):\n    return [Row("pulled plug", 2, %d, "a | line", ["why"])]\n' % survived
    )
    return {"one": tmp_path / "fault_one.py"}


@pytest.mark.parametrize("survived", [2, 1])
def test_the_page_is_written_and_the_exit_status_tells(faults, tmp_path, monkeypatch, capsys, survived):
    run = faults["run"]
    monkeypatch.setattr(run, "families", lambda: families(tmp_path, survived))
    monkeypatch.setattr(run, "open_lab", lambda folder: contextlib.nullcontext())
    page = tmp_path / "page.md"
    assert run.main(["--page", str(page)]) == (0 if survived == 2 else 1)
    assert "| pulled plug | 2 | %d | a \\| line |" % survived in page.read_text() and "\n## One\n" in page.read_text()
    assert "why" in capsys.readouterr().out


def test_a_section_is_replaced_and_the_others_stay(faults):
    updated, row = faults["page"].updated, faults["lab"].Row
    first = updated(
        "", ["A", "B"], {"A": [row("a", 1, 1, "old")], "B": [row("b", 2, 2, "kept")], "C": [row("c", 3, 3, "gone")]}
    )
    second = updated(first, ["A", "B"], {"A": [row("a", 1, 1, "new")]})
    assert "| old |" in first and "| kept |" in first and "gone" not in first
    assert second == first.replace("| old |", "| new |")


def test_a_family_may_keep_the_rows_of_other_runs(faults):
    updated, row = faults["page"].updated, faults["lab"].Row
    first = updated("", ["A"], {"A": [row("a", 1, 1, "old | a"), row("b", 2, 2, "old b")]})
    second = updated(first, ["A"], {"A": [row("b", 2, 2, "new b"), row("c", 3, 3, "new c")]}, {"A"})
    assert [line for line in second.splitlines() if line[:3] in ("| a", "| b", "| c")] == [
        "| a | 1 | 1 | old \\| a |",
        "| b | 2 | 2 | new b |",
        "| c | 3 | 3 | new c |",
    ]
    assert "old b" not in updated(first, ["A"], {"A": [row("c", 3, 3, "new c")]})


def test_a_family_that_needs_a_tool_is_left_out_without_one(faults, tmp_path, monkeypatch, capsys):
    (tmp_path / "fault_one.py").write_text('"""One."""\nNEEDS = "HPC_TEST_CONDA"\n')
    monkeypatch.delenv("HPC_TEST_CONDA", raising=False)
    monkeypatch.setattr(faults["run"], "families", lambda: {"one": tmp_path / "fault_one.py"})
    assert faults["run"].main([]) == 0 and "not run, as HPC_TEST_CONDA is not set" in capsys.readouterr().out


@pytest.fixture(name="prefix")
def fixture_prefix(tmp_path):
    """The files of an env: a Python that prints one answer, and a record."""
    prefix = tmp_path / "envs/torch"
    (prefix / "conda-meta").mkdir(parents=True)
    (prefix / "bin").mkdir()
    (prefix / "bin/python").write_text("#!/bin/sh\necho numpy 1\n")
    (prefix / "bin/python").chmod(0o755)
    (prefix / "conda-meta/python-3-0.json").write_text(json.dumps({"name": "python", "files": ["bin/python"]}))
    (prefix / "conda-meta/hpc_pytorch.record").write_text(json.dumps({"listing_sha256": listing_sha256(str(prefix))}))
    return prefix


def test_a_whole_env_is_whole_and_each_flaw_is_named(faults, prefix):
    not_whole = faults["whole"].not_whole
    assert not_whole(prefix, {"numpy": "1"}) == []
    assert "its Python prints" in not_whole(prefix, {"numpy": "2"})[0]
    (prefix / "bin/stray").touch()
    assert "bin/stray" in not_whole(prefix, {"numpy": "1"})[0]
    (prefix / "bin/stray").unlink()
    (prefix / "conda-meta/other-1-0.json").write_text('{"name": "other"}')
    assert not_whole(prefix, {"numpy": "1"}) == ["the record does not match the packages"]
    (prefix / "conda-meta/hpc_pytorch.changing").touch()
    assert not_whole(prefix, {"numpy": "1"}) == ["the state is unfinished"]


def test_leftovers_are_found_in_all_three_places(faults, prefix, tmp_path):
    cache = tmp_path / "pkgs"
    cache.mkdir()
    (cache / ".cache.lock").touch()
    assert faults["whole"].leftovers(cache, prefix.parent, prefix) == []
    for path in (
        cache / ".numpy-2-0Ab12cd",
        prefix.parent / ".torch.host.1.partial",
        prefix / "conda-meta/prefix_record_Ab12cd",
    ):
        path.mkdir()
        assert faults["whole"].leftovers(cache, prefix.parent, prefix) == ["left behind: %s" % path]
        path.rmdir()


OUTPUT = """\
PLAY [Site layer] ***

TASK [hpc.pytorch.conda : Make the engine] ***
changed: [localhost]

TASK [hpc.pytorch.channel : Publish the channel] ***
%s
PLAY RECAP ***
localhost : ok=12 changed=3 unreachable=0 failed=1 skipped=2 rescued=0 ignored=0
"""
FAILED = 'fatal: [localhost]: FAILED! => {"changed": false, "found": "x", "msg": "%s"}'


@pytest.mark.parametrize(
    ("failures", "problem"),
    [
        ([FAILED % "expected a; found b; remedy: c"], ""),
        ([FAILED % r"expected a \"q\"; found b; remedy: c"], ""),
        ([FAILED % "expected a; found b"], "no remedy: expected a; found b"),
        ([FAILED % "expected a; found b; remedy: c"] * 2, "2 error lines: "),
        (["fatal: [localhost]: FAILED! => boom"], "no remedy: [localhost]: FAILED! => boom"),
        ([], "0 error lines: []"),
    ],
)
def test_one_clear_line_is_told_from_others(faults, failures, problem):
    site = faults["site_lab"]
    done = site.Done(2, 3, OUTPUT % "\n".join(failures))
    wrong = site.one_line(done)
    assert (wrong == []) if not problem else wrong[0].startswith(problem)
    assert site.one_line(done._replace(status=0)) == ["it did not fail"]


def test_the_moments_of_kills_are_spread_over_tasks_and_time(faults):
    moment = faults["site_lab"].Moment
    whole_run = [moment(0, 0.0), moment(1, 0.0), moment(1, 1.0), moment(2, 0.0), moment(2, 6.0), moment(4, 1.0)]
    found = faults["fault_site_kill"].moments_of(whole_run, 4)
    assert found == [moment(1, 1.0), moment(2, 2.0), moment(2, 4.0), moment(2, 6.0)]


def test_a_kill_ends_all_that_a_run_started(faults, tmp_path):
    log = tmp_path / "log"
    log.write_bytes(b"PLAY [x]\nTASK [a] ***\nok: TASK [b\nTASK [c] ***\n")
    code = "import subprocess as s; print(s.Popen(['sleep', '999'], start_new_session=True).pid, flush=True); input()"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child = int(process.stdout.readline())
    running = faults["site_lab"].Running(process, log)
    assert running.tasks() == 2 and next(running.watched()).tasks == 2
    assert child in faults["site_lab"].descendants(process.pid)
    running.kill()
    process.stdin.close()
    process.stdout.close()
    assert process.returncode == -9 and not faults["site_lab"]._runs(child)
