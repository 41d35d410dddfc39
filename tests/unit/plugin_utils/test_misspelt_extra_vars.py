# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that are almost options, and those that only look a little like one. tests/site/door runs it."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.filter.misspelt_extra_vars import near_misses

OPTIONS = ["torch", "python", "cuda", "gpus", "channels", "pip", "partition", "gres", "account", "time", "me_folder"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [("gpu", "gpus"), ("tourch", "torch"), ("partitoin", "partition"), ("channel", "channels"), ("Torch", "torch")],
)
def test_a_name_that_is_almost_an_option_is_found(name, meant):
    assert near_misses([name, "mine"], OPTIONS) == {name: meant}


@pytest.mark.parametrize(
    "name", [*OPTIONS, "torch_env_name", "job_script_command", "group", "home", "my_account", "site_become"]
)
def test_options_and_other_names_are_left_alone(name):
    assert near_misses([name], OPTIONS) == {}
