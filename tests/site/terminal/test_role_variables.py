"""The module hpc.pytorch.role_variables checks variables as roles do, and says no more than what is wrong."""

from __future__ import annotations

import pytest


def check(play, variables, *roles):
    done = play([{"hpc.pytorch.role_variables": {"roles": list(roles)}}], variables, "-v")
    return done.rc, done.output


def test_right_variables_are_taken(play):
    variables = {"conda_expose": ["bashrc"], "cuda_home": "/opt/cuda", "job_script_nodes": 2, "job_script_dest": "/x"}
    variables["job_script_command"] = "true"
    code, output = check(play, variables, "conda", "cuda", "job_script")
    assert code == 0, output


def test_the_mistakes_of_all_roles_are_named_and_their_specifications_are_not_printed(play):
    variables = {"conda_expose": "bashrcc", "cuda_ld_library_path": "perhaps", "job_script_dest": "/x"}
    variables["job_script_command"] = "true"
    variables["job_script_run_timeout"] = "an hour"
    code, output = check(play, variables, "conda", "cuda", "job_script")
    assert code != 0
    for message in (
        "value of conda_expose must be one or more of: bashrc, profile, module",
        "argument 'cuda_ld_library_path' is of type str and we were unable to convert to bool",
        "argument 'job_script_run_timeout' is of type str and we were unable to convert to int",
    ):
        assert message in " ".join(output.split())
    assert "description" not in output


@pytest.mark.parametrize("name", ["nothing", "../roles/conda", ""])
def test_what_is_no_role_is_refused(play, name):
    code, output = check(play, {}, name)
    assert code != 0 and "expected roles of hpc.pytorch; found" in " ".join(output.split())
