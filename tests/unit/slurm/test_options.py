# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of sbatch's options: valid values, refused values, warnings."""

from __future__ import annotations

import re

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._common.spelling import distance
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.sbatch import options, script_text, table

GOOD = {
    "job_name": ["test", "a b", "$(x)", "h\u00e4tte", "#SBATCH --x"],
    "nodes": ["1", "2-4", "1k", "1,3-5", "2-10:2"],
    "ntasks": [1, 16],
    "ntasks_per_node": [8],
    "ntasks_per_core": [1],
    "ntasks_per_gpu": [2],
    "mem_bind": ["local", "none", "q,local", "verbose,map_mem:0,1", "mask_mem:0x1,0x2", "rank,sort", "prefer,local"],
    "cpus_per_task": [16],
    "cpus_per_gpu": [8],
    "threads_per_core": [1],
    "partition": ["titan", "titan,tesla", "gpu_4.8-a", "grete:shared", "medium96s:test,jupyter:gpu"],
    "clusters": ["all", "a,b"],
    "gres": [
        "gpu:1",
        "gpu:titan:2",
        "gpu:2,nvme:100",
        "gpu",
        "none",
        "gres:gpu:1",
        "gres/gpu:1",
        "gpu:a100-sxm4-80gb:8",
        "tmp:10g",
        "gpu:3090:1",
        "gpu:1g.10gb:2",
    ],
    "gpus": ["2", "a100:2", "a100:2,v100:1", "2080ti:2"],
    "gpus_per_node": ["4", "h100:8"],
    "gpus_per_task": ["1"],
    "gpu_bind": ["closest", "none", "single:1", "per_task:1", "map_gpu:0,1", "mask_gpu:0x3,0xc", "verbose,closest"],
    "gres_flags": ["enforce-binding", "disable-binding"],
    "mem": ["0", "32G", "4096", "100gb", "1T"],
    "mem_per_cpu": ["4G"],
    "mem_per_gpu": ["60G"],
    "time": ["30", 30, "90:00", "1:30:00", "01:00:00", "2-12", "1-02:30", "1-02:30:15", "UNLIMITED"],
    "account": ["physics"],
    "qos": ["normal"],
    "reservation": ["course-1"],
    "constraint": ["v100", "v100|a100", "[rack1*2&rack2*4]", "(a|b)&c", "a,b", "gpu:a100"],
    "licenses": ["matlab:2", "a@srv:1,b"],
    "nodelist": ["titan01", "titan[01-03,05],tesla01", "./hosts.txt"],
    "exclude": ["titan03"],
    "exclusive": ["user", "mcs", "topo"],
    "distribution": ["block", "cyclic:block", "plane=4", "*:fcyclic:*", "block:block,Pack", "nopack", "block,NoPack"],
    "hint": ["nomultithread"],
    "array": ["0-9%4", "1,3,5", "0-100:10", "7", "[1-3]", "[1-3]%2"],
    "dependency": ["singleton", "afterok:1", "afterany:1:2,after:3+10", "afterok:1?afternotok:2", "aftercorr:4_2"],
    "signal": ["USR1", "B:USR1@120", "SIGUSR1@90", "10@60", "R:TERM"],
    "open_mode": ["append"],
    "wait_all_nodes": [0, 1],
    "output": ["%x-%j.out", "/scratch/my logs/%A_%a.out", "logs/$x"],
    "error": ["%j.err"],
    "chdir": ["/home/alice/a b"],
    "export": ["NONE", "ALL", "ALL,A=1", "PATH,HOME", "A=x y"],
    "mail_type": ["END,FAIL", "all", "TIME_LIMIT_90"],
    "mail_user": ["a.b+c@example.org", "alice"],
    "comment": ["first try"],
}
BAD = {
    "nodes": ["0", "4-2", "two", "1;2", "-1"],
    "ntasks": [0, -1],
    "cpus_per_task": [0],
    "partition": ["a b", "a;b", "$(x)", "titan,", "['a', 'b']", "a\n", "gpu:1", "gpu:", ":gpu", "a::b"],
    "gres": ["1", "gpu:", "gpu:one:two:3", "gpu:-1", "gpu 1", "gpu:1\n", "gpu:1,"],
    "gpus": ["all", "0x2", "a100"],
    "mem": ["1.5G", "32Gi", "much", "-1", "32 G"],
    "time": ["1h", "1:2:3:4", "1-2-3", "soon", True, ["1"], "\u0661"],
    "constraint": ["(a", "a]", "a b", "$(x)"],
    "nodelist": ["titan[01", "a b", "~/hosts/x"],
    "exclusive": ["please"],
    "hint": ["speed"],
    "mem_bind": ["near", "map_mem:0x1", "local,", "mask_mem:"],
    "ntasks_per_gpu": [0, "two"],
    "array": ["0-", "a", "1%0"],
    "dependency": ["1", "afterok", "afterok:x"],
    "signal": ["KILLED", "USR1@soon", "99"],
    "output": ["~/x.out", "a\nb", "", "a\x00b", "\u202egnp.out"],
    "export": ["A-B", "1A", "A='x,y'z"],
    "mail_type": ["sometimes"],
    "mail_user": ["a b", "$(x)"],
    "job_name": ["a\nb", "", "a\tb", "a\u2028b", "\ud800", ["x"]],
}


