# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mistake of ours, or of a library, prints a traceback without credentials."""

from __future__ import annotations

import types

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._common.exit import answer


@pytest.mark.parametrize(
    "text, kind", [("cannot parse https://alice:S3CR3T@host/c", RuntimeError), ("cannot parse 3", ZeroDivisionError)]
)
def test_a_traceback_shows_no_address_with_credentials(text, kind):
    def work():
        raise ZeroDivisionError(text)

    with pytest.raises(kind, match="cannot parse") as caught:
        answer(types.SimpleNamespace(params={}), work)
    assert "S3CR3T" not in str(caught.value) and (kind is ZeroDivisionError or caught.value.__suppress_context__)
