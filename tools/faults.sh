#!/usr/bin/env bash
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Faults done to conda_env: kills, full disks, servers that fail. Writes docs/faults.md. Arguments choose families by name;
# the others' sections stay as they are. As root, since full and read-only disks are mounted.

# shellcheck source=tools/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"

setup test
is_root || refuse "root, who may mount a small disk" "$(id -un)" "run make faults as root; the tests of make test need no root"
cd -- "$CHECKOUT"
exec python tests/faults/run.py --page docs/faults.md "$@"
