"""What the tools print, read: golden files with their origin in ``golden/cli/ORIGIN.md``."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.cli.failure import (
    problem_in,
    reports_failure,
)
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.cli.output import (
    actions_in,
    documents,
    in_order,
    read_explicit,
)
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env.dependencies import needed_names

GOLDEN = pathlib.Path(__file__).parents[3] / "golden/cli"


def golden(name: str) -> str:
    return (GOLDEN / name).read_text(encoding="utf-8")


def test_condas_link_is_found_between_words_and_names_no_address():
    (record,) = actions_in(golden("conda-link-with-words.txt")).link
    assert (record["name"], record["version"], record["build"], record["subdir"]) == (
        "zlib",
        "1.2.11",
        "h01d97ff_1006",
        "osx-64",
    )
    assert "url" not in record and record["base_url"].endswith("/conda-remote-conda-forge")


def test_condas_fetch_completes_its_link():
    fetched = golden("micromamba-1-fetch.json")
    entry = documents(fetched)[0]["actions"]["FETCH"][0]
    link = (
        '{"name": "_libgcc_mutex", "version": "0.1", "build_string": "conda_forge", '
        '"platform": "linux-64", "dist_name": "x"}'
    )
    both = fetched.rstrip().replace('"FETCH": [', '"LINK": [%s], "FETCH": [' % link)
    (record,) = actions_in(both).link
    assert record["sha256"] == entry["sha256"] and record["url"] == entry["url"] and record["depends"] == []


def test_a_whole_record_of_mamba_2_is_taken_as_it_is():
    (record,) = actions_in(golden("mamba-2-link.json")).link
    assert record["url"].endswith("/python_abi-3.13-5_cp313.conda") and len(record["sha256"]) == 64
    assert record["depends"] == [] and record["constrains"] == ["python 3.13.* *_cp313"]


@pytest.mark.parametrize(
    "text",
    ["", "Nothing to do.\n", golden("conda-empty.json"), '{"message": "All requested packages already installed."}'],
)
def test_nothing_to_do_is_no_action(text):
    assert actions_in(text) == ([], [], []) and not reports_failure(text)


def test_an_early_end_that_was_asked_for_is_no_failure():
    # conda's CondaExitZero after --download-only (conda/cli/install.py: handle_txn).
    assert not reports_failure('{"exception_name": "CondaExitZero", "message": "Package caches prepared."}')
    assert reports_failure(golden("micromamba-1-problems.json"))


def test_progress_lines_are_no_obstacle():
    progress = '{"fetch":"xz-5.2 | 300 KB ","finished":false,"maxval":1,"progress":0.5}\n\0'
    assert len(actions_in(progress * 3 + golden("mamba-2-link.json")).link) == 1
    assert documents('{broken {"a": 1}') == [{"a": 1}]


@pytest.mark.parametrize(
    "stdout, stderr, kind, says",
    [
        (golden("conda-4.13-packages-not-found.json"), "", "solver", "..."),
        (golden("micromamba-1-problems.json"), "", "solver", "libarrow-12.0.0-h07599e3_0_cuda requires libevent"),
        (golden("micromamba-1-problems.json"), golden("micromamba-2-problems.stderr.txt"), "solver", "└─ python =3.13"),
        ("", golden("micromamba-2-problems.stderr.txt"), "solver", "Could not solve"),
        (
            '{"exception_name": "LibMambaUnsatisfiableError", "message": "Encountered problems while solving:"}',
            "",
            "solver",
            "Encountered",
        ),
        (
            '{"exception_name": "CondaHTTPError", "message": "HTTP 403 FORBIDDEN for url <http://u:pa55word@h/c>"}',
            "",
            "network",
            "403",
        ),
        ('{"exception_name": "NoSpaceLeftError", "message": "No space left on devices."}', "", "space", "No space"),
        ("", "critical libmamba filesystem error: cannot copy: No space left on device\n", "space", "cannot copy"),
        (
            '{"success": false, "log_records": [{"message": "Download error (7) Could not connect"}]}',
            "",
            "network",
            "Download error",
        ),
        ("", "", "other", "exit status 3"),
    ],
)
def test_what_went_wrong_is_told_in_the_tools_words(stdout, stderr, kind, says):
    found, words = problem_in(stdout, stderr, 3)
    assert found == kind and says in words and "pa55word" not in words


def test_an_explicit_file_is_read_with_either_hash():
    text = (
        "# comment\n@EXPLICIT\nhttps://h/c/linux-64/a-b-1.0-py_0.conda#%s\nhttps://h/c/noarch/d-2-0.tar.bz2#sha256:%s\n"
    )
    first, second = read_explicit(text % ("a" * 32, "b" * 64), "/lock")
    assert (first["name"], first["version"], first["build"], first["md5"]) == ("a-b", "1.0", "py_0", "a" * 32)
    assert (second["channel"], second["subdir"], second["sha256"]) == ("https://h/c", "noarch", "b" * 64)


@pytest.mark.parametrize(
    "text, says",
    [
        ("version: 6\nenvironments:\n", "a lock file of rattler"),
        ("numpy\n", "no line"),
        ("@EXPLICIT\nnumpy=1\n", "numpy=1"),
    ],
)
def test_what_is_no_explicit_file_is_named(text, says):
    with pytest.raises(UserError, match=says):
        read_explicit(text, "/lock")


def test_packages_come_after_what_they_need_even_in_a_circle():
    records = [
        {"name": name, "depends": depends}
        for name, depends in (
            ("module", ["python >=3", "conda-forge::lib[version='>=1']"]),
            ("lib", []),
            ("python", ["lib=1", "pip"]),
            ("pip", ["python"]),
        )
    ]
    names = [record["name"] for record in in_order(records)]
    assert sorted(names) == ["lib", "module", "pip", "python"] and names[0] == "lib" and names[-1] == "module"


def test_names_are_read_out_of_specs():
    assert needed_names({"depends": ["a", "b >=1,<2", "c=1.*", "d==2", "x::e[build=0]", "f!=3", "g~=1.0"]}) == list(
        "abcdefg"
    )
