# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""env_stands next to what conda_env does: an env that is said to stand is one that a run leaves alone."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.apply import declare as module
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.apply.declare import env_stands
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.apply.options import Options
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env.prefix import mark_changing

Declare = t.Callable[..., t.Dict[str, t.Any]]


@pytest.fixture
def stands(declare: Declare, monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., bool]:
    """env_stands with the options that ``declare`` would have used."""

    def call(**params: t.Any) -> bool:
        found: list[bool] = []

        def instead(options: Options, check_mode: bool) -> dict[str, t.Any]:
            found.append(env_stands(options))
            return {}

        with monkeypatch.context() as patched:
            patched.setitem(declare.__globals__, "declare_env", instead)  # type: ignore[attr-defined]
            declare(**params)
        return found[0]

    return call


def test_an_env_stands_after_it_was_made_and_as_it_was_asked_for(
    declare: Declare, stands: t.Callable[..., bool], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not stands(packages=["app=1.*"])
    declare(packages=["app=1.*"])
    monkeypatch.setattr(module, "make_plan", None)
    assert stands(packages=["app=1.*"])
    # Without an engine too.
    assert stands(packages=["app=1.*"], executable=str(tmp_path / "later/bin/python"))
    for other in (
        {"packages": ["app=2.*"]},
        {"packages": ["app=1.*", "extra"]},
        {"packages": ["app=1.*"], "prune": True},
        {"packages": ["app=1.*"], "compile": True},
        {"packages": ["app=1.*"], "channels": ["file://%s" % tmp_path]},
        {"packages": ["app=1.*"], "channel_priority": "disabled"},
        {"packages": ["app=1.*"], "state": "latest"},
        {"packages": ["app=1.*"], "state": "absent"},
        {"packages": ["app=1.*"], "verify": True},
        {"packages": ["app=1.*"], "lock_file": str(tmp_path / "lock")},
    ):
        assert not stands(**other), other


def test_an_env_does_not_stand_when_a_package_is_missing_or_a_change_was_interrupted(
    declare: Declare, stands: t.Callable[..., bool], prefix: pathlib.Path
) -> None:
    declare(packages=["app=1.*"])
    assert stands(packages=["app=1.*"])
    record = next((prefix / "conda-meta").glob("liba-*.json"))
    kept = record.rename(prefix / "kept")
    assert not stands(packages=["app=1.*"])
    kept.rename(record)
    mark_changing(str(prefix))
    assert not stands(packages=["app=1.*"])
