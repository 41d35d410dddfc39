from __future__ import annotations

from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError, one_line


def test_message_names_expected_found_and_remedy():
    error = UserError("a toolkit", "an empty folder", "install CUDA")
    assert str(error) == "expected a toolkit; found an empty folder; remedy: install CUDA"


def test_a_value_cannot_fake_a_second_line():
    assert one_line("a\nb\x1b[31mc") == "a b\\x1b[31mc"


def test_details_become_result_keys():
    assert UserError("a", "b", "c", solver="why").as_result()["solver"] == "why"
