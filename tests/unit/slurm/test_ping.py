# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a controller answers, as exit statuses that timeout(1) would have."""

from __future__ import annotations

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._slurm.client import Slurm


@pytest.mark.parametrize(
    "text, status",
    [
        ("#!/bin/sh\necho Slurmctld is UP\n", 0),
        ("#!/bin/sh\necho Slurmctld is DOWN\nexit 1\n", 1),
        ("#!/nonexistent/interpreter\n", 126),
        # It says nothing, and does not end by itself.
        ("#!/bin/sh\nexec tail -f /dev/null\n", 124),
    ],
)
def test_the_status_says_how_scontrol_ended(tmp_path, text, status):
    path = tmp_path / "scontrol"
    path.write_text(text)
    path.chmod(0o755)
    assert Slurm(str(tmp_path)).ping(0.5 if status == 124 else 30) == status


def test_without_scontrol_there_is_no_slurm(tmp_path):
    assert Slurm(str(tmp_path)).ping(5) == 127
