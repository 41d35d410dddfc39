# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An ansible-core that is too old is refused by its version, before a template makes something else of it."""

from __future__ import annotations

import pathlib

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.hpc.pytorch.plugins.filter.torch_check_expected import torch_check_expected
from ansible_collections.hpc.pytorch.plugins.plugin_utils import _core

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
ENOUGH = ("2.19.0", "2.19.14", "2.20.0b1", "2.21.5", "2.22.0rc1", "3.0.0", "2.100.1")
TOO_OLD = ("2.15.13", "2.9.27", "2.18.19", "2.18.0rc1", "1.9.6")


def test_the_oldest_is_the_one_that_the_collection_requires() -> None:
    runtime = yaml.safe_load((CHECKOUT / "meta/runtime.yml").read_text(encoding="utf-8"))
    assert runtime["requires_ansible"] == ">=%d.%d.0" % _core.OLDEST


@pytest.mark.parametrize("version", ENOUGH)
def test_a_version_that_is_supported(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(_core, "__version__", version)
    assert torch_check_expected(2)["devices"] == 2


@pytest.mark.parametrize("version", TOO_OLD)
def test_a_version_that_is_too_old(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(_core, "__version__", version)
    monkeypatch.setattr(_core.sys, "version_info", (3, 9, 18))
    with pytest.raises(AnsibleFilterError) as caught:
        torch_check_expected(2)
    assert str(caught.value) == (
        "expected ansible-core 2.19 or newer; found ansible-core %s, on Python 3.9; remedy: install ansible-core 2.19 "
        "or newer in a venv that is made with Python 3.11 or newer" % version
    )
