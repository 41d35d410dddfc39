#!/usr/bin/env bash
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Cause faults while conda_env or site.yml runs: kills, full disks, failing servers. Write docs/faults.md. Arguments
# choose families by name; the other sections stay as they are. Needs root, since it mounts full and read-only disks.

# shellcheck source=tools/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"

setup test
is_root || refuse "root, which may mount a small disk" "$(id -un)" "run make faults as root; the tests of make test need no root"
cd -- "$CHECKOUT"
exec python tests/faults/run.py --page docs/faults.md "$@"
