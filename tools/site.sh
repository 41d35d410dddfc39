#!/usr/bin/env bash
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The main job on this machine: site.yml on inventories/local (ansible.cfg names it). Arguments go to ansible-playbook.

# shellcheck source=tools/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"

setup site
cd -- "$CHECKOUT"
exec ansible-playbook site.yml "$@"
