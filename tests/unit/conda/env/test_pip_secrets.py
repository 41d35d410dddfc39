# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pip stores on where a distribution came from has no credentials afterwards, and the distribution is whole."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from ansible_collections.hpc.pytorch.plugins.module_utils._conda.env.pip_records import (
    damaged_distributions,
    remove_credentials,
)


@pytest.mark.parametrize(
    "url, stored",
    [
        ("https://h/tool-1.0-py3-none-any.whl?sig=S3CR3T", "https://h/tool-1.0-py3-none-any.whl"),
        ("https://alice:S3CR3T@h/tool.whl", "https://h/tool.whl"),
        ("https://h/tool.whl", "https://h/tool.whl"),
        ("file:///srv/what?/tool.whl", "file:///srv/what?/tool.whl"),
    ],
)
def test_no_distribution_keeps_the_address_with_which_it_was_requested(tmp_path, url, stored):
    (tmp_path / "conda-meta").mkdir()
    folder = tmp_path / "lib/python3.11/site-packages/tool-1.0.dist-info"
    folder.mkdir(parents=True)
    content = json.dumps({"archive_info": {}, "url": url})
    (folder / "direct_url.json").write_text(content)
    (folder / "INSTALLER").write_text("pip\n")
    rows = ["tool-1.0.dist-info/RECORD,,", "tool-1.0.dist-info/INSTALLER,,"]
    digest = base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).rstrip(b"=").decode()
    rows.append("tool-1.0.dist-info/direct_url.json,sha256=%s,%d" % (digest, len(content)))
    (folder / "RECORD").write_text("\n".join(rows) + "\n")
    remove_credentials(str(tmp_path))
    assert json.loads((folder / "direct_url.json").read_text()) == {"archive_info": {}, "url": stored}
    assert damaged_distributions(str(tmp_path)) == []
