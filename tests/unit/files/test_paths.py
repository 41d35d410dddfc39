"""Paths that an account may not enter."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.apply.remove import remove_env
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env.describe import Options, describe_env
from ansible_collections.hpc.pytorch.plugins.module_utils._files.paths import require_visible
from ansible_collections.hpc.pytorch.plugins.module_utils._torch.environment import find_interpreter


@pytest.fixture
def home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A home that may not be entered, as root sees one on NFS with root_squash."""
    real = os.lstat

    def lstat(path: t.Any, **more: t.Any) -> os.stat_result:
        if os.fspath(path).startswith("%s/home/" % tmp_path):
            raise PermissionError(13, "Permission denied", path)
        return real(path, **more)

    monkeypatch.setattr(os, "lstat", lstat)
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


CALLS: dict[str, t.Callable[[str], t.Any]] = {
    "conda_env_info": lambda prefix: describe_env(Options(prefix, None, "/envs", False)),
    "conda_env, state absent": lambda prefix: remove_env(prefix, "/root", False, True),
    "torch_info": lambda prefix: find_interpreter(prefix, None),
    "torch_info, a python": lambda prefix: find_interpreter(None, prefix + "/bin/python"),
}


@pytest.mark.parametrize("name", CALLS)
def test_what_root_may_not_see_is_not_called_absent(
    name: str, home: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(UserError) as caught:
        CALLS[name](str(home / ".conda" / "envs" / "torch"))
    assert caught.value.found == "no permission to enter %s" % home
    assert "become_user" in caught.value.remedy and "root_squash" in caught.value.remedy


def test_an_ordinary_user_is_not_told_of_root(home: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(UserError, match="let this account enter it"):
        require_visible(str(home / "env"))


def test_what_is_absent_is_absent(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "nothing", tmp_path / "file" / "below", tmp_path / "no" / "folder", tmp_path):
        require_visible(str(path))
    assert describe_env(Options(str(tmp_path / "nothing"), None, "/envs", False))["state"] == "absent"
