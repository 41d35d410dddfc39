# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand in for the get-pip.py that ansible-test would download: pip from ensurepip, then the version asked for.

The arguments are pip's, and get-pip.py's own --no-setuptools and --no-wheel, which have no meaning here: only what is
asked for is installed.
"""

from __future__ import annotations

import subprocess
import sys


def main(arguments: list[str]) -> int:
    """Make pip available, then install the arguments with it."""
    wanted = [argument for argument in arguments if argument not in ("--no-setuptools", "--no-wheel")]
    commands = (
        # In a process of its own: ensurepip leaves its bundled pip in sys.modules.
        [sys.executable, "-m", "ensurepip", "--default-pip"],
        [sys.executable, "-m", "pip", "install", *wanted],
    )
    for command in commands:
        status = subprocess.run(command, check=False).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
