"""Which Python carries the engine: real ones, and ones that only answer as a real one of their version does."""

from __future__ import annotations

import json
import os
import sys

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.python import (
    candidates,
    choose_python,
    reason_against,
)
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.engines.venv import find_engine_python, require_rattler


@pytest.fixture
def folders(tmp_path):
    """Two folders for Pythons; ``folders.add(0, "python3.12", [3, 12, 1])`` puts one into the first."""

    class Folders(list):
        def add(self, index, name, version, missing=(), reads=("/bin/sh",)):
            path = os.path.join(self[index], name)
            answer = json.dumps({"version": version, "missing": list(missing), "reads": list(reads)})
            with open(path, "w", encoding="utf-8") as stream:
                stream.write("#!/bin/sh\necho '%s'\n" % answer)
            os.chmod(path, 0o755)
            return path

    found = Folders([str(tmp_path / "bin"), str(tmp_path / "local")])
    for folder in found:
        os.mkdir(folder)
    return found


def test_the_newest_that_is_tried_wins_and_the_first_folder_of_two(folders):
    folders.add(0, "python3.11", [3, 11, 2])
    folders.add(1, "python3.12", [3, 12, 1])
    first = folders.add(0, "python3.12", [3, 12, 3])
    assert choose_python(None, False, folders) == (first, "3.12.3", [])


def test_what_will_not_do_is_passed_over_and_named(folders):
    without = folders.add(0, "python3.13", [3, 13, 0], missing=["ensurepip"])
    broken = folders.add(1, "python3.12", [])
    with open(broken, "w", encoding="utf-8") as stream:
        stream.write("#!/bin/sh\necho no such version installed >&2\nexit 127\n")
    taken = folders.add(0, "python3.11", [3, 11, 2])
    choice = choose_python(None, False, folders)
    assert choice.python == taken
    assert choice.rejected == [
        (without, "Python 3.13.0 has no ensurepip"),
        (broken, "it does not run (no such version installed)"),
    ]


def test_one_that_not_everybody_can_read_is_not_for_a_site(folders, tmp_path):
    private = tmp_path / "home/private"
    private.mkdir(parents=True)
    (tmp_path / "home").chmod(0o700)
    (private / "python").write_text("")
    path = folders.add(0, "python3.13", [3, 13, 0], reads=[str(private / "python")])
    with pytest.raises(UserError, match="not every user can enter .*/home, where it lives"):
        choose_python(None, True, folders)
    assert choose_python(None, False, folders).python == path
    # A Python that is named may be for one user only.
    assert choose_python(path, True, folders).python == path


def test_where_none_will_do_every_one_is_named(folders):
    folders.add(0, "python3.10", [3, 10, 1], missing=["venv", "ensurepip"])
    folders.add(0, "python3", [3, 6, 8])
    with pytest.raises(UserError) as caught:
        choose_python(None, False, folders)
    message = str(caught.value)
    assert (
        "python3.10: Python 3.10.1 has no venv and no ensurepip; " in message
        and "/python3: Python 3.6.8 is too old" in message
    )
    assert "conda_engine_python" in message and "remedy: install one" in message


def test_where_there_is_none_that_is_said(tmp_path):
    with pytest.raises(UserError, match="found none in %s" % tmp_path):
        choose_python(None, False, [str(tmp_path)])


def test_the_one_that_was_asked_for_is_the_only_one(folders):
    folders.add(0, "python3.13", [3, 13, 0])
    old = folders.add(1, "python", [3, 9, 2])
    with pytest.raises(UserError, match="%s: Python 3.9.2 is too old" % old):
        choose_python(old, False, folders)
    with pytest.raises(UserError, match="/nonexistent/python3: "):
        choose_python("/nonexistent/python3", False, folders)


def test_root_runs_none_that_somebody_else_could_have_written(folders, monkeypatch, tmp_path):
    path = folders.add(0, "python3.13", [3, 13, 0])
    with open(path, "w", encoding="utf-8") as stream:
        stream.write("#!/bin/sh\ntouch %s\n" % (tmp_path / "ran"))
    os.chmod(path, 0o777)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(UserError, match="has mode 0777|belongs to uid"):
        choose_python(None, True, folders)
    assert not (tmp_path / "ran").exists()


def test_a_real_one_answers():
    choice = choose_python(sys.executable, False)
    assert choice == (sys.executable, "%d.%d.%d" % sys.version_info[:3], [])


def test_those_of_the_system_are_looked_at_in_order():
    paths = candidates(None)
    assert [path for path in paths if not path.startswith(("/usr/bin/python3", "/usr/local/bin/python3"))] == []
    assert candidates("/opt/python") == ["/opt/python"]


@pytest.mark.parametrize(
    "version, reason", [([2, 7, 18], "too old"), ([3, 9, 25], "too old"), ([3, 10, 0], None), ([3, 14, 0], None)]
)
def test_the_line_is_drawn_at_3_10(version, reason):
    said = reason_against({"version": version, "missing": []})
    assert said is None if reason is None else reason in said


@pytest.mark.parametrize("version", ["3.6.8", "3.9.25"])
def test_an_engine_on_a_python_that_is_too_old_is_refused_by_version(tmp_path, version):
    python = tmp_path / "platform-python"
    python.write_text(
        "#!/bin/sh\necho %s\necho \"ModuleNotFoundError: No module named 'rattler'\" >&2\nexit 1\n" % version
    )
    python.chmod(0o755)
    with pytest.raises(UserError) as caught:
        require_rattler(str(python))
    assert "Python 3.10 or newer" in str(caught.value) and "found Python %s there" % version in str(caught.value)
    assert "conda_engine_python" in caught.value.remedy


def test_an_engine_without_rattler_or_that_does_not_run_is_refused_with_what_it_said(tmp_path):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 3.12.1\necho \"ModuleNotFoundError: No module named 'rattler'\" >&2\nexit 1\n")
    python.chmod(0o755)
    with pytest.raises(UserError, match="No module named 'rattler'"):
        require_rattler(str(python))
    with pytest.raises(UserError, match="No such file"):
        require_rattler(str(tmp_path / "nowhere"))
    require_rattler(sys.executable)


def test_this_interpreter_is_the_engine_only_if_it_is_new_enough(monkeypatch, home):
    assert find_engine_python(None) == sys.executable
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    assert find_engine_python(None) != sys.executable
