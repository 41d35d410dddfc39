# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of prefixes, and the mark of an unfinished change."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.unfinished import CHANGING_MARK
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env.prefix import (
    claim,
    clear_changing,
    kind_of,
    mark_changing,
)

CHECKOUT = pathlib.Path(__file__).resolve().parents[4]


def test_the_mark_makes_an_env_unfinished(tmp_path):
    prefix = tmp_path / "env"
    assert kind_of(str(prefix)) == "absent"
    claim(str(prefix))
    assert kind_of(str(prefix)) == "unfinished" and (prefix / CHANGING_MARK).is_file()
    clear_changing(str(prefix))
    assert kind_of(str(prefix)) == "env"
    mark_changing(str(prefix))
    assert kind_of(str(prefix)) == "unfinished"


def test_only_one_of_two_runs_can_claim_a_prefix(tmp_path):
    claim(str(tmp_path / "env"))
    with pytest.raises(FileExistsError):
        claim(str(tmp_path / "env"))


def test_the_shell_template_checks_the_same_mark():
    assert CHANGING_MARK in (CHECKOUT / "roles/conda/templates/conda.sh.j2").read_text(encoding="utf-8")
