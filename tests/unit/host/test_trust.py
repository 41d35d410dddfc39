"""Real files; only the question "am I root" is faked, so that an ordinary user's run tests the same."""

from __future__ import annotations

import os

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._host.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._host.trust import require_trusted, untrusted_because

NOBODY = 65534


def others(path):
    """Make *path* somebody else's than root, whoever runs this."""
    if os.geteuid() == 0:
        os.chown(path, NOBODY, NOBODY)
    return str(path)


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "python"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_systems_own_shell_is_trusted():
    assert untrusted_because("/bin/sh") is None


def test_a_file_of_somebody_else_is_not(script):
    assert "belongs to uid" in untrusted_because(others(script))


def test_a_folder_of_somebody_else_on_the_way_is_not(tmp_path):
    folder = tmp_path / "theirs"
    folder.mkdir()
    others(folder)
    (folder / "python").symlink_to("/bin/sh")
    assert "belongs to uid" in untrusted_because(str(folder / "python"))


def test_a_link_through_a_folder_of_somebody_else_is_not(tmp_path):
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "python").symlink_to("/bin/sh")
    others(folder)
    link = tmp_path / "python"
    link.symlink_to("theirs/../theirs/python")
    assert untrusted_because(str(link)) is not None


def test_a_file_that_a_group_can_write_is_not(script):
    script.chmod(0o775)
    assert untrusted_because(str(script)) is not None


def test_what_is_not_there_is_not(tmp_path):
    assert untrusted_because(str(tmp_path / "missing")) is not None


def test_root_is_told_to_become_the_owner(script, monkeypatch):
    others(script)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(UserError, match="become_user"):
        require_trusted(str(script), "engine")


def test_an_ordinary_user_may_run_anything(script, monkeypatch):
    others(script)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    require_trusted(str(script), "engine")
