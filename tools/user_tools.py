# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the commands for users and their man pages to a folder, as the role user_tools does."""

from __future__ import annotations

import argparse
import pathlib
import sys

CHECKOUT = pathlib.Path(__file__).resolve().parents[1]


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prefix", type=pathlib.Path, help="the folder that gets bin and share/man")
    prefix = parser.parse_args().prefix
    sys.path.insert(0, str(CHECKOUT / ".collections"))
    from ansible_collections.hpc.pytorch.plugins.plugin_utils._user_tools.build import TOOLS, files

    for name, content, mode in files(TOOLS):
        path = prefix / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)
        print("wrote %s" % path)


if __name__ == "__main__":
    main()
