#!/usr/bin/env bash
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Undo make site: inventories/local keeps everything below .site.

# shellcheck source=tools/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"

cd -- "$CHECKOUT"
if [ ! -e .site ] && [ ! -L .site ]; then
    say 'nothing to undo: there is no folder .site'
    exit 0
fi
# Published environments are read-only. If .site is a link, only the link is removed.
[ -L .site ] || find .site -type d ! -perm -u=rwx -exec chmod u+rwx {} +
rm -rf -- .site
say "removed $CHECKOUT/.site"
