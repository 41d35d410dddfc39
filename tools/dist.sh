#!/usr/bin/env bash
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Build what can be published, in out/dist or in the folder that is given: the collection's tarball, which has to pass the
# check that Galaxy runs on an upload, without a warning, the docs site, and their SHA-256.

# shellcheck source=tools/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"

# shellcheck source=tools/sources.sh
. "$CHECKOUT/tools/sources.sh"

setup release
dist=$(realpath -m -- "${1:-$CHECKOUT/out/dist}")
[ ! -e "$dist" ] || [ -e "$dist/SHA256SUMS" ] ||
    refuse "a folder for what can be published that is new or holds it" "$dist, which holds something else" "name another folder"
copy_sources
built=$SOURCES_ROOT/dist
mkdir -- "$built"
ansible-galaxy collection build "$SOURCES" --output-path "$built" </dev/null

# In a folder of its own: it leaves a file where it runs.
mkdir -- "$SOURCES_ROOT/importer"
tarball=$(echo "$built"/*.tar.gz)
(
    own_home "$SOURCES_ROOT/home"
    unset ANSIBLE_CONFIG
    cd -- "$SOURCES_ROOT/importer"
    python -m galaxy_importer.main "$tarball" </dev/null
) >"$SOURCES_ROOT/importer.log" 2>&1 || imported=failed
if [ "${imported:-}" = failed ] || grep -qE '^(WARNING|ERROR)' "$SOURCES_ROOT/importer.log"; then
    grep -vE '^(Loading|Getting|Finding) ' "$SOURCES_ROOT/importer.log" >&2
    refuse "Galaxy to import the collection without a warning" "the lines above" "correct what they name"
fi

"$CHECKOUT/tools/docs.sh" "$built/docs"
tar -C "$built" --sort=name --owner=0 --group=0 --numeric-owner -czf "${tarball%.tar.gz}-docs.tar.gz" docs
(cd -- "$built" && sha256sum -- *.tar.gz >SHA256SUMS)

mkdir -p -- "$(dirname -- "$dist")"
rm -rf -- "$dist"
mv -- "$built" "$dist"
say "wrote $dist: $(cd -- "$dist" && echo *)"
