#!/usr/bin/env bash
# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The unit tests, on every core. Arguments go to pytest; paths among them replace tests/unit, and run in one process.

# shellcheck source=tools/setup.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/setup.sh"

setup test
cd -- "$CHECKOUT"
paths=(tests/unit --numprocesses="$(nproc)" --dist=loadfile)
for argument; do
    # A file, or a test in one (file::name), but not an option's value.
    case $argument in
    -*) ;;
    *) [ ! -e "${argument%%::*}" ] || paths=() ;;
    esac
done
exec python -m pytest "${paths[@]}" "$@"
