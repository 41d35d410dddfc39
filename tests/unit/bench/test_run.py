# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tests/bench/run.py: pairs are timed in turn, and the table says what was measured."""

from __future__ import annotations

import importlib.util
import pathlib

import pytest

BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench"
BENCHES = {"cluster", "conda_env", "report", "scale", "site", "slurm_inventory", "torch_env", "torch_info"}


@pytest.fixture(name="bench")
def fixture_bench():
    spec = importlib.util.spec_from_file_location("bench_run", BENCH / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pairs_are_timed_in_turn(bench, monkeypatch):
    clock = iter([0, 1, 10, 12, 20, 23, 30, 36])
    monkeypatch.setattr(bench.time, "perf_counter", lambda: next(clock))
    order = []
    times = bench.paired(lambda: order.append("A"), lambda: order.append("B"), 2)
    assert order == ["A", "B", "A", "B"]
    assert times == ([1, 3], [2, 6])


def test_the_ratio_is_the_median_of_the_pairs(bench):
    assert bench.Row("b", [2, 6, 100], [1, 2, 100]).ratio == 2
    assert bench.Row("b", [2, 6]).ratio is None


def test_the_table_has_a_line_for_each_row(bench):
    lines = bench.table([bench.Row("a", [1, 3, 2]), bench.Row("b", [4], [2], "twice")]).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[2] == ["a", "3", "2.000", "1.000", "3.000", "", ""]
    assert cells[3] == ["b", "1", "4.000", "4.000", "4.000", "2.00", "twice"]
    assert len({len(line) for line in lines}) == 1


def test_every_bench_says_what_it_measures_and_an_unknown_one_is_refused(bench, capsys):
    assert set(bench.benches()) == BENCHES
    for path in bench.benches().values():
        assert '"""' in path.read_text(encoding="utf-8")
    with pytest.raises(SystemExit):
        bench.main(["no-such-bench"])
    assert "found no-such-bench" in capsys.readouterr().err
