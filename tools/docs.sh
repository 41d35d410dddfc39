#!/usr/bin/env bash
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Build the docs site in out/docs, or in the folder that is given. It needs no network once its venv is there.

# shellcheck source=tools/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"

# shellcheck source=tools/sources.sh
. "$CHECKOUT/tools/sources.sh"

setup test
site=$(realpath -m -- "${1:-$CHECKOUT/out/docs}")
[ ! -e "$site" ] || [ -e "$site/.buildinfo" ] ||
    refuse "a folder for the docs site that is new or holds one" "$site, which holds something else" "name another folder"
copy_sources
# Built apart: a build that fails leaves the last one.
mkdir -p -- "$(dirname -- "$site")"
python "$CHECKOUT/tools/docs/build.py" "$SOURCES_ROOT" "$SOURCES_ROOT/site"
rm -rf -- "$site"
mv -- "$SOURCES_ROOT/site" "$site"
say "wrote the docs site: $site/index.html"
