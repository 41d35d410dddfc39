#!/usr/bin/env bash
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Sourced by lint.sh and sanity.sh: a copy of the files that git knows or would add, laid out as an installed collection.
# ansible-test needs that layout and refuses the link in .collections; neither tool writes into the checkout.

copy_sources() { # sets SOURCES_ROOT and SOURCES; removed when the shell ends
    SOURCES_ROOT=$(mktemp -d -- "${TMPDIR:-/tmp}/hpc.pytorch-sources.XXXXXX")
    trap 'rm -rf -- "$SOURCES_ROOT"' EXIT
    # Below a folder that a Python package of the same name cannot shadow.
    SOURCES=$SOURCES_ROOT/ansible_collections/hpc/pytorch
    mkdir -p -- "$SOURCES"
    local list=$SOURCES_ROOT/list name
    # The checkout may belong to another user (a container's volume); the user trusted it when they ran make.
    git -c safe.directory="$CHECKOUT" -C "$CHECKOUT" ls-files -z --cached --others --exclude-standard >"$list" ||
        refuse "a git checkout at $CHECKOUT" "git does not accept it, see above" "clone the project with git"
    while IFS= read -r -d '' name; do
        case $name in
        .collections/*) continue ;; # the link to the checkout itself
        esac
        # A file that was deleted and not yet committed is listed, too.
        [ ! -e "$CHECKOUT/$name" ] && [ ! -L "$CHECKOUT/$name" ] || printf '%s\0' "$name"
    done <"$list" | tar -C "$CHECKOUT" --null --no-recursion -T - -cf - | tar -C "$SOURCES" -xf -
    rm -- "$list"
}
