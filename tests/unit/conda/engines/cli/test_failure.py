"""Why a tool failed, in its decisive words. What the real ones print, with paths and addresses shortened."""

from __future__ import annotations

import json

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.cli.failure import (
    decisive,
    error_messages,
    failure,
    has_crashed_at_its_end,
    lacks_reason,
    log_entries,
    problem_in,
)


def conda(name: str, message: str) -> str:
    return json.dumps({"exception_name": name, "message": message, "error": "%s: %s" % (name, message)})


# conda 26.7.1 with its classic and its rattler solver.
CONDA = [
    (
        conda(
            "CondaHTTPError",
            "HTTP 000 CONNECTION FAILED for url <http://h:9/linux-64/repodata.json>\nElapsed: "
            "-\n\nAn HTTP error occurred "
            "when trying to retrieve this URL.\nHTTP errors are often intermittent, and a simple retry will get you on "
            "your way.\n'http//h:9/linux-64'",
        ),
        "HTTP 000 CONNECTION FAILED for url <http://h:9/linux-64/repodata.json> 'http//h:9/linux-64'",
    ),
    (
        conda(
            "CondaHTTPError",
            "HTTP 401 Unauthorized for url <http://h/auth/linux-64/repodata.json>\nElapsed: "
            "00:00.003524\n\nThe credentials "
            "you have provided for this URL are invalid.\n\nYou will need to modify your conda "
            "configuration to proceed."
            "\nUse `conda config --show` to view your configuration's current state.\nFurther "
            "configuration help can be "
            "found at <https://conda.io/docs/config.html>.\n",
        ),
        "HTTP 401 Unauthorized for url <http://h/auth/linux-64/repodata.json> The credentials you "
        "have provided for this "
        "URL are invalid.",
    ),
    (
        conda(
            "UnavailableInvalidChannel",
            "HTTP 404 Not Found for channel nothere <http://h/nothere>\n\nThe channel is not "
            "accessible or is invalid.\n\n"
            "You will need to adjust your conda configuration to proceed.\nUse `conda config --show "
            "channels` to view your "
            "configuration's current state,\nand use `conda config --show-sources` to view config file locations.\n",
        ),
        "HTTP 404 Not Found for channel nothere <http://h/nothere> The channel is not accessible or is invalid.",
    ),
    (
        conda(
            "PackagesNotFoundError",
            "The following packages are not available from current channels:\n\n  - nothere\n\nCurrent channels:\n\n"
            "  - file:///c/linux-64\n\nTo search for alternate channels that may provide the conda "
            "package you're\nlooking "
            "for, navigate to\n\n    https://anaconda.org\n\nand use the search bar at the top of the page.\n",
        ),
        "The following packages are not available from current channels: - nothere Current "
        "channels: - file:///c/linux-64",
    ),
]


@pytest.mark.parametrize("stdout, reads", CONDA)
def test_condas_general_advice_is_left_out(stdout, reads):
    error = failure("conda", ["file:///c"], ["nothere"], stdout, "", 1)
    assert error.found == reads
    assert "solver" not in error.details or "search bar" in error.details["solver"]


def test_an_error_of_advice_alone_is_kept():
    assert decisive("Multiple errors occurred:") == "Multiple errors occurred:"


def test_condas_several_errors_are_counted_not_listed():
    errors = [
        {
            "exception_name": "CondaVerificationError",
            "message": "The package for numpy located at /p\nlacks %d\n" % number,
        }
        for number in range(1148)
    ]
    stdout = json.dumps({"exception_name": "CondaMultiError", "message": "Multiple Errors.", "errors": errors})
    kind, message = problem_in(stdout, "", 1)
    assert kind == "other" and message.count("located at") == 3 and "and 1145 more such errors" in message
    assert len(error_messages(stdout)) == 1149


def test_a_log_entry_goes_on_in_the_next_lines():
    stderr = (
        "a word before\nwarning  libmamba Cache file is corrupt\ncritical libmamba Multiple errors occurred:\n"
        "    Download error (7) Couldn't connect to server [http://h:9/noarch/repodata.json.zst]\n"
        "    Subdir http://h:9/noarch not loaded!\n"
    )
    assert [level for level, text in log_entries(stderr)] == ["warning", "critical"]
    error = failure("micromamba", ["http://h:9"], ["app"], "", stderr, 1)
    assert error.expected == "channels that answer: http://h:9"
    assert error.found.startswith("Download error (7) Couldn't connect to server [http://h:9/")
    assert "Multiple errors" not in error.found and "corrupt" not in error.found


@pytest.mark.parametrize(
    "words, kind",
    [
        ("Download error (7) Couldn't connect to server [http://h/x]", "network"),
        ("Transfer finalized, status: 401 [http://h/auth/noarch/repodata.json] 0 bytes", "network"),
        ("Subdir http://h/noarch not loaded!", "network"),
        ("filesystem error: cannot copy: No space left on device", "space"),
        ("Could not solve for environment specs", "solver"),
        ("failed to run python command :\n  error: No such file or directory", "other"),
    ],
)
def test_what_libmamba_logs_has_a_kind(words, kind):
    found, message = problem_in("", "critical libmamba %s\n" % words, 1)
    assert found == kind and message == words


def test_a_solve_without_its_reason_is_asked_again():
    unsolved = "critical libmamba Could not solve for environment specs\n"
    # What 2.8.1 prints as JSON names no spec.
    problems = '{"solver_problems": ["unsupported request"], "success": false}'
    assert lacks_reason("", unsolved) and lacks_reason(problems, unsolved)
    assert not lacks_reason(problems, unsolved + "    └─ nothere does not exist\n")
    assert lacks_reason("", "TypeError: Object of type InvalidVersionSpec is not JSON serializable\n")
    assert not lacks_reason("", "critical libmamba Download error\n") and not lacks_reason(CONDA[3][0], "")


def test_a_match_spec_that_conda_cannot_read_is_named():
    # What conda 26.7.1 prints without --json; with it, it fails to print.
    stderr = "\nInvalidMatchSpec: Invalid spec 'app==': Invalid version '==': invalid operator\n\n"
    error = failure("conda", ["c"], ["app=="], "", stderr, 1)
    assert error.expected == "packages in c that satisfy app==" and error.found == stderr.strip()


def test_what_libmamba_says_twice_is_said_once():
    unsolved = "Could not solve for environment specs"
    stderr = "critical libmamba %s\n    └─ nothere does not exist\ncritical libmamba %s\n" % (unsolved, unsolved)
    assert problem_in("", stderr, 1)[1] == unsolved + "\n    └─ nothere does not exist"


def test_a_crash_after_the_answer_is_told_from_others():
    answer = '{"success": true, "actions": {}}'
    assert has_crashed_at_its_end(answer, -6)
    assert not has_crashed_at_its_end(answer, 1) and not has_crashed_at_its_end('{"success": false}', -6)
    assert not has_crashed_at_its_end(answer[:-1], -6)


@pytest.mark.parametrize("status, name", [(-11, "SIGSEGV"), (-9, "SIGKILL"), (-250, "signal 250")])
def test_a_signal_is_named(status, name):
    # As conda's crash reporter leaves it.
    stderr = "Fatal Python error: Segmentation fault\n\n<no Python frame>\n\nExtension modules: ruamel.yaml.clib.x\n"
    error = failure("conda", [], [], '{"actions": {}, "success": true}', stderr, status)
    assert error.expected == "conda to finish" and name in error.found and error.remedy.startswith("run again")