def cases(table):
    return [(name, value) for name, values in table.items() for value in values]


@pytest.mark.parametrize("name,value", cases(GOOD))
def test_a_good_value_becomes_its_directive(name, value):
    assert options.collect({name: value}) == {name.replace("_", "-"): str(value)}


# Slurm 22.05 does not know these yet, asks a database for them, or opens the file.
BEYOND_DEBIAN = [
    ("nodes", "1,3-5"),
    ("nodes", "2-10:2"),
    ("exclusive", "topo"),
    ("nodelist", "./hosts.txt"),
    ("gres", "gres/gpu:1"),
]
# Options that sbatch takes only together with another one.
NEEDED_BY = {
    "gpus_per_task": "#SBATCH --ntasks=1",
    "mem_per_gpu": "#SBATCH --gpus=1",
    "ntasks_per_gpu": "#SBATCH --gpus=1",
}


@pytest.mark.parametrize(
    "name,value", [case for case in cases(GOOD) if case not in BEYOND_DEBIAN and case[0] != "clusters"]
)
def test_sbatch_takes_a_good_value(sbatch, name, value):
    lines = [NEEDED_BY.get(name, "#SBATCH --job-name=x"), script_text.line(name.replace("_", "-"), str(value))]
    output = sbatch("\n".join(["#!/bin/bash", *lines, "true", ""]))
    # sbatch accepts the value, and fails only because no controller answers.
    assert "Unable to contact slurm controller" in output, output


@pytest.mark.parametrize("name,value", cases(BAD))
def test_a_bad_value_is_refused_in_one_line_that_names_the_option(name, value):
    with pytest.raises(UserError) as caught:
        options.collect({name: value})
    assert caught.value.expected.startswith(name + " to be ")
    assert "\n" not in str(caught.value) and name in caught.value.remedy


@pytest.mark.parametrize("option", [option for option in table.OPTIONS if option.type != "bool"])
def test_the_example_of_an_option_is_valid(option):
    name, example = option.name, option.example.strip('"')
    assert options.collect({name: example}) == {option.directive: True if example == "true" else example}


@pytest.mark.parametrize("option", table.OPTIONS)
def test_sbatch_takes_the_example_of_an_option(sbatch, option):
    example = True if option.type == "bool" or option.name == "exclusive" else option.example.strip('"')
    lines = [NEEDED_BY.get(option.name, "#SBATCH --job-name=x"), script_text.line(option.directive, example)]
    output = sbatch("\n".join(["#!/bin/bash", *lines, "true", ""]))
    assert re.search("Unable to contact slurm controller|Problem talking to database", output), output


def test_every_option_with_checked_values_stands_in_the_table_once():
    names = [option.name for option in table.OPTIONS]
    assert len(names) == len(set(names)) and set(GOOD) | set(BAD) <= set(names)
    assert not table.KNOWN & set(table.BY_DIRECTIVE)


@pytest.mark.parametrize(
    "value,expected", [(True, {"exclusive": True}), ("yes", {"exclusive": True}), (False, {}), ("no", {}), (None, {})]
)
def test_exclusive_is_a_flag_too(value, expected):
    assert options.collect({"exclusive": value}) == expected


@pytest.mark.parametrize("option", [option for option in table.OPTIONS if option.type == "bool"])
def test_a_flag_has_no_value(option):
    assert options.collect({option.name: True}) == {option.directive: True}
    assert options.collect({option.name: False}) == {}


