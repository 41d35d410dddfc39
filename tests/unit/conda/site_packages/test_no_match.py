"""pip's "No matching distribution found" names the Python, the processor and the C library, which may be the cause."""

from __future__ import annotations

import os
import pathlib
import platform

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.apply import interpreter
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.site_packages import no_match

# The lines of pip 24 on CentOS 7.
NO_MATCH = [
    "ERROR: Could not find a version that satisfies the requirement torch==2.14.1 (from versions: 1.11.0, 2.6.0)",
    "ERROR: No matching distribution found for torch==2.14.1",
]


def test_an_old_glibc_is_named_with_what_needs_a_newer_one() -> None:
    assert no_match.remedy(NO_MATCH, "3.11", "x86_64", "2.17") == (
        "ask for a version that the index has for Python 3.11 on x86_64 with glibc 2.17 (wheels tagged manylinux_2_28,"
        " such as those of torch from 2.7 on, need glibc 2.28), or correct the name or the index in pip"
    )


@pytest.mark.parametrize("glibc", ["2.28", "2.39", "2.100"])
def test_a_glibc_of_today_is_not_accused(glibc: str) -> None:
    said = no_match.remedy(NO_MATCH, "3.15", "aarch64", glibc)
    assert said is not None and "Python 3.15 on aarch64 with glibc %s, or correct" % glibc in said


def test_another_c_library_and_an_unknown_python() -> None:
    said = no_match.remedy(NO_MATCH[1:], None, "x86_64", None)
    assert said is not None and "this Python on x86_64 with a C library that is not glibc, or correct" in said


@pytest.mark.parametrize(
    "errors",
    [[], ["ERROR: Cannot install fancyai and torch"], ["ERROR: Invalid requirement: 'torch=2'"]],
)
def test_other_errors_have_their_own_remedy(errors: list[str]) -> None:
    assert no_match.remedy(errors, "3.11", "x86_64", "2.17") is None


def test_this_machine() -> None:
    machine, glibc = no_match.here()
    assert machine == platform.machine()
    assert "glibc %s" % glibc == os.confstr("CS_GNU_LIBC_VERSION")


@pytest.mark.parametrize("answer", [None, "", "musl 1.2"])
def test_a_machine_without_glibc(monkeypatch: pytest.MonkeyPatch, answer: str | None) -> None:
    monkeypatch.setattr(os, "confstr", lambda name: answer)
    assert no_match.here()[1] is None


def test_a_system_that_does_not_know_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> str:
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr(os, "confstr", unknown)
    assert no_match.here()[1] is None


def test_the_error_of_an_environment_names_its_python(tmp_path: pathlib.Path) -> None:
    python = tmp_path / "env/bin/python"
    (tmp_path / "env/lib/python3.11/site-packages").mkdir(parents=True)
    (tmp_path / "env/conda-meta").mkdir()
    python.parent.mkdir()
    python.write_text("#!/bin/sh\necho '%s' >&2; exit 1\n" % NO_MATCH[1])
    python.chmod(0o755)
    with pytest.raises(UserError, match="found ERROR: No matching distribution found for torch==2.14.1") as caught:
        interpreter._pip(str(tmp_path / "env"), ["torch==2.14.1"], [], str(tmp_path))
    assert "the index has for Python 3.11 on %s with glibc" % platform.machine() in caught.value.remedy


def test_the_newest_versions_are_named_instead_of_pips_words() -> None:
    assert no_match.found(NO_MATCH) == "no file of torch==2.14.1 that fits; the index has 1.11.0, 2.6.0"
    assert no_match.found(NO_MATCH[1:]) is None
    assert (
        no_match.found(["ERROR: Could not find a version that satisfies the requirement x (from versions: none)"])
        is None
    )


# The lines of pip 23 and 26 where a name is not found, and where nothing listens.
SILENT = [
    "WARNING: Retrying (Retry(total=4, connect=None, read=None, redirect=None, status=None)) after connection broken by"
    " 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f>: Failed to establish a new"
    " connection: [Errno -2] Name or service not known')': /whl/cu126/torch/",
    "WARNING: Retrying (Retry(total=4, connect=None, read=None, redirect=None, status=None)) after connection broken by"
    " 'NewConnectionError(\"HTTPConnection(host='127.0.0.1', port=9): Failed to establish a new connection: [Errno 111]"
    " Connection refused\")': /simple/torch/",
]


@pytest.mark.parametrize("line", SILENT)
def test_an_index_that_does_not_answer_is_named(line: str) -> None:
    with pytest.raises(UserError, match="package indexes that answer") as caught:
        no_match.require_an_answer([line], NO_MATCH)
    assert (
        "Failed to establish a new connection" in caught.value.found and "torch_env_wheels_url" in caught.value.remedy
    )


def test_an_index_that_answered_late_is_not_accused() -> None:
    no_match.require_an_answer(SILENT, ["ERROR: Cannot install fancyai and torch"])
    no_match.require_an_answer(["Looking in indexes: https://host/simple"], NO_MATCH)
