# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the last report of a folder and writes a new one, as the action torch_report does: ``run_report.py FOLDER``."""

from __future__ import annotations

import json
import os
import pathlib
import sys

from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]


def main(folder: str) -> None:
    """Print what happened as JSON."""
    _AnsibleCollectionFinder(paths=[str(CHECKOUT / ".collections")])._install()
    from ansible_collections.hpc.pytorch.plugins.module_utils._common.errors import UserError
    from ansible_collections.hpc.pytorch.plugins.plugin_utils._report import files, schema

    report = json.dumps({"schema_version": schema.SCHEMA_VERSION, "nodes": [], "generated": "20261127T010000Z"})
    page = files.MARK.decode() + '1.0">'
    paths = {os.path.join(folder, name): text.encode() for name, text in ((files.JSON, report), (files.HTML, page))}
    try:
        last = files.read_last(folder)
        files.require_ours(os.path.join(folder, files.HTML))
        files.replace(folder, paths, last["generated"] if last else None, 1 if last is None else 0)
    except UserError as error:
        print(json.dumps({"refused": str(error)}))
    else:
        print(json.dumps({"wrote": sorted(os.listdir(folder))}))


if __name__ == "__main__":
    main(sys.argv[1])