@pytest.mark.parametrize(
    "params",
    [
        {"mem": "1G", "mem_per_cpu": "1G"},
        {"mem_per_gpu": "1G", "mem_per_cpu": "1G"},
        {"requeue": True, "no_requeue": True},
        {"cpus_per_task": 2, "cpus_per_gpu": 2},
        {"nodes": "2", "ntasks_per_node": 4, "ntasks": 9},
    ],
)
def test_a_contradiction_is_refused(params):
    with pytest.raises(UserError):
        options.collect(params)


@pytest.mark.parametrize(
    "given,expected",
    [
        ({"begin": "now+1hour", "hold": True}, {"begin": "now+1hour", "hold": True}),
        ({"nice": 100, "contiguous": None}, {"nice": "100", "contiguous": True}),
        (["--begin=now", "hold"], {"begin": "now", "hold": True}),
        ([{"begin": "now"}], {"begin": "now"}),
        ('{"begin": "now"}', {"begin": "now"}),
        ({"container_image": "a#b:c"}, {"container-image": "a#b:c"}),
        ({"site-own_thing": "x y"}, {"site-own_thing": "x y"}),
        (
            {"mem-bind": "local", "overcommit": True, "ntasks_per_gpu": 2},
            {"mem-bind": "local", "overcommit": True, "ntasks-per-gpu": "2"},
        ),
        ({"overcommit": False}, {}),
        (None, {}),
        ({}, {}),
    ],
)
def test_the_rest_goes_through_directives(given, expected):
    assert options.collect({"directives": given}) == expected


@pytest.mark.parametrize(
    "name,right",
    [
        ("job-name", "job_name"),
        ("--job_name", "job_name"),
        ("gers", "gres"),
        ("parition", "partition"),
        ("partit", "partition"),
        ("cpu-per-task", "cpus_per_task"),
        ("-p", "partition"),
        ("p", "partition"),
        ("begn", "begin"),
        ("GRES", "gres"),
    ],
)
def test_a_misspelt_or_typed_directive_is_refused_with_the_right_one(name, right):
    with pytest.raises(UserError) as caught:
        options.collect({"directives": {name: "1"}})
    assert right in caught.value.remedy


@pytest.mark.parametrize(
    "given",
    [
        {"\u2013begin": "now"},
        {"a b": 1},
        {"x\n#SBATCH --y": 1},
        {"a=b": 1},
        {"begin": "a\nb"},
        {"begin": False},
        {"begin": ["now"]},
        {"mem-bind": "near"},
        {"overcommit": "perhaps", "begin": ""},
        {"wrap": "true"},
        {"begin": ""},
        [1],
        "{",
        ["begin=now", "begin=later"],
    ],
)
def test_a_directive_that_cannot_be_is_refused(given):
    with pytest.raises(UserError) as caught:
        options.collect({"directives": given})
    assert "\n" not in str(caught.value)


def test_the_scripts_order_is_the_tables_and_the_rest_comes_last():
    asked = {
        "gres": "gpu:1",
        "partition": "p",
        "ntasks": 1,
        "nodes": "1",
        "job_name": "n",
        "directives": {"begin": "now"},
    }
    assert list(options.collect(asked)) == ["job-name", "nodes", "ntasks", "partition", "gres", "begin"]


@pytest.mark.parametrize(
    "params,word",
    [
        ({"time": 5400}, "quotes"),
        ({"gres": "gpu:1", "gpus_per_node": "1"}, "gpus_per_node"),
        ({"output": "$HOME/x"}, "output"),
    ],
)
def test_what_is_likely_not_meant_is_said(params, word):
    (warning,) = options.warnings(params)
    assert word in warning


@pytest.mark.parametrize("params", [{"time": 30}, {"time": "5400"}, {"gres": "nvme:1", "gpus": "1"}, {}])
def test_what_is_meant_is_not_warned_of(params):
    assert options.warnings(params) == []


@pytest.mark.parametrize(
    "left,right,steps",
    [("gers", "gres", 1), ("SBTACH", "SBATCH", 1), ("", "ab", 2), ("abc", "abc", 0), ("kitten", "sitting", 3)],
)
def test_distance(left, right, steps):
    assert distance(left, right) == steps
